internal import Glibc
internal import LinuxSystem
internal import SockDiag
internal import Synchronization
internal import TCPStateLab
internal import TCPWatch
internal import Testing

/// What is processed from a socket's backlog runs in the process that holds the socket, and is not its doing.
@Suite("A process is reported with the transitions that its calls make, and with no other", .timeLimit(.minutes(30)))
struct PIDTests {
    /// Whether a call makes such a transition, as the scripts below make them: only a client aborts.
    private func isCall(_ transition: Transition, clients: Set<SocketCookie>) -> Bool {
        switch (transition.from, transition.to) {
        case (_, .synSent), (_, .listen), (.listen, _), (_, .finWait1), (_, .lastAck): true
        case (.established, .closed): clients.contains(transition.identity.cookie)
        default: false
        }
    }

    @Test func `Segments that a busy reader processes have no process, its own calls have it`() async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try AwaitedWatch(lab, .trace)
        try await watch.begin()
        let listener = try lab.loopbackListener()
        var clients: Set<SocketCookie> = []
        for _ in 0..<60 { clients.insert(try lab.converse(with: listener)) }
        for _ in 0..<20 { clients.insert(try lab.converse(with: listener, aborting: true)) }
        let cookie = try listener.cookie()
        listener.close()
        try await watch.transition(of: cookie, to: .closed)
        var faults: [String: Int] = [:]
        var counts: [String: Int] = [:]
        for transition in watch.reported where transition.certainty == .exact {
            let expected = isCall(transition, clients: clients) ? getpid() : nil
            counts[transition.path, default: 0] += 1
            guard transition.pid != expected else { continue }
            faults["\(transition.path) has pid \(transition.pid?.description ?? "none")", default: 0] += 1
        }
        #expect(faults.isEmpty)
        // The four that the kernel takes on its own, and the calls, have all been there.
        for path in [
            "ESTABLISHED>CLOSE_WAIT", "SYN_SENT>ESTABLISHED", "FIN_WAIT_1>FIN_WAIT_2", "SYN_RCVD>ESTABLISHED",
            "CLOSED>SYN_SENT", "ESTABLISHED>FIN_WAIT_1", "CLOSE_WAIT>LAST_ACK",
        ] {
            #expect(counts[path, default: 0] > 50, "\(path)")
        }
        #expect(counts["ESTABLISHED>CLOSED", default: 0] > 10)
        // What is computed from another transition is nobody's call.
        #expect(watch.reported.allSatisfy { $0.certainty == .exact || $0.pid == nil })
    }

    @Test func `The process that is reported is the one that called, not the one that watches`() async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try AwaitedWatch(lab, .trace) { $0.resolvesOwners = true }
        try await watch.begin()
        let words = ["pair", "send", "1000", "close", "client", "close", "accepted", "close", "listener"]
        let program = try lab.run { try Program([Program.probe, "script"] + words) }
        try await watch.reported("the ends of the listener and of the server") { reported in
            reported.contains { $0.from == .listen && $0.to == .closed } && reported.contains { $0.from == .lastAck }
        }
        let called = watch.reported.filter { isCall($0, clients: []) }
        #expect(
            Set(called.paths) == [
                "CLOSED>LISTEN", "CLOSED>SYN_SENT", "ESTABLISHED>FIN_WAIT_1", "CLOSE_WAIT>LAST_ACK", "LISTEN>CLOSED",
            ]
        )
        #expect(called.map(\.pid) == called.map { _ in program.pid })
        let name = ProcessName(String(Program.probe.split(separator: "/").last ?? ""))
        #expect(called.map(\.processName) == called.map { _ in name })
        // Also from the first transition on, and where it is gone before anybody could look.
        let held = watch.reported.filter { $0.openedBy != .passive }
        #expect(held.map { $0.owners.map(\.pid) } == held.map { _ in [program.pid] }, "\(held.paths)")
        #expect(held.map { $0.owners.map(\.name) } == held.map { _ in [name] }, "\(held.paths)")
        let others = watch.reported.filter { !isCall($0, clients: []) }
        #expect(others.map(\.pid) == others.map { _ in nil }, "\(others.paths)")
        #expect(others.allSatisfy { $0.processName == nil })
    }

    @Test(arguments: [SocketWatcher.Source.trace, .poll])
    func `A connection has its process to the end of its TIME_WAIT`(source: SocketWatcher.Source) async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try AwaitedWatch(lab, source) { $0.resolvesOwners = true }
        try await watch.begin()
        let connection = try lab.client(in: .finWait2)
        let cookie = try #require(connection.socket).cookie()
        try await watch.transition(of: cookie, to: .finWait2)
        try await watch.passDumps(2, in: lab)
        try connection.peer.send(.fin)
        connection.close()
        try await watch.transition(of: cookie, to: .timeWait)
        try connection.peer.send(.rst)
        let last = try await watch.transition(of: cookie, to: .closed)
        #expect(last.from == .timeWait)
        #expect(last.owners.map(\.pid) == [getpid()])
    }
}
