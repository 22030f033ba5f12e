package import SockDiag

/// Which side opened a connection, and how that is known: what is surer takes the place of what was known before.
package struct SideEvidence: Hashable, Sendable {
    /// How a side is known, the least certain first.
    package enum Ground: Int, Comparable, Sendable {
        /// Not at all.
        case none
        /// Nothing but its end was seen, and no listener is known that it could have been accepted from.
        case elimination
        /// The steps that were seen, some of them filled in.
        case steps
        /// The kernel's counters: ``/TCPWatch/WatchedSocket/measuredSide``.
        case counters
        /// A listener has its local endpoint.
        case listener
        /// `connect()` or `accept()` was seen.
        case call

        package static func < (left: Ground, right: Ground) -> Bool { left.rawValue < right.rawValue }
    }

    /// The side.
    package private(set) var side = OpeningSide.unknown
    private var ground = Ground.none

    /// Whether this side called `connect()`, and nothing that a listener has in common with it says otherwise: a client may
    /// have the port of a server.
    package var isSurelyActive: Bool { side == .active && ground > .elimination }

    /// Nothing is known.
    package init() {}

    /// Takes a side, unless it is known by something surer.
    package mutating func take(_ side: OpeningSide, by ground: Ground) {
        guard side != .unknown, ground >= self.ground else { return }
        (self.side, self.ground) = (side, ground)
    }

    /// Which side opened a connection that took the steps; unknown where its beginning was not watched.
    package static func side(of steps: [Transition]) -> OpeningSide {
        guard let first = steps.first(where: { $0.from == .closed || $0.from == .bound }) else { return .unknown }
        switch (first.via + [first.to]).first(where: { $0 == .synSent || $0 == .synReceived }) {
        case .synSent: return .active
        case .synReceived: return .passive
        default: return .unknown
        }
    }
}
