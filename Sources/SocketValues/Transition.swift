/// A change of a connection's state, by one step or by several between two polls: from, to, and how sure that is.
public struct Transition: Hashable, Sendable {
    /// How a transition is known. New grades may come: let an `@unknown default` take them.
    @nonexhaustive
    public enum Certainty: String, Hashable, Sendable, CaseIterable {
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

    /// Where a transition was learned. New sources may come: let an `@unknown default` take them.
    @nonexhaustive
    public enum Source: String, Hashable, Sendable, CaseIterable {
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
    public var incarnation: UInt8
    /// The state before; nil where it is not known, as the connection is first known by its end: ``isFirstSeen``.
    ///
    /// ``/SockDiag/TCPState/closed`` is where a connection begins. One that began since the last dump and is seen in a
    /// later state begins there too: what lies between is in ``via``, and the transition is ``Certainty/inferred``.
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
    /// The process whose call caused the transition; nil for what a segment or a timer did, where the kernel did not
    /// report it, and where the process has no number in the PID namespace of `/proc`.
    public var pid: Int32?
    /// The PID namespace of the process whose call caused the transition, where it has no number in that of `/proc`: the
    /// number in `pid:[4026531836]`.
    public var pidNamespace: UInt32?
    /// What the process of ``pid`` was called when it made the call; nil where the kernel did not report it.
    public var processName: ProcessName?
    /// Which side opened the connection.
    public var openedBy: OpeningSide
    /// How long ``from`` lasted, as far as it was watched; nil where its beginning was not.
    public var timeInState: Duration?
    /// How long the connection was open, on the transition by which both sides have closed it, or it was reset or given up: into TIME_WAIT,
    /// or to CLOSED where there is none. Nil where its beginning was not watched, and where that moment passed unseen.
    ///
    /// TIME_WAIT is no part of it: that is the ``timeInState`` of the transition that leaves TIME_WAIT.
    public var timeOpen: Duration?
    /// The owner's uid, remembered from when the kernel reported it.
    public var uid: UInt32?
    /// The socket's inode, remembered from when it had one.
    public var inode: UInt32?
    /// Who held the socket when it was new, remembered to the end of TIME_WAIT; empty where nobody was found or it was
    /// not yet asked, and without `SocketWatcher.Configuration.resolvesOwners`.
    public var owners: [SocketOwner]
    /// Where it is, of `SocketWatcher.Configuration.namespaces`; nil where none were named.
    public var namespace: NetworkNamespace?
    /// The terms of `SocketWatcher.Configuration.filter` that decide whether it is asked for, and that cannot be answered:
    /// of a connection that is first known by its end, the kernel's message may have lost what they read. Empty where
    /// the filter finds it.
    public var undecided: [String]
    /// What the connection came to; on its last transition alone, as far as known.
    public var final: FinalCounters?

    /// A transition; nothing is known of it but what is given.
    public init(
        _ identity: SocketIdentity,
        incarnation: UInt8 = 0,
        from: TCPState?,
        to: TCPState,
        via: [TCPState] = [],
        certainty: Certainty,
        source: Source,
        time: EventTime,
        cause: TCPStep.Trigger? = nil,
        resetReason: ResetReason? = nil,
        pid: Int32? = nil,
        pidNamespace: UInt32? = nil,
        processName: ProcessName? = nil,
        openedBy: OpeningSide = .unknown,
        timeInState: Duration? = nil,
        timeOpen: Duration? = nil,
        uid: UInt32? = nil,
        inode: UInt32? = nil,
        owners: [SocketOwner] = [],
        namespace: NetworkNamespace? = nil,
        undecided: [String] = [],
        final: FinalCounters? = nil
    ) {
        (self.identity, self.incarnation) = (identity, incarnation)
        (self.from, self.to, self.via) = (from, to, via)
        (self.certainty, self.source, self.time) = (certainty, source, time)
        (self.cause, self.resetReason) = (cause, resetReason)
        (self.pid, self.pidNamespace, self.processName) = (pid, pidNamespace, processName)
        (self.openedBy, self.timeInState, self.timeOpen) = (openedBy, timeInState, timeOpen)
        (self.uid, self.inode, self.owners, self.namespace) = (uid, inode, owners, namespace)
        (self.undecided, self.final) = (undecided, final)
    }
}

extension Transition {
    /// Whether nothing was known of the connection before this transition: it is first known by its end, and ``from``
    /// is not made up. ``from`` is nil then, and prints as `?`.
    public var isFirstSeen: Bool { from == nil }

    /// Whether a connection begins with it.
    package var opens: Bool {
        (from == .closed || from == .bound) && !TCPStateSet.connected.isDisjoint(with: entered)
    }

    /// Whether a connection ends with it.
    package var closes: Bool { to == .closed && from != .listen && from != .bound }

    /// Whether by it, and in no state passed through, both sides have closed the connection, or it was reset or given up.
    package var endsOpenTime: Bool {
        to == .timeWait || closes && from != .timeWait && !via.contains(.timeWait)
    }

    /// Whether this side begins to close with it, or has by then.
    package var closesHere: Bool {
        guard let from, !Self.closedHere.contains(from) else { return false }
        return !Self.closedHere.isDisjoint(with: entered)
    }

    private static let closedHere: TCPStateSet = [.finWait1, .finWait2, .closing, .timeWait, .lastAck, .closed]

    private var entered: TCPStateSet { via.reduce(into: TCPStateSet(to)) { $0.insert(TCPStateSet($1)) } }
}

extension Transition: CustomStringConvertible {
    /// One line: the endpoints, then the states from the one before to the one now, `?` where that before is not known.
    ///
    /// `127.0.0.1:8080 127.0.0.1:43014 CLOSED → SYN_RCVD → ESTABLISHED`
    public var description: String {
        let states = [from?.description ?? "?"] + (via + [to]).map(\.description)
        return "\(identity.local) \(identity.remote) \(states.joined(separator: " → "))"
    }
}
