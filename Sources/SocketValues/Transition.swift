/// A change of a connection's state, by one step or by several between two polls: from, to, and how sure that is.
public struct Transition: Hashable, Sendable {
    /// How a transition is known.
    public enum Certainty: String, Hashable, Sendable {
        /// The kernel reported this very transition, as it made it.
        case exact
        /// Computed from what the kernel reported of another transition or object: the half-open request before a
        /// child, the TIME_WAIT that a socket's last transition means.
        case derived
        /// Both states were seen, and one usual step joins them.
        case observed
        /// Steps had to be filled in; they are in ``Transition/via``.
        case inferred
    }

    /// Where a transition was learned.
    public enum Source: String, Hashable, Sendable {
        /// The kernel's tracepoints.
        case trace
        /// A dump, or a lookup of one socket.
        case poll
        /// The kernel's message that a socket was destroyed.
        case destroy
    }

    /// The socket: its cookie is the connection's name from the first transition to the last.
    public var identity: SocketIdentity
    /// Which connection of the socket it is: 0 for the first that is known, 1 for the next after it was disconnected or
    /// refused and connected again. The cookie alone names a socket, not a connection. 255 stands for all that follow.
    public var incarnation: UInt8 = 0
    /// The state before; nil where the connection is first known by its end.
    public var from: TCPState?
    /// The state now; ``/SockDiag/TCPState/closed`` is where a connection or a listener ends.
    public var to: TCPState
    /// The states that were passed through unseen, in order.
    public var via: [TCPState]
    /// How it is known.
    public var certainty: Certainty
    /// Where it was learned.
    public var source: Source
    /// When it was: of an ``Certainty/exact`` one when the kernel made it, of any other when it was learned.
    public var time: EventTime
    /// What took the connection along it, where that is known; of several steps, along the last.
    public var cause: TCPStep.Trigger?
    /// Why the kernel sent a RST with the transition; nil where it sent none, and where it did not report it.
    public var resetReason: ResetReason?
    /// The process whose call caused the transition; nil for what a segment or a timer did, and where the kernel did not
    /// report it.
    public var pid: Int32?
    /// Which side opened the connection.
    public var openedBy = OpeningSide.unknown
    /// How long ``from`` lasted, as far as it was watched; nil where its beginning was not.
    public var timeInState: Duration?
    /// The owner's uid, remembered from when the kernel reported it.
    public var uid: UInt32?
    /// The socket's inode, remembered from when it had one.
    public var inode: UInt32?
    /// Who held the socket when it was new, remembered to the end of TIME_WAIT; empty where nobody was found or it was
    /// not yet asked, and without `SocketWatcher.Configuration.resolvesOwners`.
    public var owners: [SocketOwner] = []
    /// Where it is, of `SocketWatcher.Configuration.namespaces`; nil where none were named.
    public var namespace: NetworkNamespace?
    /// The terms of `SocketWatcher.Configuration.filter` that decide whether it is asked for, and that cannot be answered:
    /// of a connection that is first known by its end, the kernel's message may have lost what they read. Empty where
    /// the filter finds it.
    public var undecided: [String] = []
    /// What the connection came to; on its last transition alone, as far as known.
    public var final: FinalCounters?

    /// A transition.
    public init(
        _ identity: SocketIdentity,
        from: TCPState?,
        to: TCPState,
        via: [TCPState] = [],
        certainty: Certainty,
        source: Source,
        time: EventTime
    ) {
        (self.identity, self.from, self.to, self.via) = (identity, from, to, via)
        (self.certainty, self.source, self.time) = (certainty, source, time)
    }
}

extension Transition {
    /// Whether a connection begins with it.
    package var opens: Bool {
        (from == .closed || from == .bound) && !TCPStateSet.connected.isDisjoint(with: entered)
    }

    /// Whether a connection ends with it.
    package var closes: Bool { to == .closed && from != .listen && from != .bound }

    /// Whether this side begins to close with it, or has by then.
    package var closesHere: Bool {
        guard let from, !Self.closedHere.contains(from) else { return false }
        return !Self.closedHere.isDisjoint(with: entered)
    }

    private static let closedHere: TCPStateSet = [.finWait1, .finWait2, .closing, .timeWait, .lastAck, .closed]

    private var entered: TCPStateSet { via.reduce(into: TCPStateSet(to)) { $0.insert(TCPStateSet($1)) } }
}
