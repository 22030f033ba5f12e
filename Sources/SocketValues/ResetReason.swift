/// Why the kernel ended a connection by a RST: its own word for it.
///
/// The numbers of these reasons differ between kernels, the names do not. A kernel may have others than are named here.
///
/// C: `enum sk_rst_reason` of `<net/rstreason.h>`, without `SK_RST_REASON_`; kernel 6.10, and 6.12 for
/// what this side ends by itself.
public struct ResetReason: RawRepresentable, Hashable, Sendable {
    /// The kernel's name: `TCP_ABORT_ON_CLOSE`.
    public let rawValue: String

    /// The reason with the kernel's name.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The program closed the socket, and left received data unread.
    public static let abortOnClose = ResetReason(rawValue: "TCP_ABORT_ON_CLOSE")
    /// Data came after the program had closed the socket: nobody can read it.
    public static let abortOnData = ResetReason(rawValue: "TCP_ABORT_ON_DATA")
    /// The program had set `TCP_LINGER2` below 0: nothing is waited for after `close()`.
    public static let abortOnLinger = ResetReason(rawValue: "TCP_ABORT_ON_LINGER")
    /// There were too many orphans (`tcp_max_orphans`), or too little memory (`tcp_mem`).
    public static let abortOnMemory = ResetReason(rawValue: "TCP_ABORT_ON_MEMORY")
    /// The program closed it with `SO_LINGER` of 0 or disconnected it, or it was destroyed from outside (`SOCK_DESTROY`).
    public static let state = ResetReason(rawValue: "TCP_STATE")
    /// As ``state``, in CLOSING or LAST_ACK with data still to be sent.
    public static let disconnectWithData = ResetReason(rawValue: "TCP_DISCONNECT_WITH_DATA")
    /// No answer came to keepalive probes.
    public static let keepaliveTimeout = ResetReason(rawValue: "TCP_KEEPALIVE_TIMEOUT")
    /// The peer acknowledged what was never sent.
    public static let acknowledgedUnsentData = ResetReason(rawValue: "TCP_ACK_UNSENT_DATA")
}

extension ResetReason: CustomStringConvertible {
    /// The kernel's name.
    public var description: String { rawValue }
}
