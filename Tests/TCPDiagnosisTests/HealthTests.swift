internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPDiagnosis

/// A doctor who finds something on every healthy machine is asked no second time.
@Suite struct HealthTests {
    @Test func `A quiet namespace has nothing wrong`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        try patient.lab.listener()
        let pair = try patient.lab.loopbackPair()
        try patient.lab.server(in: .closeWait)
        try patient.lab.client(in: .timeWait)
        try patient.lab.server(in: .synReceived)
        let findings = try patient.findings { try pair.send([1, 2, 3], from: .client) }
        #expect(findings.isEmpty, "\(findings.map(\.title))")
    }

    @Test(arguments: [0, 1, 2])
    func `Thousands of connections that come and go leave nothing wrong`(syncookies: Int) throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        try patient.lab.sysctl("net.ipv4.tcp_syncookies", syncookies)
        let listener = try patient.lab.loopbackPair().listener
        let descriptor = try #require(listener.descriptor)
        let server = SocketEndpoint(.loopbackIPv4, port: listener.local.port)
        var doctor = try Doctor(of: patient.namespace)
        let clock = ContinuousClock()
        for round in 0..<3 {
            let time = try clock.measure {
                for number in 0..<5000 {
                    let client = try patient.connect(to: server).get()
                    let accepted = accept(descriptor, nil, nil)
                    // Now the client closes first, now the server.
                    close(number % 2 == 0 ? client : accepted)
                    close(number % 2 == 0 ? accepted : client)
                }
            }
            let findings = try doctor.examine()
            #expect(findings.isEmpty, "round \(round), 5000 connections in \(time): \(findings.map(\.title))")
        }
    }

    @Test func `Reserved ports are none to choose from, and what is no number is no setting`() {
        let settings = KernelSettings([
            .localPortRange: "40000\t40099\n", .reservedPorts: "1,40000-40009,40050,x,9-3,50000\n",
            .synAckRetries: "many",
            .memory: "99999999999999999999 9223372036854775807 3",
        ])
        #expect(settings.ephemeralPorts?.count == 100)
        #expect(settings.ephemeralPortCount == 89)
        #expect(settings.halfOpenSeconds == nil)
        #expect(settings.values(of: .memory) == [1 << 40, 3])
    }

    @Test(arguments: [(15, nil, 924), (8, nil, 102), (0, nil, 0), (15, "1000", 14), (.max, "0", 0)])
    func `What nobody acknowledges lasts as long as the kernel reckons`(retries: Int, longest: String?, seconds: Int) {
        let settings = KernelSettings(longest.map { [.rtoMax: $0] } ?? [:])
        #expect(settings.unacknowledgedSeconds(retries: retries) == seconds)
    }

    @Test func `Counters are read from the kernel's tables, whatever else is in them`() {
        let counters = KernelCounters(
            tables: """
                Ip: InReceives OutRequests
                Ip: 1 2
                Tcp: MaxConn OutSegs RetransSegs
                Tcp: -1 700 18446744073709551615
                TcpExt: SyncookiesSent ListenOverflows
                TcpExt: 5
                TcpExt
                """
        )
        #expect(counters[.segmentsOut] == 700)
        #expect(counters[.retransmitted] == .max)
        #expect(counters[.cookiesSent] == 5)
        #expect(counters[.acceptQueueOverflows] == nil)
    }
}
