public import SockDiag

/// A count of sockets that have something in common: the record `summary`.
public struct SummaryRecord: Hashable, Sendable {
    /// What sockets are counted by.
    @nonexhaustive
    public enum Key: String, Hashable, Sendable, CaseIterable {
        /// The state.
        case state
        /// The local port.
        case localPort = "local_port"
        /// The remote address.
        case peer
        /// The name of the process that holds the socket.
        case process
        /// The owner's user id.
        case uid
        /// The label of the network namespace.
        case namespace = "netns"
    }

    /// What was counted by, in order; the others are nil. Of a record that was read from JSON, a key without a value is
    /// not among them.
    public var keys: [Key]
    /// The state.
    public var state: TCPState?
    /// The local port.
    public var localPort: UInt16?
    /// The remote address, an IPv4-mapped one as IPv4.
    public var peer: IPAddress?
    /// The interface that a link-local peer is reached by; nil for any other.
    public var interface: String?
    /// The name of the process; nil where none is known.
    public var process: String?
    /// The owner's user id; nil where there is no owner.
    public var uid: UInt32?
    /// The label of the network namespace.
    public var namespace: String?
    /// The number of sockets.
    public var count: Int
    /// The most at once, of a command's sockets.
    public var peak: Int?

    /// A count of nothing in particular.
    public init(by keys: [Key], count: Int) { (self.keys, self.count) = (keys, count) }

    /// A count of the sockets in a state.
    public init(_ state: TCPState, count: Int, peak: Int? = nil) {
        (keys, self.state, self.count, self.peak) = ([.state], state, count, peak)
    }
}
