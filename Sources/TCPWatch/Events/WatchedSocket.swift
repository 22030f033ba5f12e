public import SockDiag

/// A socket that existed when watching began: what the kernel says of it, where it is, and who holds it.
///
/// What can be read of it is in ``/SockDiag/SocketFields``, as for any socket.
public struct WatchedSocket: Hashable, Sendable, SocketFields {
    /// What the kernel says of it.
    public var socket: InetSocket
    /// Which connection of the socket it is, as ``Transition/incarnation``.
    public var incarnation: UInt8 = 0
    /// Where it is, of ``SocketWatcher/Configuration/namespaces``; nil where none were named.
    public var namespace: NetworkNamespace?
    /// Who holds it; empty where nobody was found, and without ``SocketWatcher/Configuration/resolvesOwners``.
    public var owners: [SocketOwner] = []
    /// When it was seen.
    public var time: EventTime?

    /// A socket.
    public init(
        socket: InetSocket,
        namespace: NetworkNamespace? = nil,
        owners: [SocketOwner] = [],
        time: EventTime? = nil
    ) {
        (self.socket, self.namespace, self.owners, self.time) = (socket, namespace, owners, time)
    }

    /// The transport protocol.
    public var `protocol`: SocketProtocol { socket.protocol }

    /// Calls `body` with the bytes of the kernel's message.
    public func withMessage<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try socket.withMessage(body)
    }
}

extension WatchedSocket {
    /// A socket as it is remembered, in a state that it is in no more.
    package init(
        remembered identity: SocketIdentity,
        in state: TCPState,
        uid: UInt32?,
        inode: UInt32?,
        namespace: NetworkNamespace?,
        owners: [SocketOwner]
    ) {
        let socket = InetSocket(identity, state: state, uid: uid, inode: inode)
        self.init(socket: socket, namespace: namespace, owners: owners)
    }
}

extension WatchedSocket: CustomStringConvertible {
    /// State and endpoints on one line.
    public var description: String { socket.description }
}
