internal import Glibc
internal import SockDiag
internal import SocketOwners
internal import TCPStateLab
internal import Testing

@testable internal import TCPWatch

@Suite("Filters and owners")
struct SelectionTests {
    /// Takes a client from ESTABLISHED to its end, a poll in each state; what is reported of it.
    private func life(in lab: Lab, _ watch: HandWatch) throws -> [Transition] {
        let connection = try lab.client(in: .established)
        var reported = try watch.poll()
        watch.resolveOwners()
        connection.close()
        try connection.peer.receive(.fin)
        reported += try watch.poll()
        try connection.peer.send(.ack)
        while watch.known[try lab.cookie(of: connection)] != .finWait2 { reported += try watch.poll() }
        try connection.peer.send(.fin)
        try connection.peer.receive(.ack)
        reported += try watch.poll()
        try connection.peer.send(.rst)
        return try reported + watch.pollTwice()
    }

    private static let wholeLife = [
        "CLOSED(SYN_SENT)>ESTABLISHED", "ESTABLISHED>FIN_WAIT_1", "FIN_WAIT_1>FIN_WAIT_2", "FIN_WAIT_2>TIME_WAIT",
        "TIME_WAIT>CLOSED",
    ]

    @Test(arguments: [
        ("state time-wait", ["FIN_WAIT_2>TIME_WAIT", "TIME_WAIT>CLOSED"]),
        ("state syn-sent", ["CLOSED(SYN_SENT)>ESTABLISHED"]),
        ("state closed", ["TIME_WAIT>CLOSED"]),
        ("inode != 0 and state established", ["CLOSED(SYN_SENT)>ESTABLISHED", "ESTABLISHED>FIN_WAIT_1"]),
        ("uid = \(getuid()) and not state listen", wholeLife),
        ("pid = \(getpid())", wholeLife),
        ("pid = 1 and pid = 2", []),
        ("rtt > 1us and state fin-wait-1", ["ESTABLISHED>FIN_WAIT_1", "FIN_WAIT_1>FIN_WAIT_2"]),
        ("dport = 1 or sport = 1", []),
    ])
    func `A transition is reported where the filter finds the socket before it, after it or on the way`(
        filter: String,
        expected: [String]
    ) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let filter = try SocketFilter(filter)
        let watch = try HandWatch(lab) { $0.filter = filter }
        #expect(try life(in: lab, watch).paths == expected)
        #expect(watch.known.isEmpty)
    }

    @Test func `A watcher that is not told how loads no program into the kernel`() throws {
        #expect(SocketWatcher.Configuration().source == .poll)
        let lab = try Lab.orCancel()
        defer { lab.close() }
        #expect(try !lab.run { () throws(KernelError) in try SocketWatcher() }.isTracing)
    }

    @Test func `A socket that leaves the filter is neither ended nor forgotten`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let pair = try lab.loopbackPair()
        try pair.send([1, 2, 3], from: .client)
        let watch = try HandWatch(lab) { $0.filter = .receiveQueue > 0 && .state(.connected) }
        #expect(watch.existing.map(\.local) == [pair.accepted.local])
        try pair.receive(3, at: .accepted)
        #expect(try watch.pollTwice().isEmpty)
        #expect(watch.known.count == 3)
        try pair.send([1], from: .client)
        #expect(try watch.pollTwice().isEmpty)
        try pair.client.shutDown()
        #expect(try watch.poll().paths == ["ESTABLISHED>CLOSE_WAIT"])
    }

    @Test
    func `Owners are known with the first sockets, from the second transition of others, and to the end of TIME_WAIT`()
        throws
    {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try lab.listener()
        let watch = try HandWatch(lab) { $0.resolvesOwners = true }
        #expect(watch.existing.first?.owners.first?.pid == getpid())
        let reported = try life(in: lab, watch)
        #expect(reported.paths == Self.wholeLife)
        #expect(reported.map { $0.owners.first?.pid == getpid() } == [false, true, true, true, true])
    }

    @Test func `A filter on a namespace holds in the one that it names`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try lab.listener()
        let here = SocketFilter.networkNamespace(lab.namespace.path)
        #expect(try HandWatch(lab) { $0.filter = here }.existing.count == 1)
        #expect(try HandWatch(lab) { $0.filter = !here }.existing.isEmpty)
    }
}

@Suite("Timers and times")
struct TimeTests {
    @Test func `Of a simultaneous close each state's length is reported`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let connection = try lab.server(in: .established)
        let watch = try HandWatch(lab)
        try connection.shutDown()
        try connection.peer.receive(.fin)
        var reported = try watch.poll()
        try connection.peer.send(.fin.acknowledging(.nothingNew))
        reported += try watch.poll()
        try connection.peer.send(.ack)
        reported += try watch.poll()
        #expect(reported.paths == ["ESTABLISHED>FIN_WAIT_1", "FIN_WAIT_1>CLOSING", "CLOSING>TIME_WAIT"])
        let times = reported.map { Int64($0.time.monotonicNanoseconds) }
        #expect(times == times.sorted())
        #expect(reported.first?.timeInState == nil)
        #expect(reported.dropFirst().map(\.timeInState) == zip(times, times.dropFirst()).map { .nanoseconds($1 - $0) })
    }

    @Test func `An orphan in FIN_WAIT_2 ends by its timeout`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try lab.sysctl("net.ipv4.tcp_fin_timeout", 1)
        let connection = try lab.server(in: .finWait1)
        let watch = try HandWatch(lab)
        connection.close()
        try connection.peer.send(.ack)
        var reported: [Transition] = []
        let deadline = ContinuousClock.now + .seconds(30)
        while reported.last?.to != .closed, .now < deadline { reported += try watch.poll() }
        #expect(reported.paths == ["FIN_WAIT_1>FIN_WAIT_2", "FIN_WAIT_2>CLOSED"])
    }
}
