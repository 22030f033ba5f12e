public import SockDiag

/// A UNIX socket as it is listed, with what the kernel reports of its peer alone: the record `socket` of the family `unix`.
///
/// A name that was read has U+FFFD where it was no UTF-8; of a path that begins with `@`, which is a relative one, it cannot
/// be told from an abstract name. Pending connections are not in a record.
public struct UnixSocketRecord: Hashable, Sendable {
    /// The socket.
    public var socket: UnixSocket
    /// The peer's path with nothing escaped; nil where it has no peer, or one without a path.
    public var peerPath: String?
    /// Who holds it.
    public var owners: [SocketOwner]
    /// Where it is; nil where no namespace was named, and where it was read (``Record/Names/namespace``).
    public var namespace: NetworkNamespace?

    /// A socket.
    public init(
        _ socket: UnixSocket,
        peerPath: String? = nil,
        owners: [SocketOwner] = [],
        namespace: NetworkNamespace? = nil
    ) {
        (self.socket, self.peerPath, self.owners, self.namespace) = (socket, peerPath, owners, namespace)
    }
}
