internal import Glibc
internal import SockDiag
internal import SocketOwners
internal import TCPStateLab
internal import Testing

@testable internal import TCPDiagnosis

/// Floods of SYNs that nobody completes, and what the advice against them does for honest clients.
@Suite struct FloodTests {
    private static let backlog: Int32 = 64
    private static let clients = 20

    /// A listener whose queue of half-open requests is full, as `tcp_syncookies` lets it be.
    private func flooded(_ patient: Patient, syncookies: Int) throws -> KernelSocket {
        try patient.lab.sysctl("net.ipv4.tcp_syncookies", syncookies)
        let listener = try patient.lab.listener(backlog: Self.backlog)
        try patient.sendSYNs(Int(Self.backlog) + 36, to: listener)
        return listener
    }

    @Test func `Without SYN cookies, listener, owner, drops and the remedy are named, and the remedy lets clients in`()
        throws
    {
        let patient = try Patient()
        defer { patient.lab.close() }
        let listener = try flooded(patient, syncookies: 0)
        let findings = try patient.findings { try patient.sendSYNs(30, to: listener) }
        let flood = try findings.only(.halfOpenFlood)
        #expect(findings.count == 1)
        #expect(flood.local == listener.local)
        #expect(flood.owners?.map(\.pid) == [getpid()])
        #expect(flood.title.contains("new clients are refused"))
        let halfOpen = try patient.lab.procNetTCP().filter { $0.state == .synReceived }.count
        // Kernels differ by the one that is let in beyond the limit.
        #expect((64...65).contains(halfOpen))
        #expect(flood["half_open"] == halfOpen)
        #expect(flood["limit"] == 64)
        #expect(flood["stuck"] == halfOpen)
        #expect(flood["dropped_per_second"].map { $0 > 0 } == true)
        #expect(flood["sources"] == 1)

        let before = try patient.connected(Self.clients, to: listener)
        try patient.follow(flood.remedy(.synCookies))
        let after = try patient.connected(Self.clients, to: listener)
        #expect(before == 0)
        #expect(after == Self.clients)
    }

