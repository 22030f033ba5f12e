public import SockDiag

/// Sockets to list: which, and what of each. A program that lists sockets makes its own query or command of it.
///
/// ```swift
/// if let view = finding.remedies.first?.view {
///     let query = SocketQuery(states: view.states ?? .all, filter: view.filter)
///     for socket in try client.sockets(query) { print(socket) }
/// }
/// ```
public struct SocketView: Hashable, Sendable {
    /// What to see of a socket beside its state and its endpoints.
    public struct Details: OptionSet, Hashable, Sendable {
        /// A bit for each.
        public let rawValue: UInt8

        /// Details by their bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The processes that hold it.
        public static let owners = Details(rawValue: 1)
        /// What the kernel has measured: ``/SockDiag/TCPInfo``.
        public static let tcpInfo = Details(rawValue: 2)
        /// Its memory.
        public static let memory = Details(rawValue: 4)
        /// Its timers.
        public static let timers = Details(rawValue: 8)
    }

    /// Sockets in one of these states; nil for any.
    public var states: TCPStateSet?
    /// Sockets that it finds; nil for all.
    public var filter: SocketFilter?
    /// Sockets that this process holds; nil for anybody's.
    public var pid: Int32?
    /// Where they are; nil for the network namespace of the calling thread.
    public var namespace: NetworkNamespace?
    /// What to see of each.
    public var details: Details
    /// Whether they are to be counted by their peers instead.
    public var isCountedByPeer: Bool

    /// A view of the sockets that answer all of it.
    public init(
        states: TCPStateSet? = nil,
        filter: SocketFilter? = nil,
        pid: Int32? = nil,
        namespace: NetworkNamespace? = nil,
        details: Details = [],
        isCountedByPeer: Bool = false
    ) {
        (self.states, self.filter, self.pid, self.namespace) = (states, filter, pid, namespace)
        (self.details, self.isCountedByPeer) = (details, isCountedByPeer)
    }
}
