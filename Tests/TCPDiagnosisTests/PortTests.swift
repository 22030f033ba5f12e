internal import Glibc
internal import SockDiag
internal import SocketOwners
internal import TCPStateLab
internal import Testing

@testable internal import TCPDiagnosis

/// Ports that run out, and the limits of a machine.
@Suite struct PortTests {
    private static let ports = 20

    /// Takes every port there is to the listener; both sockets of each connection.
    private func exhaust(_ patient: Patient, _ listener: KernelSocket) throws -> [(client: Int32, server: Int32)] {
        try patient.lab.sysctl("net.ipv4.ip_local_port_range", "40000 \(40000 + Self.ports - 1)")
        let descriptor = try #require(listener.descriptor)
        return try (0..<Self.ports).map { _ in
            let client = try patient.connect(to: listener.local).get()
            return (client, accept(descriptor, nil, nil))
        }
    }

    private func isRefused(_ patient: Patient, _ listener: KernelSocket) -> Bool {
        patient.connect(to: listener.local) == .failure(Refusal(errno: EADDRNOTAVAIL))
    }

    @Test func `Exhausted ports are found, and a wider range gives new ones`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let listener = try patient.lab.listener(port: 8080)
        let connections = try exhaust(patient, listener)
        defer { for connection in connections { [connection.client, connection.server].forEach { close($0) } } }
        #expect(isRefused(patient, listener))
        let findings = try patient.findings()
        let finding = try findings.only(.portExhaustion)
        #expect(findings.count == 1, "\(findings.map(\.title))")
        #expect(finding.remote == listener.local)
        #expect(finding.owners?.map(\.pid) == [getpid()])
        #expect(finding["used"] == Self.ports)
        #expect(finding.remedy(.timeWaitReuse) == nil)
        try patient.follow(finding.remedy(.localPortRange))
        // More than there were: all of them connect.
        let more = try (0..<2 * Self.ports).map { _ in try patient.connect(to: listener.local).get() }
        for client in more { close(client) }
    }

    @Test func `Ports in TIME_WAIT are given again as recommended`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let listener = try patient.lab.listener(port: 8080)
        for connection in try exhaust(patient, listener) {
            close(connection.client)
            close(connection.server)
        }
        #expect(isRefused(patient, listener))
        let finding = try patient.findings().only(.portExhaustion)
        #expect(finding.title.contains("TIME_WAIT"))
        #expect(finding["time_wait"] == Self.ports)
        try patient.follow(finding.remedies.first)
        // A port is given again when its TIME_WAIT is a second old; kernel 6.14 can be set to less.
        let isNew = (try? patient.lab.sysctl("net.ipv4.tcp_tw_reuse_delay", 1)) != nil
        usleep(isNew ? 10_000 : 2_000_000)
        let descriptor = try #require(listener.descriptor)
        for _ in 0..<Self.ports {
            let client = try patient.connect(to: listener.local).get()
            close(client)
            close(accept(descriptor, nil, nil))
        }
        let findings = try patient.findings()
        #expect(findings.isEmpty, "\(findings.map(\.title))")
    }

    /// Ten destinations on the loopback device.
    private func destinations(_ patient: Patient) throws -> (all: [SocketEndpoint], listener: KernelSocket) {
        try patient.lab.sysctl("net.ipv4.ip_local_port_range", "40000 40099")
        let listener = try patient.lab.loopbackListener(port: 9000, isDualStack: true)
        let all = (1...10).map { SocketEndpoint(IPAddress(ipv4: 0x7f00_0100 + $0), port: listener.local.port) }
        return (all, listener)
    }

    private static let source = IPAddress(ipv4: 0x7f00_0005)

    @Test
    func `Ports of a source address that programs bind before they connect run out, and a late choice is the cure`()
        throws
    {
        let patient = try Patient()
        defer { patient.lab.close() }
        let (destinations, _) = try destinations(patient)
        var open: [Int32] = []
        defer { for descriptor in open { close(descriptor) } }
        var refusals: [Refusal] = []
        for number in 0..<150 {
            switch patient.connect(to: destinations[number % 10], from: Self.source) {
            case .success(let descriptor): open.append(descriptor)
            case .failure(let refusal): refusals.append(refusal)
            }
        }
        #expect(open.count == 100)
        #expect(refusals == Array(repeating: Refusal(errno: EADDRINUSE), count: 50))
        let findings = try patient.findings()
        let finding = try findings.only(.sourcePortExhaustion)
        #expect(findings.count == 1, "\(findings.map(\.title))")
        #expect(finding.local == SocketEndpoint(Self.source, port: 0))
        #expect(finding.remote == nil)
        #expect(finding.owners?.map(\.pid) == [getpid()])
        #expect(finding["used"] == 100)
        #expect(finding["destinations"] == 10)
        #expect(finding.remedies.first?.effect.contains("IP_BIND_ADDRESS_NO_PORT") == true)
    }

    @Test(arguments: [true, false])
    func `As many connections whose ports connect() chooses are healthy, bound to the address or not`(isBound: Bool)
        throws
    {
        let patient = try Patient()
        defer { patient.lab.close() }
        let (destinations, _) = try destinations(patient)
        var open: [Int32] = []
        defer { for descriptor in open { close(descriptor) } }
        for number in 0..<400 {
            let source = isBound ? Self.source : nil
            open.append(try patient.connect(to: destinations[number % 10], from: source, choosesLate: isBound).get())
        }
        let findings = try patient.findings()
        #expect(findings.isEmpty, "\(findings.map(\.title))")
    }

    @Test func `What is in TIME_WAIT keeps its port of the address too, and has no owner`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let (destinations, listener) = try destinations(patient)
        for number in 0..<90 {
            close(try patient.connect(to: destinations[number % 10], from: Self.source).get())
            try patient.lab.accepted(from: listener).close()
        }
        let finding = try patient.findings().only(.sourcePortExhaustion)
        #expect(finding["used"] == 90)
        #expect(finding["reserved"] == 90)
        #expect(finding["time_wait"] == 90)
        #expect(finding.owners == [])
    }

    @Test func `TIME_WAITs at tcp_max_tw_buckets are found`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        try patient.lab.sysctl("net.ipv4.tcp_max_tw_buckets", 1)
        let finding = try patient.findings {
            for _ in 0..<10 { try patient.lab.client(in: .timeWait) }
        }.only(.timeWaitOverflow)
        #expect(finding["limit"] == 1)
    }
}

extension Result<Int32, Refusal> {
    fileprivate static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.success, .success): true
        case (.failure(let left), .failure(let right)): left == right
        default: false
        }
    }
}
