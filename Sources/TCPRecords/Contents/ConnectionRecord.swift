public import SockDiag

/// What a connection of a command came to: the record `connection`.
public struct ConnectionRecord: Hashable, Sendable {
    /// The connection.
    public var identity: SocketIdentity
    /// The state that it was in last.
    public var state: TCPState
    /// Who of the command's processes held it.
    public var owners: [SocketOwner]
    /// What it carried, as far as known.
    public var final: FinalCounters
    /// Which side opened it.
    public var openedBy: OpeningSide
    /// Whether it is known to be the command's.
    public var isAttributed: Bool
    /// Whether its process ended before anybody closed it.
    public var isOpenAtExit: Bool
    /// Where it is; nil where no namespace was named, and where it was read (``Record/Names/namespace``).
    public var namespace: NetworkNamespace?

    /// A connection.
    public init(
        _ identity: SocketIdentity,
        state: TCPState,
        owners: [SocketOwner] = [],
        final: FinalCounters = FinalCounters(),
        openedBy: OpeningSide = .unknown,
        isAttributed: Bool,
        isOpenAtExit: Bool,
        namespace: NetworkNamespace? = nil
    ) {
        (self.identity, self.state, self.owners, self.final) = (identity, state, owners, final)
        (self.openedBy, self.isAttributed, self.isOpenAtExit) = (openedBy, isAttributed, isOpenAtExit)
        self.namespace = namespace
    }
}
