internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPDiagnosis

@Suite struct HostTests {
    private func endpoint(_ address: String, _ interface: UInt32? = nil) throws -> SocketEndpoint {
        let scope = interface.map { NetworkInterface(rawValue: $0) }
        return SocketEndpoint(try #require(IPAddress(address)), port: 80, scope: scope)
    }

    @Test func `An address of the link is another host on each interface, and names it`() throws {
        let (first, second) = (try Host(of: endpoint("fe80::1", 2)), try Host(of: endpoint("fe80::1", 3)))
        #expect(first != second)
        #expect(first < second)
        #expect(first.description == "fe80::1%2")
        #expect(first.endpoint(port: 443).description == "[fe80::1%2]:443")
        #expect(try Host(of: endpoint("::ffff:192.0.2.1")) == Host(of: endpoint("192.0.2.1")))
    }

    /// Two interfaces, beyond each of which the same address is that nobody answers for.
    @Test func `Of two peers with one address the doctor makes two findings`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let interfaces = """
            for i in 1 2; do
                ip link add here$i type veth peer name there$i || exit 77
                ip link set here$i up; ip link set there$i up
                ip -6 address add fe80::1$i/64 dev here$i nodad
                ip -6 neighbour add fe80::99 lladdr 02:00:00:00:00:99 dev here$i
            done
            """
        let made = try patient.lab.spawn("/bin/sh", ["-c", interfaces])
        if made.status == .exited(77) { try Test.cancel("this kernel has no veth: \(made.standardError)") }
        let code = """
            import socket, sys, time
            held = []
            for i in range(24):
                s = socket.socket(socket.AF_INET6); s.setblocking(False)
                s.connect_ex(("fe80::99", 80, 0, socket.if_nametoindex("here%d" % (i % 2 + 1)))); held.append(s)
            print("ready", flush=True)
            sys.stdin.read()
            """
        let program = try patient.lab.run { try Program(["/usr/bin/python3", "-c", code]) }
        try #require(program.readLine() == "ready")
        // Every SYN has been sent once more.
        while try patient.lab.run({ () throws(KernelError) in
            var client = try SockDiagClient()
            return try client.sockets(in: .synSent).contains { $0.timer?.retransmits ?? 0 == 0 }
        }) { sched_yield() }
        var thresholds = Thresholds()
        thresholds.unanswered = 10
        let namespace = try NetworkNamespace(path: patient.lab.namespace.path)
        var doctor = try Doctor(of: namespace, thresholds: thresholds)
        let found = try doctor.examine().filter { $0.kind == .unanswered }
        #expect(found.count == 2)
        #expect(Set(found.compactMap { $0.remote?.scope }).count == 2)
    }
}
