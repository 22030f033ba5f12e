internal import Glibc
internal import SockDiag
internal import SocketOwners
internal import TCPStateLab
internal import Testing

@testable internal import TCPWatch

@Suite("With tracepoints, the watcher's choices hold", .timeLimit(.minutes(30)))
struct TraceSelectionTests {
    @Test(
        arguments: [
            ("state established", ["SYN_SENT>ESTABLISHED", "ESTABLISHED>FIN_WAIT_1"]),
            ("state time-wait", ["FIN_WAIT_2>TIME_WAIT"]),
            ("uid = \(getuid()) and dport > 0", nil), ("dport = 1 or sport = 1", []),
        ] as [(String, [String]?)]
    )
    func `A transition is reported where the filter finds the socket before it or after it`(
        filter: String,
        expected: [String]?
    ) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let filter = try SocketFilter(filter)
        let watch = try TraceWatch(lab) { $0.filter = filter }
        let connection = try lab.client(in: .timeWait)
        var reported = watch.receive()
        if reported.last?.to != .timeWait { reported += try watch.wait(within: .seconds(1)) { $0.to == .timeWait } }
        let whole = [
            "CLOSED>SYN_SENT", "SYN_SENT>ESTABLISHED", "ESTABLISHED>FIN_WAIT_1", "FIN_WAIT_1>FIN_WAIT_2",
            "FIN_WAIT_2>TIME_WAIT",
        ]
        #expect(reported.paths == expected ?? whole)
        #expect(reported.allSatisfy { $0.identity.remote == connection.remote })
    }

    @Test func `A filter on ports is tested by the programs, and keeps whole lives`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let wanted = try lab.listener(port: 4000)
        let other = try lab.listener(port: 4001)
        let filter = try SocketFilter("sport = 4000")
        #expect(filter.necessaryPorts?.local == [4000])
        let watch = try TraceWatch(lab) { $0.filter = filter }
        let connections = try [wanted, other].map { try lab.server(in: .closeWait, on: $0) }
        let reported = try watch.receive() + watch.poll()
        #expect(reported.paths == ["CLOSED>SYN_RCVD", "SYN_RCVD>ESTABLISHED", "ESTABLISHED>CLOSE_WAIT"])
        #expect(reported.allSatisfy { $0.identity.remote == connections[0].remote })
        #expect(reported.map(\.certainty) == [.derived, .exact, .exact])
    }

    @Test(
        arguments: [
            ("sport = 1 and state established", [1], []), ("sport = 1 or dport = 2", [1], [2]),
            ("dst 127.0.0.1:80 and (sport = 1 or sport = 2)", [], [80]), ("src :80 or uid = 0", nil, nil),
            ("not sport = 1", nil, nil), ("sport > 1", nil, nil), ("sport = 1 and dport = 1 or dport = 3", [1], [3]),
        ] as [(String, Set<UInt16>?, Set<UInt16>?)]
    )
    func `No port that a filter needs is left out`(text: String, local: Set<UInt16>?, remote: Set<UInt16>?) throws {
        let ports = try SocketFilter(text).necessaryPorts
        #expect(ports?.local == local)
        #expect(ports?.remote == remote)
    }

    @Test(arguments: ["rtt > 1us", "retrans >= 0", "recvq > 0", "sport = 1 or sendq = 0", "fwmark = 1", "inode = 5"])
    func `What no transition shows, the tracepoints are not asked for`(text: String) throws {
        try TraceWatch.cancelUnlessPermitted()
        let lab = try Lab.orCancel()
        defer { lab.close() }
        var configuration = SocketWatcher.Configuration()
        configuration.source = .auto
        configuration.filter = try SocketFilter(text)
        let wanted = configuration
        let watcher = try lab.run { try SocketWatcher(wanted) }
        #expect(!watcher.isTracing)
        #expect(watcher.traceRefusal?.detail == "dumps alone report what it asks for")
        configuration.source = .trace
        let traced = configuration
        let error = #expect(throws: KernelError.self) { try lab.run { _ = try SocketWatcher(traced) } }
        #expect(error?.code == .invalidRequest)
    }

    @Test func `Owners are found for connections that no dump has shown`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try TraceWatch(lab) { $0.resolvesOwners = true }
        let pair = try lab.loopbackPair()
        _ = try watch.wait(within: .milliseconds(200)) { _ in false }
        watch.resolveOwners()
        pair.client.close()
        let reported = try watch.wait { $0.to == .closeWait }
        #expect(reported.allSatisfy { $0.owners.first?.pid == getpid() })
        #expect(reported.count >= 2)
    }

    @Test func `Several namespaces are kept apart, though their connections have the same endpoints`() async throws {
        try TraceWatch.cancelUnlessPermitted()
        let labs = try (0..<3).map { _ in try Lab.orCancel() }
        defer { for lab in labs { lab.close() } }
        var configuration = SocketWatcher.Configuration()
        configuration.source = .trace
        configuration.namespaces = try labs.map { try NetworkNamespace(path: $0.namespace.path) }
        let watcher = try SocketWatcher(configuration)
        #expect(watcher.isTracing)
        var events = watcher.makeAsyncIterator()
        while let event = try await events.next() { if case .ready = event { break } }
        var cookies: [NetworkNamespace: Set<SocketCookie>] = [:]
        for (lab, namespace) in zip(labs, configuration.namespaces) {
            let server = try lab.server(in: .established, on: lab.listener(port: 4000))
            cookies[namespace] = [try lab.cookie(of: server), try #require(server.listener).cookie()]
            try server.peer.send(.rst)
        }
        var reported: [Transition] = []
        while reported.count(where: { $0.to == .closed }) < 3, let transition = try await events.transition() {
            reported.append(transition)
        }
        watcher.stop()
        #expect(reported.count == 12)
        for (namespace, names) in cookies {
            let transitions = reported.filter { $0.namespace == namespace }
            #expect(
                transitions.paths == [
                    "CLOSED>LISTEN", "CLOSED>SYN_RCVD", "SYN_RCVD>ESTABLISHED", "ESTABLISHED>CLOSED",
                ]
            )
            #expect(Set(transitions.map(\.identity.cookie)) == names)
        }
    }

    @Test func `An ordinary user with two capabilities traces, and leaves nothing behind`() throws {
        try TraceWatch.cancelUnlessPermitted()
        let lab = try Lab.orCancel()
        defer { lab.close() }
        guard Program.isRoot else { try Test.cancel("only root can become another user") }
        let capabilities = ["--inh-caps=-all,+bpf,+perfmon", "--ambient-caps=-all,+bpf,+perfmon"]
        let user = [Program.asNobody[0]] + capabilities + Program.asNobody.dropFirst()
        let program = try lab.run { try Program(user + [Program.probe, "watch", "trace"]) }
        #expect(program.readLine() == "ready")
        let listener = try lab.listener()
        #expect(program.readLine() == "transition CLOSED LISTEN")
        let connection = try lab.server(in: .established, on: listener)
        #expect(program.readLine() == "transition CLOSED SYN_RCVD")
        #expect(program.readLine() == "transition SYN_RCVD ESTABLISHED")
        try connection.peer.send(.rst)
        #expect(program.readLine() == "transition ESTABLISHED CLOSED")
        listener.close()
        #expect(program.readLine() == "transition LISTEN CLOSED")
        #expect(program.finish().prefix(2) == ["end", "threads 0 descriptors 0"])
    }

    @Test func `Without the capabilities tracing is refused in one line, and auto goes on without`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let user = Program.isRoot ? Program.asNobody : []
        let refused = try lab.run { try Program(user + [Program.probe, "watch", "trace"]).finish() }
        #expect(refused.first?.hasPrefix("cannot trace the kernel: it needs CAP_BPF and CAP_PERFMON; ") == true)
        let program = try lab.run { try Program(user + [Program.probe, "watch", "auto"]) }
        #expect(program.readLine() == "ready")
        let listener = try lab.listener()
        #expect(program.readLine() == "transition CLOSED LISTEN")
        listener.close()
        #expect(program.finish().contains("end"))
    }
}
