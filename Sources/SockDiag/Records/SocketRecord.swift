/// One socket of a running dump, read in place from the receive buffer: nothing is copied, nothing allocated.
///
/// It cannot outlive the closure it is given to; ``InetSocket/init(_:)`` makes a copy that can. What can be read is
/// in ``SocketFields``.
public struct SocketRecord: ~Escapable, SocketFields {
    @usableFromInline let message: RawSpan

    /// The transport protocol, which the kernel was asked for.
    public let `protocol`: SocketProtocol

    /// Reads a socket of a protocol from the bytes of a `struct inet_diag_msg` and the attributes behind it, which do not
    /// name the protocol.
    ///
    /// - Throws: ``KernelError`` of code ``KernelError/Code/malformedReply`` where they are cut short.
    @_lifetime(copy message)
    public init(message: RawSpan, protocol: SocketProtocol = .tcp) throws(KernelError) {
        guard message.byteCount >= InetDiagMessage.size else {
            throw KernelError(
                .malformedReply,
                operation: "read a socket from the kernel's answer",
                detail: "\(message.byteCount) bytes where struct inet_diag_msg has \(InetDiagMessage.size)"
            )
        }
        guard Attributes(message.extracting(droppingFirst: InetDiagMessage.size)).areWellFormed else {
            throw KernelError(
                .malformedReply,
                operation: "read a socket from the kernel's answer",
                detail: "an attribute's length contradicts the message's"
            )
        }
        self.message = message
        self.protocol = `protocol`
    }

    /// A socket from bytes that were checked before.
    @_lifetime(copy message)
    package init(checked message: RawSpan, protocol: SocketProtocol = .tcp) {
        self.message = message
        self.protocol = `protocol`
    }

    /// Calls `body` with the message's bytes: a `struct inet_diag_msg`, then attributes.
    @inlinable
    public func withMessage<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(message)
    }
}
