internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPWatch

/// A watcher without its thread and its clock: it polls and reads messages when the test says so.
final class HandWatch {
    let watcher: NamespaceWatcher
    private let collector: EventCollector
    /// The sockets that existed.
    var existing: [WatchedSocket] { collector.sockets }
    /// What was lost so far.
    var gaps: [Gap] { collector.gaps }

    /// Watches a lab, and has polled once.
    init(
        _ lab: Lab,
        walks: TableWalks? = nil,
        _ configure: (inout SocketWatcher.Configuration) -> Void = { _ in }
    ) throws {
        var configuration = SocketWatcher.Configuration()
        configure(&configuration)
        let collector = try EventCollector(configuration)
        watcher = try lab.run {
            // A table is found by its namespace's name.
            let namespace = try walks.map { _ in try NetworkNamespace(path: lab.namespace.path) }
            return try NamespaceWatcher(
                configuration,
                in: namespace,
                walks: walks ?? TableWalks(),
                stream: collector.stream
            )
        }
        self.collector = collector
        try watcher.begin()
        settle()
    }

    /// Asks who holds what is new.
    func resolveOwners() { watcher.resolveOwners() }

    /// What is known, by cookie.
    var known: [SocketCookie: TCPState] { watcher.known }

    /// How many objects are remembered, those included whose connection has ended.
    var entryCount: Int { watcher.tracker.objectCount }

    /// The transitions that a dump shows, and what the kernel has reported until then.
    func poll() throws -> [Transition] {
        try watcher.dump()
        settle()
        return take()
    }

    /// The transitions of two dumps: what is missing from one only may be gone, after the other it is.
    func pollTwice() throws -> [Transition] { try poll() + poll() }

    /// The transitions that the kernel's messages about destroyed sockets show, until there is one that fits.
    func receive(until fits: (Transition) -> Bool) throws -> [Transition] {
        var reported = try receive()
        while !reported.contains(where: fits) { reported += try receive() }
        return reported
    }

    /// The transitions that the kernel's next messages about destroyed sockets show; waits for the first of them.
    func receive() throws -> [Transition] {
        var waited = pollfd(fd: watcher.descriptor, events: Int16(POLLIN), revents: 0)
        try #require(Glibc.poll(&waited, 1, 60_000) == 1, "no message about a destroyed socket within 60 s")
        settle()
        return take()
    }

    /// Waits until the kernel has had to drop messages.
    func awaitLoss() throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while watcher.lostCount == 0, .now < deadline { sched_yield() }
        try #require(watcher.lostCount ?? 0 > 0, "no message was lost within 60 s")
    }

    /// Reads all messages, and asks all that there is to be asked.
    private func settle() {
        repeat {
            watcher.receive()
            watcher.lookUp {}
        } while watcher.hasLookups
    }

    private func take() -> [Transition] { collector.take() }
}

/// What a watcher reports, for a test to take.
final class EventCollector {
    let stream: WatchStream
    private let events = Events()

    private final class Events {
        var sockets: [WatchedSocket] = []
        var gaps: [Gap] = []
        var transitions: [Transition] = []
    }

    init(_ configuration: SocketWatcher.Configuration) throws {
        let events = events
        stream = try WatchStream(configuration) { new, _ in
            for event in new {
                switch event {
                case .socket(let socket): events.sockets.append(socket)
                case .gap(let gap): events.gaps.append(gap)
                case .transition(let transition): events.transitions.append(transition)
                case .ready, .slowed, .retransmission: break
                }
            }
        }
        stream.delivery.expectSockets(of: 0)
    }

    var sockets: [WatchedSocket] {
        stream.flush()
        return events.sockets
    }

    var gaps: [Gap] {
        stream.flush()
        return events.gaps
    }

    /// The transitions since this was called last.
    func take() -> [Transition] {
        stream.flush()
        defer { events.transitions = [] }
        return events.transitions
    }
}

extension NamespaceWatcher {
    /// What is known, by cookie; where a cookie has a minisocket too, that.
    var known: [SocketCookie: TCPState] {
        var known: [SocketCookie: TCPState] = [:]
        tracker.forEach { known[$0.name.cookie] = $0.state }
        return known
    }
}

extension Transition {
    /// From, through and to, as one word for comparisons: `ESTABLISHED>CLOSED`, `CLOSED(SYN_SENT)>ESTABLISHED`.
    var path: String {
        let through = via.isEmpty ? "" : "(" + via.map(\.description).joined(separator: ",") + ")"
        return "\(from?.description ?? "?")\(through)>\(to)"
    }
}

extension [Transition] {
    var paths: [String] { map(\.path) }
}

extension NamespaceWatcher {
    /// Makes a whole dump.
    func dump(_ scope: DumpScope = .all, _ drain: () -> Void = {}) throws {
        if case .ended(let failure?) = makeDump(scope, drain) { throw failure }
    }
}
