internal import SockDiag
internal import SocketLeaks
internal import TCPRecords
internal import TCPWatch

/// Turns a watcher's events into text. What it has written is in its buffer until it is drained.
protocol EventRenderer: ~Copyable {
    /// Writes what comes before the first event.
    mutating func begin()
    /// Receives the events that will be rendered next.
    mutating func prepare(_ events: [SocketEvent])
    /// Writes one event.
    mutating func render(_ event: SocketEvent)
    /// Writes what a connection of a command came to, or has come to.
    mutating func render(_ connection: SocketAccount, at now: EventTime)
    /// Writes what a command's sockets did.
    mutating func render(_ report: RunReport)
    /// Moves text to the output where enough of it has gathered.
    mutating func drain(to output: inout Output)
    /// Moves all text to the output.
    mutating func flush(to output: inout Output)
}
