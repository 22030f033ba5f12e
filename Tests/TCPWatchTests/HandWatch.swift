internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPWatch

/// A watcher without its thread and its clock: it looks and listens when the test says so.
final class HandWatch {
    private let lane: NamespaceLane
    /// The sockets that existed.
    private(set) var existing: [WatchedSocket] = []
    /// What was lost so far.
    private(set) var gaps: [Gap] = []

    /// Watches a lab, and has looked once.
    init(_ lab: Lab, _ configure: (inout SocketWatcher.Configuration) -> Void = { _ in }) throws {
        var configuration = SocketWatcher.Configuration()
        configure(&configuration)
        lane = try lab.run { try NamespaceLane(configuration) }
        try lane.begin { events in
            for case .socket(let socket) in events { existing.append(socket) }
        }
    }

    /// Asks who holds what is new.
    func resolveOwners() { lane.resolveOwners() }

    /// What is known, by cookie.
    var known: [SocketCookie: TCPState] {
        var known: [SocketCookie: TCPState] = [:]
        lane.forEach { known[$0] = $1 }
        return known
    }

    /// How many are remembered, those included whose end has been told.
    var entryCount: Int { lane.tracker.table.count }

    /// The transitions that a dump shows, and what the kernel has told until then.
    func look() throws -> [Transition] {
        try lane.look()
        return take()
    }

    /// The transitions of two dumps: what is missing from one only may be gone, after the other it is.
    func lookTwice() throws -> [Transition] { try look() + look() }

    /// The transitions that the kernel's messages about destroyed sockets show, until there is one that fits.
    func hear(until fits: (Transition) -> Bool) throws -> [Transition] {
        var told = try hear()
        while !told.contains(where: fits) { told += try hear() }
        return told
    }

    /// The transitions that the kernel's next messages about destroyed sockets show; waits for the first of them.
    func hear() throws -> [Transition] {
        var waited = pollfd(fd: lane.descriptor, events: Int16(POLLIN), revents: 0)
        try #require(poll(&waited, 1, 10_000) == 1, "no message about a destroyed socket within 10 s")
        _ = try lane.hear()
        return take()
    }

    /// Waits until the kernel has had to drop messages.
    func awaitLoss() throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while lane.lostCount == 0, .now < deadline { sched_yield() }
        try #require(lane.lostCount ?? 0 > 0, "no message was lost within 10 s")
    }

    private func take() -> [Transition] { lane.take(&gaps) }
}

extension NamespaceLane {
    /// The transitions that wait to be told; gaps are added to those that were there.
    func take(_ gaps: inout [Gap]) -> [Transition] {
        var transitions: [Transition] = []
        flush { events in
            for case .transition(let transition) in events { transitions.append(transition) }
            for case .gap(let gap) in events { gaps.append(gap) }
        }
        return transitions
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
