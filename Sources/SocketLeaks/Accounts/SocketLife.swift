internal import SockDiag

/// What a watcher has reported of one socket.
package struct SocketLife: Sendable {
    /// The state that it is in.
    package private(set) var state: TCPState
    /// Its inode, once a process held it.
    package private(set) var inode: UInt32?
    private var recorded = TransitionHistory()
    /// What the kernel measured of it, once it has destroyed the full socket.
    package private(set) var counters: FinalCounters?
    /// Whether the counters came after the latest transition.
    private var isJustMeasured = false
    /// Since when it is in its state, at the latest; nil where only that it was there is known.
    package private(set) var since: EventTime?
    /// Whether it is in its state since then, and not longer.
    package private(set) var isSinceExact = false
    /// When its connection was opened.
    package private(set) var openedAt: EventTime?
    /// When it was over for the program: in TIME_WAIT or closed.
    package private(set) var endedAt: EventTime?

    /// A socket that was not seen to begin.
    package init(in state: TCPState = .closed, inode: UInt32? = nil) { (self.state, self.inode) = (state, inode) }

    /// Its transitions in their order, the first ones and the latest.
    package var transitions: [Transition] { recorded.all }

    /// Takes a transition.
    package mutating func take(_ transition: Transition) {
        recorded.append(transition)
        // Of a socket that was found in the state already this may be told late.
        if state != transition.to
            || since.map({ $0.monotonicNanoseconds > transition.time.monotonicNanoseconds }) ?? true
        {
            since = transition.time
            isSinceExact = transition.certainty == .exact
        }
        state = transition.to
        inode = transition.inode ?? inode
        if openedAt == nil, transition.opens { openedAt = transition.time }
        if transition.to == .timeWait || transition.closes || transition.from == nil {
            endedAt = endedAt ?? transition.time
        }
        if let final = transition.final {
            counters = final
        } else if transition.to == .timeWait, isJustMeasured {
            counters?.discountFIN()
        }
        isJustMeasured = false
    }

    /// It was found in a state.
    ///
    /// - Parameters:
    ///   - state: The state.
    ///   - inode: Its inode.
    ///   - isAnother: Whether it is known to be another connection by now.
    ///   - time: When it was found.
    package mutating func find(in state: TCPState, inode: UInt32?, isAnother: Bool, at time: EventTime) {
        if since == nil || isAnother || state != self.state { (since, isSinceExact) = (time, false) }
        self.state = state
        self.inode = inode ?? self.inode
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

/// The transitions of a socket in their order: the first ones, which say how old it is and who opened it, and the latest.
package struct TransitionHistory: Sendable {
    /// A connection has a handful of transitions; of a descriptor that is used again and again these are kept.
    private static let limit = 32

    /// The transitions that are kept.
    package private(set) var all: [Transition] = []

    /// No transitions.
    package init() {}

    /// Adds the latest transition.
    package mutating func append(_ transition: Transition) {
        if all.count == Self.limit { all.remove(at: Self.limit / 2) }
        all.append(transition)
    }
}
