/// One socket of TCP, MPTCP, UDP or another protocol over IP, as the kernel described it at one moment: the whole
/// message, kept.
///
/// What can be read is in ``SocketFields``. A value is one array; reading a field decodes it from the bytes, so
/// attributes of a kernel newer than this version are still there.
///
/// ```swift
/// for socket in try client.sockets(in: .closeWait) {
///     print(socket.local, socket.remote, socket.cookie)
/// }
/// ```
public struct InetSocket: Hashable, Sendable, SocketFields {
    @usableFromInline let message: [UInt8]

    /// The transport protocol, which the kernel was asked for.
    public let `protocol`: SocketProtocol

    /// Copies the socket out of a running dump.
    @inlinable
    public init(_ record: borrowing some SocketFields & ~Escapable) {
        message = record.withMessage { $0.array() }
        `protocol` = record.protocol
    }

    /// Reads a socket of a protocol from the bytes of a `struct inet_diag_msg` and the attributes behind it, which do not
    /// name the protocol.
    ///
    /// - Throws: ``KernelError`` of code ``KernelError/Code/malformedReply`` where they are cut short.
    public init(message: [UInt8], protocol: SocketProtocol = .tcp) throws(KernelError) {
        _ = try SocketRecord(message: message.span.bytes)
        self.message = message
        self.protocol = `protocol`
    }

    /// A socket from bytes that are known to be whole.
    init(checked message: [UInt8], protocol: SocketProtocol = .tcp) {
        self.message = message
        self.protocol = `protocol`
    }

    /// Calls `body` with the message's bytes: a `struct inet_diag_msg`, then attributes.
    @inlinable
    public func withMessage<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(message.span.bytes)
    }
}

extension InetSocket: CustomStringConvertible {
    /// State and endpoints on one line.
    public var description: String { "\(stateName) \(local) \(remote)" }
}
