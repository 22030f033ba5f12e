internal import Glibc
internal import KernelTrace
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPWatch

/// A traced watcher without its thread and its clock: it reads the trace and asks the kernel when the test says so.
final class TraceWatch {
    private let lane: NamespaceLane
    private let feed: TraceFeed
    /// The sockets that existed.
    private(set) var existing: [WatchedSocket] = []
    /// What was lost so far.
    private(set) var gaps: [Gap] = []

    /// Watches a lab, and has looked once; or the current test is cancelled where the kernel may not be traced.
    init(_ lab: Lab, _ configure: (inout SocketWatcher.Configuration) -> Void = { _ in }) throws {
        try Self.cancelUnlessPermitted()
        var configuration = SocketWatcher.Configuration()
        configuration.source = .trace
        configure(&configuration)
        let made = try lab.run {
            let feed = try WatchLoop.feed(configuration).feed
            return (feed, try NamespaceLane(configuration, isTraced: true))
        }
        feed = try #require(made.0)
        lane = made.1
        feed.serve([lane])
        try lane.begin(feed) { events in
            for case .socket(let socket) in events { existing.append(socket) }
        }
    }

    static func cancelUnlessPermitted() throws {
        let support = TraceSupport.here()
        if !support.isComplete { try Test.cancel(Comment(rawValue: support.description)) }
    }

    /// What is known, by cookie.
    var known: [SocketCookie: TCPState] {
        var known: [SocketCookie: TCPState] = [:]
        lane.forEach { known[$0] = $1 }
        return known
    }

    /// Whether the kernel gives reasons for the RSTs that it sends.
    var namesResets: Bool { lane.tracker.trace?.resetReasons.isEmpty == false }

    /// Tells of records that found no room.
    func noteLoss() { lane.tell(lost: feed.takeLost()) }

    /// Asks who holds what is new.
    func resolveOwners() { lane.resolveOwners() }

    /// What the kernel has reported until now. Nothing more belongs to it: each call of a test has been dealt with.
    func hear() -> [Transition] {
        feed.drain()
        lane.tellLastSteps(until: .max)
        return take()
    }

    /// What a dump of all sockets finds.
    func look() throws -> [Transition] {
        try lane.reconcile(feed)
        return take()
    }

    /// What a dump of half-open requests finds.
    func glance() throws -> [Transition] {
        try lane.glance(feed)
        return take()
    }

    /// Asks for what is due as time passes, until it has been told what fits.
    func wait(
        within limit: Duration = .seconds(30),
        until fits: (Transition) -> Bool
    ) throws -> [Transition] {
        var told = hear()
        let deadline = ContinuousClock.now + limit
        while !told.contains(where: fits), .now < deadline {
            try lane.keepAppointments(feed, until: EventTime.now().monotonicNanoseconds)
            told += take()
            usleep(1000)
            told += hear()
        }
        return told
    }

    private func take() -> [Transition] { lane.take(&gaps) }
}
