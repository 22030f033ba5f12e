/// A segment that was sent again: what people know from `tcpretrans`.
public struct Retransmission: Hashable, Sendable {
    /// What was sent again. New kinds may come: let an `@unknown default` take them.
    @nonexhaustive
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The SYN of a connect: the peer has not answered.
        case syn
        /// The SYN+ACK of a half-open request: the client has not answered.
        case synAck = "syn_ack"
        /// Data, or a FIN: by the timer, or because acknowledgements show that it was lost.
        case data
        /// The last data, soon and as a probe, to learn whether it was lost (RFC 8985, section 7): it need not have been.
        case tailLossProbe = "tlp"
    }

    /// The socket, or the half-open request.
    public var identity: SocketIdentity
    /// Its state then.
    public var state: TCPState
    /// What was sent again.
    public var kind: Kind
    /// When it was.
    public var time: EventTime
    /// The owner's uid; nil of a request.
    public var uid: UInt32?
    /// As `Transition.owners`.
    public var owners: [SocketOwner]
    /// As `Transition.namespace`.
    public var namespace: NetworkNamespace?

    /// A retransmission.
    public init(
        _ identity: SocketIdentity,
        in state: TCPState,
        _ kind: Kind,
        time: EventTime,
        uid: UInt32? = nil,
        owners: [SocketOwner] = [],
        namespace: NetworkNamespace? = nil
    ) {
        (self.identity, self.state, self.kind, self.time) = (identity, state, kind, time)
        (self.uid, self.owners, self.namespace) = (uid, owners, namespace)
    }
}

extension Retransmission: CustomStringConvertible {
    /// One line: the endpoints, the state, and what was sent again.
    public var description: String { "\(identity.local) \(identity.remote) \(state) \(kind.rawValue)" }
}
