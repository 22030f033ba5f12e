public import SockDiag
public import SocketOwners

/// One step of a connection, or several between two looks: where it was, where it is, and how sure that is.
public struct Transition: Hashable, Sendable {
    /// How a transition is known.
    public enum Certainty: String, Hashable, Sendable {
        /// The kernel reported this very step, as it took it.
        case exact
        /// Both ends were seen, and one usual step joins them.
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

    /// The socket: its cookie is the connection's name from the first step to the last.
    public var identity: SocketIdentity
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
    /// When it was: of an ``Certainty/exact`` one when the kernel took it, of any other when it was learned.
    public var time: EventTime
    /// What took the connection along it, where that is known; of several steps, along the last.
    public var cause: TCPStep.Trigger?
    /// Why the kernel sent a RST with the step; nil where it sent none, and where it did not report it.
    public var resetReason: ResetReason?
    /// The process whose call took the step; nil for what a segment or a timer did, and where the kernel did not report
    /// it.
    public var pid: Int32?
    /// Which side opened the connection.
    public var openedBy = OpeningSide.unknown
    /// How long ``from`` lasted, as far as it was watched; nil where its beginning was not.
    public var timeInState: Duration?
    /// The owner's uid, remembered from when the kernel told.
    public var uid: UInt32?
    /// The socket's inode, remembered from when it had one.
    public var inode: UInt32?
    /// Who held the socket when it was new, remembered to the end of TIME_WAIT; empty where nobody was found or it was
    /// not yet asked, and without ``SocketWatcher/Configuration/resolvesOwners``.
    public var owners: [SocketOwner] = []
    /// Where it is, of ``SocketWatcher/Configuration/namespaces``; nil where none were named.
    public var namespace: NetworkNamespace?
    /// What the connection came to; on its last transition alone, as far as known.
    public var final: FinalCounters?
}

/// What a connection came to.
public struct FinalCounters: Hashable, Sendable {
    /// Payload sent, retransmissions counted, bytes (`tcpi_bytes_sent`).
    public var bytesSent: UInt64?
    /// Payload received, bytes (`tcpi_bytes_received`, less the one that the kernel counts for the peer's FIN).
    public var bytesReceived: UInt64?
    /// Segments sent (`tcpi_segs_out`).
    public var segmentsOut: UInt64?
    /// Segments received (`tcpi_segs_in`).
    public var segmentsIn: UInt64?
    /// Segments retransmitted (`tcpi_total_retrans`).
    public var retransmits: UInt64?
    /// The smoothed round-trip time, microseconds (`tcpi_rtt`).
    public var rttMicroseconds: UInt64?
    /// From the first step to the last; nil where the first was not watched.
    public var duration: Duration?

    /// Takes off the sequence number of the peer's FIN.
    package mutating func discountFIN() {
        if let received = bytesReceived, received > 0 { bytesReceived = received - 1 }
    }

    /// What the kernel measured.
    package init(_ info: TCPInfo?) {
        bytesSent = info?[.bytesSent]
        bytesReceived = info?[.bytesReceived]
        segmentsOut = info?[.segsOut]
        segmentsIn = info?[.segsIn]
        retransmits = info?[.totalRetrans]
        rttMicroseconds = info?[.rtt]
    }
}
