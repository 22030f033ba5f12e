internal import SockDiag
internal import TCPRecords

/// Turns sockets into text. What it has written is in its buffer until it is drained.
protocol SocketRenderer: ~Copyable, SendableMetatype {
    /// Writes what comes before the first socket.
    mutating func begin()
    /// Writes one socket.
    mutating func render(_ socket: borrowing some SocketFields & ~Escapable)
    /// Writes one UNIX socket.
    mutating func render(_ row: UnixRow)
    /// Writes what was held back.
    mutating func finish()
    /// What was written and not yet taken.
    var text: TextBuffer { get set }
    /// What the numbers of the next sockets are called.
    var names: SocketNames { get set }
    /// Whether each socket's cookie is written, which a socket has only once somebody has asked for it.
    var writesCookies: Bool { get }
    /// Begins with what a sample of the sockets says about the others, instead of waiting for the first ones.
    mutating func begin(with sample: [InetSocket])
    /// A renderer for another thread, to write more of the same.
    func fork() -> Self
}
