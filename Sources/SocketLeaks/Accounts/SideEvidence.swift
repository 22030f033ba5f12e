internal import SockDiag
package import TCPWatch

/// Which side opened a connection, and how that is known: what is surer takes the place of what was known before.
package struct SideEvidence: Hashable, Sendable {
    /// How a side is known, the least certain first.
    package enum Ground: Int, Comparable, Sendable {
        /// Not at all.
        case none
        /// Nothing but its end was seen, and no listener is known that it could have been accepted from.
        case elimination
        /// Transitions that were filled in, by what the watcher knew of listeners then.
        case inferred
        /// The kernel's counters: ``/TCPWatch/WatchedSocket/measuredSide``.
        case counters
        /// A listener has its local endpoint. The kernel gives no client the port of one; it has to bind it itself.
        case listener
        /// The half of the handshake was seen.
        case seen
        /// `connect()` or `accept()` was seen.
        case call

        package static func < (left: Ground, right: Ground) -> Bool { left.rawValue < right.rawValue }
    }

    /// The side.
    package private(set) var side = OpeningSide.unknown
    private var ground = Ground.none

    /// Whether a listener with its local endpoint may have accepted it.
    package var mayBeAccepted: Bool { side != .active || ground < .listener }

    /// Nothing is known.
    package init() {}

    /// Takes a side, unless it is known by something surer.
    package mutating func take(_ side: OpeningSide, by ground: Ground) {
        guard side != .unknown, ground >= self.ground else { return }
        (self.side, self.ground) = (side, ground)
    }

    /// Takes the transition that opened the connection.
    package mutating func take(_ transition: Transition) {
        let isSeen = transition.certainty == .exact || transition.to == .synSent || transition.to == .synReceived
        take(Self.side(of: [transition]), by: isSeen ? .seen : .inferred)
    }

    /// Which side opened a connection that took the transitions; unknown where its beginning was not watched.
    package static func side(of transitions: [Transition]) -> OpeningSide {
        guard let first = transitions.first(where: { $0.from == .closed || $0.from == .bound }) else { return .unknown }
        switch (first.via + [first.to]).first(where: { $0 == .synSent || $0 == .synReceived }) {
        case .synSent: return .active
        case .synReceived: return .passive
        default: return .unknown
        }
    }
}

extension WatchedSocket {
    /// Which side opened the connection by the kernel's counters: of the acknowledged sequence numbers one is no payload
    /// where this side connected, because its SYN counts, and none where it was accepted. Unknown while something is not
    /// acknowledged, once this side has sent a FIN, and without `tcp_info`.
    package var measuredSide: OpeningSide {
        guard state == .established || state == .closeWait, let info = tcpInfo, info[.unacked] == 0,
            let acknowledged = info[.bytesAcked], let sent = info[.bytesSent], let again = info[.bytesRetrans]
        else { return .unknown }
        switch acknowledged &- (sent &- again) {
        case 0: return .passive
        case 1: return .active
        default: return .unknown
        }
    }
}
