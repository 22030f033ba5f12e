internal import Glibc
internal import SockDiag
internal import SocketOwners
internal import TCPStateLab
internal import Testing

@testable internal import TCPDiagnosis

/// Peers that are gone or do not read, and connections on which nobody would notice.
@Suite struct PeerTests {
    private func send(_ connections: [Connection]) throws {
        for connection in connections { try #require(connection.socket).send(3) }
    }

    @Test func `A peer that is gone is found with whose data waits, since when, and when the kernel gives up`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let clients = try (0..<4).map { _ in try patient.lab.client() }
        try patient.lab.sysctl("net.ipv4.tcp_retries2", 15)
        try send(clients)
        // What is sent first, and four times again.
        for client in clients { for _ in 0..<5 { try client.peer.receive([.psh, .ack]) } }
        var thresholds = Thresholds()
        thresholds.unacknowledgedAge = .seconds(1)
        thresholds.unacknowledged = 1
        let findings = try patient.findings(thresholds).filter { $0.kind == .unacknowledged }
        // Opened here: each goes to a destination of its own.
        #expect(Set(findings.map(\.remote)) == Set(clients.map(\.remote)))
        for finding in findings {
            #expect(finding["count"] == 1)
            #expect(finding.owners?.map(\.pid) == [getpid()])
            #expect(finding["attempts"].map { $0 >= 3 } == true)
            #expect(finding["unacknowledged_bytes"] == 3)
            #expect(finding["gives_up_seconds"] == 924)
            #expect(
                finding["unanswered_seconds"].flatMap { unanswered in finding["silent_seconds"].map { unanswered <= $0 }
                } == true
            )
            #expect(finding.remedies[0].view?.filter != nil)
        }
        for client in clients { try client.peer.send(.ack) }
        let after = try patient.findings(thresholds)
        #expect(after.isEmpty, "\(after.map(\.title))")
    }

    @Test func `Clients that are gone are found by their address, and what they are told is true of all`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let listener = try patient.lab.listener()
        let dead = try (0..<3).map { _ in try patient.lab.server(on: listener) }
        let alive = try (0..<3).map { _ in try patient.lab.server(on: listener) }
        try send(dead + alive)
        for connection in alive {
            try connection.peer.receive([.psh, .ack])
            try connection.peer.send(.ack)
        }
        for connection in dead { for _ in 0..<5 { try connection.peer.receive([.psh, .ack]) } }
        var thresholds = Thresholds()
        thresholds.unacknowledgedAge = .seconds(1)
        let finding = try patient.findings(thresholds).only(.unacknowledged)
        #expect(finding["count"] == 3)
        #expect(finding.remote == SocketEndpoint(dead[0].remote.address, port: 0))
    }

    @Test
    func `Clients of several addresses that are gone are found by their listener, where they are many of its clients`()
        throws
    {
        let patient = try Patient()
        defer { patient.lab.close() }
        let listener = try patient.lab.listener(over: .ipv4Mapped)
        let dead = try [LabNetwork.ipv4Mapped, .ipv6, .linkLocal].map { try patient.lab.server(over: $0, on: listener) }
        try patient.send(dead, times: 5)
        let thresholds = Thresholds.with { $0.unacknowledgedAge = .seconds(1) }
        let finding = try patient.findings(thresholds).only(.unacknowledged)
        #expect(finding.local == listener.local)
        #expect(finding.remote == nil)
        #expect(finding["count"] == 3)
        #expect(finding["peers"] == 3)
        // A few among many are what any server has.
        for _ in 0..<30 { try patient.lab.server(on: listener) }
        let among = try patient.findings(thresholds)
        #expect(among.isEmpty, "\(among.map(\.title))")
    }

    @Test func `What the kernel says of the age is never more than it is`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let server = try patient.lab.server()
        let start = ContinuousClock.now
        try send([server])
        for _ in 0..<4 { try server.peer.receive([.psh, .ack]) }
        let survey = try Survey(of: patient.namespace, since: Survey(of: patient.namespace, since: nil))
        let passed = ContinuousClock.now - start
        let waiting = try #require(survey.unacknowledged.first)
        #expect(waiting.attempts >= 3)
        #expect(.milliseconds(Int64(waiting.unansweredMilliseconds)) <= passed)
        // 200, 400 and 800 ms have passed; ticks of the kernel's clock may be missing.
        #expect(waiting.unansweredMilliseconds >= 1000)
    }

    @Test(arguments: [true, false])
    func `A peer that keeps its window closed is found, whether it answers the probes or not`(answers: Bool) throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let clients = try (0..<3).map { _ in try patient.lab.server() }
        for client in clients { try client.peer.send(.ack.window(0)) }
        try send(clients)
        for _ in 0..<3 {
            for client in clients {
                try client.peer.receive(.ack)
                if answers { try client.peer.send(.ack.window(0)) }
            }
        }
        let finding = try patient.findings().only(.zeroWindow)
        #expect(finding["count"] == 3)
        #expect(finding["unanswered"] == (answers ? 0 : 3))
        #expect(finding["unsent_bytes"] == 9)
        #expect(finding.remote == SocketEndpoint(clients[0].remote.address, port: 0))
        for client in clients { try client.peer.send(.ack) }
        let after = try patient.findings()
        #expect(after.isEmpty, "\(after.map(\.title))")
    }

    @Test func `Idle connections are found only where an age is asked for, and only those without keepalive`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let listener = try patient.lab.listener()
        let idle = try (0..<10).map { _ in try patient.lab.server(on: listener) }
        let clients = try (0..<2).map { _ in try patient.lab.client() }
        var thresholds = Thresholds()
        #expect(try patient.findings(thresholds).isEmpty)
        thresholds.idleAge = .zero
        let finding = try patient.findings(thresholds).only(.idle)
        #expect(finding["count"] == 10)
        #expect(finding.local == listener.local)
        #expect(finding.owners?.map(\.pid) == [getpid()])
        for connection in idle {
            setOption(try #require(connection.descriptor), SOL_SOCKET, SO_KEEPALIVE, 1)
        }
        let kept = try patient.findings(thresholds)
        #expect(kept.isEmpty, "\(kept.map(\.title))")
        thresholds.idleAge = .seconds(6 * 3600)
        for client in clients { setOption(try #require(client.descriptor), SOL_SOCKET, SO_KEEPALIVE, 0) }
        #expect(try patient.findings(thresholds).isEmpty)
    }
}
