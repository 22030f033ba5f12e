/// Which sockets a dump shall yield, and what it shall report of each.
///
/// ```swift
/// var query = SocketQuery(states: .closingStates, extensions: [.info, .memory])
/// query.localPort = 443
/// query.filter = .receiveQueue > 0 && !.remote(.loopbackIPv4)
/// ```
public struct SocketQuery: Hashable, Sendable {
    /// Only sockets of this family; nil for both.
    public var family: AddressFamily?
    /// The transport protocol.
    public var `protocol`: SocketProtocol
    /// Only sockets in one of these states.
    public var states: TCPStateSet
    /// What to report of each socket beyond the fixed fields.
    public var extensions: SocketExtensions
    /// Only sockets with this local port; nil for any.
    public var localPort: UInt16?
    /// Only sockets with this remote port; nil for any.
    public var remotePort: UInt16?
    /// Only sockets that it finds; nil for all. What it reads is asked for by itself: the answer has these
    /// ``extensions`` too.
    public var filter: SocketFilter?

    /// A query; without arguments it asks for every TCP socket.
    public init(
        family: AddressFamily? = nil,
        protocol: SocketProtocol = .tcp,
        states: TCPStateSet = .all,
        extensions: SocketExtensions = [],
        localPort: UInt16? = nil,
        remotePort: UInt16? = nil,
        filter: SocketFilter? = nil
    ) {
        self.family = family
        self.protocol = `protocol`
        self.states = states
        self.extensions = extensions
        self.localPort = localPort
        self.remotePort = remotePort
        self.filter = filter
    }
}
