import Glibc
import SockDiag
import Testing

@testable import TCPStateLab

/// Every number of a socket's message against what the kernel answers to the socket's own program (`getsockopt(2)`).
struct AgreementTests {
    /// A connection over the loopback device that has carried data both ways, and nothing happens on it any more.
    private func quietPair(_ lab: Lab, _ network: LabNetwork, congestion: String? = nil) throws -> LoopbackPair {
        let pair = try lab.loopbackPair(over: network)
        if let congestion {
            for socket in [pair.client, pair.accepted] {
                let name = Array(congestion.utf8)
                try SocketOption.set(#require(socket.descriptor), SocketOption.tcp, TCP_CONGESTION, name)
            }
        }
        for size in [1, 1000, 100_000] {
            try pair.send([UInt8](repeating: 7, count: size), from: .client)
            try pair.receive(size, at: .accepted)
            try pair.send([UInt8](repeating: 8, count: size / 10 + 1), from: .accepted)
        }
        try pair.settle()
        return pair
    }

    /// What is measured from now on, and so differs between two readings.
    private static let clocks: Set<TCPInfo.Field> = [.lastDataSent, .lastDataRecv, .lastAckRecv]

    @Test(arguments: [LabNetwork.ipv4, .ipv6, .ipv4Mapped], ["cubic", "bbr", "reno"])
    func `The measurements are those of tcp_info`(network: LabNetwork, congestion: String) throws {
        try Lab.with { lab in
            let pair = try quietPair(lab, network, congestion: congestion)
            for socket in [pair.client, pair.accepted, pair.listener] {
                let descriptor = try #require(socket.descriptor)
                let row = try lab.row(of: socket, extensions: .all)
                let info = try #require(row.tcpInfo)
                let bytes = try SocketOption.bytes(descriptor, SocketOption.tcp, TCP_INFO)
                let direct = TCPInfo(bytes.span.bytes)
                #expect(info.byteCount == bytes.count)
                for field in TCPInfo.Field.allCases where !Self.clocks.contains(field) {
                    #expect(info[field] == direct?[field], "tcpi_\(field.name)")
                }
                for field in Self.clocks { #expect((info[field] ?? .max) < 60_000, "tcpi_\(field.name)") }
            }
            let (sent, received) = (UInt64(101_001), UInt64(10_001 + 101 + 1))
            let info = try #require(try lab.row(of: pair.client, extensions: .info).tcpInfo)
            #expect((info[.bytesSent], info[.bytesAcked]) == (sent, sent + 1), "the SYN is acknowledged, too")
            #expect(info[.bytesReceived] == received)
            #expect(info[.notsentBytes] == 0 && info[.unacked] == 0)
        }
    }

    @Test(arguments: [LabNetwork.ipv4, .ipv6]) func `The memory is that of SO_MEMINFO`(network: LabNetwork) throws {
        try Lab.with { lab in
            let pair = try quietPair(lab, network)
            try pair.send([UInt8](repeating: 9, count: 5000), from: .accepted)
            try pair.settle()
            for socket in [pair.client, pair.accepted, pair.listener] {
                let bytes = try SocketOption.bytes(#require(socket.descriptor), SOL_SOCKET, SocketOption.memInfo)
                let words = bytes.withUnsafeBytes { Array($0.bindMemory(to: UInt32.self)) }
                let row = try lab.row(of: socket, extensions: .all)
                let memory = try #require(row.memory)
                #expect(words.count == 9)
                let decoded = [
                    memory.rmemAlloc, memory.rcvbuf, memory.wmemAlloc, memory.sndbuf, memory.fwdAlloc,
                    memory.wmemQueued,
                    memory.optmem, memory.backlog, memory.drops ?? .max,
                ]
                #expect(decoded == words)
                let queues = try #require(row.queueMemory)
                #expect(
                    [queues.receive, queues.send, queues.forward, queues.transmit] == [
                        words[0], words[5], words[4], words[2],
                    ]
                )
            }
            let row = try lab.row(of: pair.client, extensions: .memory)
            let memory = try #require(row.memory)
            #expect(row.receiveQueue == 15_103 && memory.rmemAlloc > 15_103)
        }
    }

    @Test(arguments: ["cubic", "bbr", "reno"]) func `The congestion control is the socket's`(name: String) throws {
        try Lab.with { lab in
            let pair = try quietPair(lab, .ipv4, congestion: name)
            let row = try lab.row(of: pair.client, extensions: .all)
            #expect(row.congestion == name)
            let bytes = try SocketOption.bytes(
                #require(pair.client.descriptor),
                SocketOption.tcp,
                SocketOption.congestionInfo
            )
            let attribute = row.attribute(.bbr) ?? row.attribute(.dctcp) ?? row.attribute(.vegas)
            #expect(attribute ?? [] == bytes)
            if name == "bbr" {
                guard case .bbr(let info) = row.congestionInfo else {
                    Issue.record("not BBR")
                    return
                }
                #expect(info.bandwidth > 0 && info.minRTT > 0 && info.pacingGain > 0 && info.cwndGain > 0)
            } else {
                #expect(row.congestionInfo == nil)
            }
        }
    }
}
