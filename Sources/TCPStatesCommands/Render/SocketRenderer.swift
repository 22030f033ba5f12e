internal import SockDiag

/// Turns sockets into text. What it has written is in its buffer until it is drained.
protocol SocketRenderer: ~Copyable {
    /// Writes what comes before the first socket.
    mutating func begin()
    /// Writes one socket.
    mutating func render(_ socket: borrowing some SocketFields & ~Escapable)
    /// Writes what was held back.
    mutating func finish()
    /// Moves text to the output where enough of it has gathered.
    mutating func drain(to output: inout Output)
    /// Moves all text to the output.
    mutating func flush(to output: inout Output)
}
