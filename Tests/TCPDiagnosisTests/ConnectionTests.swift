internal import Glibc
internal import SockDiag
internal import SocketOwners
internal import TCPStateLab
internal import Testing

@testable internal import TCPDiagnosis

/// Connections that wait for a program, here or there.
@Suite struct ConnectionTests {
    private func thresholds(_ change: (inout Thresholds) -> Void) -> Thresholds {
        var thresholds = Thresholds()
        change(&thresholds)
        return thresholds
    }

    @Test func `A peer that has closed leads to the program that does not, and old age is asked for`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let listener = try patient.lab.listener()
        let leaked = try (0..<12).map { _ in try patient.lab.server(in: .closeWait, on: listener) }
        let young = try patient.findings()
        #expect(young.isEmpty, "\(young.map(\.title))")
        let all = thresholds { $0.closeWaitAge = .zero }
        let finding = try patient.findings(all).only(.closeWait)
        #expect(finding.owners?.map(\.pid) == [getpid()])
        #expect(finding["count"] == 12)
        #expect(finding.title.contains("process \(getpid())"))
        #expect(finding.remedies[0].view?.pid == getpid())
        #expect(finding.remedies[0].view?.namespace == patient.namespace)
        #expect(finding.remedies.allSatisfy { $0.command?.contains("tcpstates") != true })
        for connection in leaked.prefix(3) { connection.close() }
        let fewer = try patient.findings(all)
        #expect(fewer.isEmpty, "\(fewer.map(\.title))")
    }

    @Test func `CLOSE_WAIT has its direction: where it was opened to, and which listener it came to`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let listener = try patient.lab.listener()
        for _ in 0..<12 { try patient.lab.server(in: .closeWait, on: listener) }
        let clients = try (0..<11).map { _ in try patient.lab.client(in: .closeWait) }
        let findings = try patient.findings(thresholds { $0.closeWaitAge = .zero }).filter { $0.kind == .closeWait }
        try #require(findings.count == 2, "\(findings.map(\.title))")
        #expect(findings[0].local == listener.local)
        #expect(findings[0].remote == nil)
        #expect(findings[0]["count"] == 12)
        #expect(findings[0].title.contains("that came to \(listener.local)"))
        // Each to a port of its own: there is no one destination.
        #expect(findings[1].remote == nil)
        #expect(findings[1].local == nil)
        #expect(findings[1]["count"] == 11)
        #expect(findings[1]["destinations"] == 11)
        #expect(findings[1].title.contains("to 11 destinations"))
        listener.close()
        for client in clients { client.close() }
        let only = try patient.findings(thresholds { $0.closeWaitAge = .zero }).only(.closeWait)
        #expect(only["count"] == 12)
    }

    @Test
    func
        `Of connections in CLOSE_WAIT of which some are old both numbers are given, and those that all go to one place`()
        throws
    {
        let patient = try Patient()
        defer { patient.lab.close() }
        let server = try patient.lab.loopbackListener()
        let destination = SocketEndpoint(.loopbackIPv4, port: server.local.port)
        func leak(_ count: Int) throws {
            for _ in 0..<count {
                let client = try patient.lab.unconnected()
                try client.connect(to: destination)
                try patient.lab.accepted(from: server).close()
                try client.wait(until: .closeWait)
            }
        }
        try leak(15)
        var client = try SockDiagClient(in: patient.namespace)
        try patient.wait(for: "half a second of silence") {
            try client.sockets(SocketQuery(states: .closeWait, extensions: .info)).allSatisfy {
                $0.tcpInfo?[.lastAckRecv].map { $0 >= 500 } == true
            }
        }
        try leak(64)
        let finding = try patient.findings(thresholds { $0.closeWaitAge = .milliseconds(500) }).only(.closeWait)
        #expect(finding["count"].map { $0 >= 15 } == true)
        #expect(finding["in_close_wait"] == 79)
        #expect(finding.remote == destination)
        #expect(finding["end_not_read"] == finding["count"])
    }

    @Test func `What is said of the end is said of those that it is true of`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let listener = try patient.lab.listener()
        let leaked = try (0..<10).map { _ in try patient.lab.server(in: .closeWait, on: listener) }
        let all = thresholds { $0.closeWaitAge = .zero }
        #expect(try patient.findings(all).only(.closeWait).meaning.contains("it does not read"))
        for connection in leaked.prefix(3) { #expect(try #require(connection.socket).receive(1) == 0) }
        let some = try patient.findings(all).only(.closeWait)
        #expect(some["end_not_read"] == 7)
        #expect(some.meaning.contains("of 3 it has read the end"))
        #expect(some.meaning.contains("from 7 it does not read"))
        for connection in leaked.dropFirst(3) { #expect(try #require(connection.socket).receive(1) == 0) }
        #expect(try patient.findings(all).only(.closeWait).meaning.contains("it has read the end of all 10"))
    }

    @Test func `Peers that do not close are found in FIN_WAIT_2`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        for _ in 0..<6 { try patient.lab.client(in: .finWait2) }
        try patient.lab.client(in: .finWait2).close()
        let finding = try patient.findings(thresholds { $0.finWait2 = 5 }).only(.finWait2)
        #expect(finding["count"] == 7)
        #expect(finding["held"] == 6)
        #expect(finding.owners?.map(\.pid) == [getpid()])
        #expect(finding.remote?.address == LabNetwork.ipv4.peerEndpoint(port: 0).address)
    }

    @Test func `A destination that does not answer is found when SYNs are sent again`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let clients = try (0..<4).map { _ in try patient.lab.client(in: .synSent) }
        for client in clients { try client.peer.receive(.syn) }
        let findings = try patient.findings()
        let finding = try findings.only(.unanswered)
        #expect(findings.count == 1)
        #expect(finding.remote?.address == LabNetwork.ipv4.peerEndpoint(port: 0).address)
        #expect(finding.owners?.map(\.pid) == [getpid()])
        #expect(finding["repeated"] == 4)
    }

    @Test func `A program here that does not read is named`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let pair = try patient.lab.loopbackPair()
        let sender = try #require(pair.client.descriptor)
        let chunk = [UInt8](repeating: 7, count: 1 << 16)
        while send(sender, chunk, chunk.count, Int32(MSG_DONTWAIT)) > 0 {}
        // The last room in the buffer is filled by a timer of the sender's, and that the window is closed makes no event.
        var readers: [Finding] = []
        for _ in 0..<200 where readers.isEmpty {
            usleep(50_000)
            readers = try patient.findings(thresholds { $0.zeroWindow = 1 }).filter { $0.remote == nil }
        }
        let finding = try readers.only(.zeroWindow)
        #expect(finding.owners?.map(\.pid) == [getpid()])
        #expect(finding["unread_bytes"].map { $0 > 10_000 } == true)
    }

    @Test func `A peer that does not read is named`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let connection = try patient.lab.server()
        try connection.peer.send(.ack.window(0))
        let descriptor = try #require(connection.descriptor)
        try #require(send(descriptor, [1, 2, 3], 3, 0) == 3)
        try connection.peer.receive(.ack)
        try connection.peer.receive(.ack)
        let finding = try patient.findings(thresholds { $0.zeroWindow = 1 }).only(.zeroWindow)
        #expect(finding.remote?.address == connection.remote.address)
        #expect(finding.owners?.map(\.pid) == [getpid()])
    }

    @Test func `What is sent again and again is found, and to whom`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let connections = try (0..<10).map { _ in try patient.lab.server() }
        let wanted = thresholds { $0.retransmissionRate = 1 }
        let finding = try patient.findings(wanted) {
            for connection in connections {
                let descriptor = try #require(connection.descriptor)
                try #require(send(descriptor, [1, 2, 3], 3, 0) == 3)
            }
            for connection in connections {
                try connection.peer.receive([.psh, .ack])
                try connection.peer.receive([.psh, .ack])
            }
        }.only(.retransmissions)
        #expect(finding.remote?.address == connections[0].remote.address)
        #expect(finding["share_percent"].map { $0 >= 40 } == true)
    }
}
