/// What a command's sockets did in all: the record `run`.
public struct RunRecord: Hashable, Sendable {
    /// The command and its arguments.
    public var command: [String]
    /// Its exit status; nil where a signal ended it.
    public var status: UInt32?
    /// The signal that ended it.
    public var signal: UInt32?
    /// How long it ran.
    public var duration: Duration
    /// The number of connections that it opened.
    public var connectionsMade: Int
    /// The number of connections that it accepted.
    public var connectionsAccepted: Int
    /// The number of connections of which it is not known whether they are the command's (`connections_untold`).
    public var connectionsUnattributed: Int
    /// The most sockets at once.
    public var peak: Int
    /// The number of leaks.
    public var leaks: Int

    /// A command's sockets.
    public init(
        command: [String],
        status: UInt32? = nil,
        signal: UInt32? = nil,
        duration: Duration,
        connectionsMade: Int = 0,
        connectionsAccepted: Int = 0,
        connectionsUnattributed: Int = 0,
        peak: Int = 0,
        leaks: Int = 0
    ) {
        (self.command, self.status, self.signal, self.duration) = (command, status, signal, duration)
        (self.connectionsMade, self.connectionsAccepted) = (connectionsMade, connectionsAccepted)
        (self.connectionsUnattributed, self.peak, self.leaks) = (connectionsUnattributed, peak, leaks)
    }
}
