import Glibc
import SockDiag
import Testing

@testable import TCPStateLab

/// Which timer a socket waits for, how long, and how often it has fired; and what waits in its queues meanwhile.
struct TimerTests {
    @Test func `An unanswered SYN waits to be sent again`() throws {
        try Lab.with { lab in
            let client = try lab.client(in: .synSent)
            let timer = try #require(try lab.row(of: client).timer)
            #expect(timer.kind == .retransmission && timer.retransmits == 0)
            #expect((1...1100).contains(timer.milliseconds), "TCP_TIMEOUT_INIT is a second")
            try client.peer.receive(.syn)
            let row = try lab.row(of: client, extensions: .info)
            #expect(row.timer?.kind == .retransmission && row.timer?.retransmits == 1)
            #expect(row.retransmits == 1)
            #expect(row.tcpInfo?[.retransmits] == 1)
        }
    }

    @Test func `A half-open request counts its SYN+ACKs`() throws {
        try Lab.with { lab in
            let server = try lab.server(in: .synReceived)
            let first = try #require(try lab.row(of: server).timer)
            #expect(first.kind == .retransmission && first.retransmits == 0)
            #expect((1...1100).contains(first.milliseconds))
            try server.peer.receive(.synAck)
            let second = try #require(try lab.row(of: server).timer)
            #expect(second.kind == .retransmission && second.retransmits == 1)
            #expect((1001...2200).contains(second.milliseconds), "each time twice as long")
        }
    }

    @Test func `Keepalive is a timer of its own with the time that was set`() throws {
        try Lab.with { lab in
            let client = try lab.client()
            let descriptor = try #require(client.descriptor)
            #expect(try lab.row(of: client).timer == nil)
            try SocketOption.set(descriptor, SocketOption.tcp, TCP_KEEPIDLE, 5000)
            try SocketOption.set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
            let timer = try #require(try lab.row(of: client).timer)
            #expect(timer.kind == .keepalive && timer.retransmits == 0)
            #expect((4_900_000...5_010_000).contains(timer.milliseconds))
        }
    }

    @Test func `A closed window is probed and the data waits in the queue`() throws {
        try Lab.with { lab in
            let client = try lab.client()
            try client.peer.send(.ack.window(0))
            #expect(send(try #require(client.descriptor), "held", 4, 0) == 4)
            let row = try lab.row(of: client, extensions: [.info, .memory])
            #expect(row.timer?.kind == .windowProbe && row.timer?.retransmits == 0)
            #expect(row.sendQueue == 4)
            #expect(row.tcpInfo?[.notsentBytes] == 4 && row.tcpInfo?[.sndWnd] == 0)
            try client.peer.receive("a probe of the window") { $0.flags.contains(.ack) }
            let probed = try lab.row(of: client, extensions: .info)
            #expect(probed.timer?.kind == .windowProbe && probed.timer?.retransmits == 1)
            #expect(probed.tcpInfo?[.probes] == 1)
            try client.peer.send(.ack)
            let opened = try lab.row(of: client)
            #expect(opened.timer?.kind == .retransmission, "the data is on its way")
        }
    }

    @Test func `Unread and unacknowledged bytes are counted on their own sides`() throws {
        try Lab.with { lab in
            let client = try lab.client(over: .ipv6)
            try client.peer.send(.data([1, 2, 3]))
            #expect(send(try #require(client.descriptor), "12345", 5, 0) == 5)
            let row = try lab.row(of: client, extensions: .info)
            #expect((row.receiveQueue, row.sendQueue) == (3, 5))
            #expect(row.tcpInfo?[.bytesReceived] == 3 && row.tcpInfo?[.unacked] == 1)
            try client.peer.send(.ack)
            #expect(try lab.row(of: client).sendQueue == 0)
        }
    }

    @Test func `What the peer offered is what the measurements say`() throws {
        try Lab.with { lab in
            let options: [SegmentOption] = [.maximumSegmentSize(1000), .windowScale(9), .sackPermitted, .timestamps(1)]
            for connection in [try lab.client(offering: options), try lab.server(offering: options)] {
                let info = try #require(try lab.row(of: connection, extensions: .info).tcpInfo)
                #expect(info.options == [.timestamps, .sack, .windowScale])
                #expect(info[.sndWscale] == 9 && info[.rcvWscale] != 9)
                #expect(info[.sndMss] == 1000 - 12, "less the timestamps of each segment")
                #expect(info[.advmss] == 1460 - 12)
            }
            let plain = try #require(try lab.row(of: lab.client(), extensions: .info).tcpInfo)
            #expect(plain.options == [] && plain[.sndWscale] == 0 && plain[.rcvWscale] == 0)
        }
    }

    @Test func `TIME_WAIT ends within a minute`() throws {
        try Lab.with { lab in
            let timer = try #require(try lab.row(of: lab.client(in: .timeWait)).timer)
            #expect(timer.kind == .timeWait && (50_000...60_000).contains(timer.milliseconds))
        }
    }
}
