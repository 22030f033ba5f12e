import BPF
import LinuxSystem
import SockDiag
import TCPStateLab
import Testing

@testable import TCPWatch

/// A watcher learns the same of a walk of the kernel's table as of a dump.
@Suite struct WalkTests {
    /// A watcher by dumps and one by walks, of the same lab.
    private struct Both {
        let dumps, walks: HandWatch

        init(_ lab: Lab, _ configure: (inout SocketWatcher.Configuration) -> Void = { _ in }) throws {
            dumps = try HandWatch(lab, configure)
            // Whatever it costs, the next one is a walk.
            walks = try HandWatch(lab, walks: TableWalks(longDump: 0, shortWalk: 0), configure)
        }

        /// Both look, and have seen the same.
        func poll(_ what: String) throws {
            let expected = try dumps.poll()
            let seen = try walks.poll()
            func steps(_ transitions: [Transition]) -> [String] {
                transitions.map { "\($0.identity.cookie) \($0.from?.description ?? "")→\($0.to)" }.sorted()
            }
            #expect(steps(seen) == steps(expected), "\(what)")
            #expect(walks.known == dumps.known, "\(what)")
        }
    }

    private func withLab(_ body: (Lab) throws -> Void) throws {
        let support = BPFSupport.here()
        if !support.isComplete { try Test.cancel(Comment(rawValue: support.description)) }
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try body(lab)
    }

    @Test(.timeLimit(.minutes(30)), arguments: [LabNetwork.ipv4, .ipv6, .ipv4Mapped])
    func `Each step of lives is learned alike`(network: LabNetwork) throws {
        try withLab { lab in
            let standing = try lab.server(in: .established, over: network)
            let both = try Both(lab)
            try both.poll("what existed")
            let client = try lab.client(in: .synSent, over: network)
            try both.poll("a SYN")
            let request = try lab.server(in: .synReceived, over: network)
            try both.poll("a request")
            let other = try lab.client(in: .established, over: network)
            let bound = try lab.bound(over: network)
            try both.poll("a connection, and a bound socket")
            bound.close()
            try both.poll("it is bound no more")
            try both.poll("and missing twice")
            try other.shutDown()
            try both.poll("FIN_WAIT")
            try other.peer.send(.fin)
            try both.poll("TIME_WAIT")
            try standing.peer.send(.rst)
            try both.poll("a RST")
            try both.poll("all is told")
            #expect(both.walks.watcher.walkCount > 5)
            #expect(both.dumps.watcher.walkCount == 0)
            withExtendedLifetime((client, request)) {}
        }
    }

    @Test(.timeLimit(.minutes(30))) func `Where a filter asks for what only a dump tells, it is dumped`() throws {
        try withLab { lab in
            let pair = try lab.loopbackPair()
            let both = try Both(lab) { $0.filter = try? SocketFilter("rtt > 0ms") }
            try both.poll("by its round trips")
            #expect(both.walks.watcher.walkCount == 0)
            let ports = try Both(lab) { $0.filter = .localPort == pair.client.local.port }
            try ports.poll("by its port")
            #expect(ports.walks.watcher.walkCount > 0)
        }
    }

    @Test(.timeLimit(.minutes(30)))
    func `Where the kernel refuses a walk, whatever was possible before, all is dumped`() async throws {
        try withLab { _ in }
        // What a thread lets go of stays away: so the process is one of its own.
        await #expect(processExitsWith: .success) {
            let lab = try Lab()
            let pair = try lab.loopbackPair()
            let used = try HandWatch(lab, walks: TableWalks(longDump: 0, shortWalk: 0))
            _ = try used.poll()
            #expect(used.watcher.walkCount == 1)
            // One whose program is not loaded yet beside one that has it.
            let fresh = try HandWatch(lab, walks: TableWalks(longDump: 0, shortWalk: 0))
            let known = used.known
            #expect(known.count == 3 && fresh.known == known)
            #expect(Capabilities.limit(to: [.administration]))
            for watch in [used, fresh] {
                #expect(try watch.pollTwice().isEmpty)
                #expect(watch.known == known)
                #expect(watch.gaps.isEmpty)
            }
            lab.close()
            withExtendedLifetime(pair) {}
        }
    }

    @Test(.timeLimit(.minutes(30))) func `Few sockets are dumped, as long as that takes no time`() throws {
        try withLab { lab in
            try lab.loopbackPair()
            let watch = try HandWatch(lab, walks: TableWalks(longDump: .max))
            _ = try watch.poll()
            #expect(watch.watcher.walkCount == 0)
            let walks = TableWalks(longDump: 0, shortWalk: .max)
            let short = try HandWatch(lab, walks: walks)
            _ = try short.poll()
            #expect(short.watcher.walkCount == 1)
            #expect(!walks.isWorthwhile)
        }
    }
}
