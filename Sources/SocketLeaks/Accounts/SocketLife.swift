package import SockDiag

/// What a watcher has reported of one socket.
package struct SocketLife: Sendable {
    /// The state that it is in.
    package private(set) var state: TCPState
    /// Its inode, once a process held it.
    package private(set) var inode: UInt32?
    private var recorded = SocketSteps()
    /// What the kernel measured of it, once it has destroyed the full socket.
    package private(set) var counters: FinalCounters?
    /// Whether the counters came after the latest step.
    private var isJustMeasured = false
    /// When its connection was opened.
    package private(set) var openedAt: EventTime?
    /// When it was over for the program: in TIME_WAIT or closed.
    package private(set) var endedAt: EventTime?

    /// A socket that was not seen to begin.
    package init(in state: TCPState = .closed, inode: UInt32? = nil) { (self.state, self.inode) = (state, inode) }

    /// Its steps in their order, the first ones and the latest.
    package var steps: [Transition] { recorded.all }

    /// Takes a step.
    package mutating func take(_ step: Transition) {
        recorded.append(step)
        state = step.to
        inode = step.inode ?? inode
        if openedAt == nil, step.opens { openedAt = step.time }
        if step.to == .timeWait || step.closes || step.from == nil { endedAt = endedAt ?? step.time }
        if let final = step.final {
            counters = final
        } else if step.to == .timeWait, isJustMeasured {
            counters?.discountFIN()
        }
        isJustMeasured = false
    }

    /// Takes what the kernel measured of the full socket; in TIME_WAIT that counts the peer's FIN.
    package mutating func take(_ counters: FinalCounters) {
        self.counters = counters
        if state == .timeWait { self.counters?.discountFIN() } else { isJustMeasured = true }
    }

    /// It is there no more, and its end was not reported.
    package mutating func vanish(at time: EventTime) {
        state = .closed
        endedAt = endedAt ?? time
    }

    /// How long it lasted for the program, or has lasted; nil where its beginning was not seen.
    package func duration(at now: EventTime) -> Duration? {
        // One that was opened and over between two polls has one time for both.
        guard let openedAt, openedAt != endedAt else { return nil }
        let end = (endedAt ?? now).monotonicNanoseconds
        return .nanoseconds(Int64(clamping: end) - Int64(clamping: openedAt.monotonicNanoseconds))
    }
}

/// The steps of a socket in their order: the first ones, which say how old it is and who opened it, and the latest.
package struct SocketSteps: Sendable {
    /// A connection has a handful of steps; of a descriptor that is used again and again these are kept.
    private static let limit = 32

    /// The steps that are kept.
    package private(set) var all: [Transition] = []

    /// No steps.
    package init() {}

    /// Adds the latest step.
    package mutating func append(_ step: Transition) {
        if all.count == Self.limit { all.remove(at: Self.limit / 2) }
        all.append(step)
    }
}