    @Test func `A larger backlog lets clients in while the flood is smaller than it`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        try patient.lab.sysctl("net.core.somaxconn", Self.backlog)
        let listener = try flooded(patient, syncookies: 0)
        let flood = try patient.findings().only(.halfOpenFlood)
        let before = try patient.connected(Self.clients, to: listener)
        try patient.follow(flood.remedy(.somaxconn))
        let descriptor = try #require(listener.descriptor)
        try #require(listen(descriptor, 4096) == 0)
        let after = try patient.connected(Self.clients, to: listener)
        #expect(before == 0)
        #expect(after == Self.clients)
    }

    @Test func `Without SYN cookies tcp_max_syn_backlog ends the queue earlier, and raising it helps`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        try patient.lab.sysctl("net.ipv4.tcp_max_syn_backlog", 64)
        try patient.lab.sysctl("net.ipv4.tcp_syncookies", 0)
        let listener = try patient.lab.listener(backlog: 256)
        try patient.sendSYNs(100, to: listener)
        let flood = try patient.findings().only(.halfOpenFlood)
        #expect(flood["limit"] == 48)
        #expect(flood["half_open"] == 49)
        let before = try patient.connected(Self.clients, to: listener)
        try patient.follow(flood.remedy(.maxSYNBacklog))
        let after = try patient.connected(Self.clients, to: listener)
        #expect(before == 0)
        #expect(after == Self.clients)
    }

    @Test func `With SYN cookies tcp_max_syn_backlog does nothing, and is not recommended`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        try patient.lab.sysctl("net.ipv4.tcp_max_syn_backlog", 16)
        let listener = try patient.lab.listener(backlog: 64)
        try patient.sendSYNs(100, to: listener)
        let flood = try patient.findings().only(.halfOpenFlood)
        #expect(flood["half_open"].map { $0 >= 64 } == true)
        #expect(flood["limit"] == 64)
        #expect(flood.remedy(.maxSYNBacklog) == nil)
    }

    @Test func `Fewer retries empty the queue of a flood that has ended`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let listener = try flooded(patient, syncookies: 0)
        let flood = try patient.findings().only(.halfOpenFlood)
        let before = try patient.connected(Self.clients, to: listener)
        try patient.follow(flood.remedy(.synAckRetries))
        // A request that ends makes no event; with the laboratory's 255 retries none would within hours.
        let clock = ContinuousClock()
        let start = clock.now
        while try patient.lab.procNetTCP().contains(where: { $0.state == .synReceived }) {
            try #require(clock.now - start < .seconds(30), "the requests do not end")
            usleep(50_000)
        }
        let after = try patient.connected(Self.clients, to: listener)
        #expect(before == 0)
        #expect(after == Self.clients)
    }

    @Test func `What tcp_synack_retries costs: with 0 one lost ACK cuts an honest client off, with 1 it does not`()
        throws
    {
        let patient = try Patient()
        defer { patient.lab.close() }
        let listener = try patient.lab.listener()
        try patient.lab.sysctl("net.ipv4.tcp_synack_retries", 1)
        let lucky = try patient.lab.peer(of: listener)
        try lucky.send(.syn)
        try lucky.receive(.synAck)
        // Its ACK is lost. The SYN+ACK comes again, and is acknowledged again.
        try lucky.receive(.synAck)
        try lucky.send(.ack)
        #expect(try patient.lab.procNetTCP().first { $0.remote == lucky.endpoint }?.state == .established)

        try patient.lab.sysctl("net.ipv4.tcp_synack_retries", 0)
        let unlucky = try patient.lab.peer(of: listener)
        try unlucky.send(.syn)
        try unlucky.receive(.synAck)
        // Its ACK is lost too. It takes itself for connected and sends, when the server has forgotten it.
        let clock = ContinuousClock()
        let start = clock.now
        while try patient.lab.procNetTCP().contains(where: { $0.remote == unlucky.endpoint }) {
            try #require(clock.now - start < .seconds(10), "the request does not end")
            usleep(20_000)
        }
        try unlucky.send(.data([1, 2, 3]))
        try unlucky.receive(.rst)
        #expect(try unlucky.unread().isEmpty)
    }

    @Test func `With SYN cookies the flood is named, and that clients get in`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let listener = try flooded(patient, syncookies: 1)
        let flood = try patient.findings { try patient.sendSYNs(30, to: listener) }.only(.halfOpenFlood)
        #expect(flood.local == listener.local)
        #expect(flood.owners?.map(\.pid) == [getpid()])
        #expect(flood.title.contains("SYN cookies let clients in"))
        #expect(flood["cookies_per_second"].map { $0 > 0 } == true)
        #expect(flood.remedy(.synCookies) == nil)
        #expect(try patient.connected(Self.clients, to: listener) == Self.clients)
    }

    @Test func `With SYN cookies for every SYN there are no requests, and the flood is found all the same`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let listener = try flooded(patient, syncookies: 2)
        #expect(try patient.lab.procNetTCP().allSatisfy { $0.state == .listen })
        let flood = try patient.findings { try patient.sendSYNs(300, to: listener) }.only(.halfOpenFlood)
        #expect(flood.local == listener.local)
        #expect(flood.owners?.map(\.pid) == [getpid()])
        #expect(flood["answered_per_second"] == 0)
        #expect(try patient.connected(Self.clients, to: listener) == Self.clients)
    }

    @Test func `Cookies that come back are no flood`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        try patient.lab.sysctl("net.ipv4.tcp_syncookies", 2)
        let listener = try patient.lab.listener()
        let findings = try patient.findings { _ = try patient.connected(300, to: listener) }
        #expect(findings.isEmpty, "\(findings.map(\.title))")
    }

    @Test(arguments: [LabNetwork.ipv6, .ipv4Mapped])
    func `The listener is found over IPv6 and for all addresses`(_ network: LabNetwork) throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let listener = try patient.lab.listener(over: network, backlog: 16)
        let quiet = try patient.lab.listener(over: network)
        for _ in 0..<20 { try patient.lab.peer(of: listener, over: network).send(.syn) }
        try patient.lab.peer(of: quiet, over: network).send(.syn)
        let flood = try patient.findings().only(.halfOpenFlood)
        #expect(flood.local?.port == listener.local.port)
        #expect(flood["half_open"].map { (16...17).contains($0) } == true)
    }
}
