/// Which UNIX sockets a dump shall yield, and what it shall report of each.
///
/// ```swift
/// let servers = UnixSocketQuery(states: .listen)
/// let unread = UnixSocketQuery(filter: .receiveQueue > 0)
/// ```
public struct UnixSocketQuery: Hashable, Sendable {
    /// Only sockets in one of these states.
    public var states: TCPStateSet
    /// What to report of each socket beyond type, state, inode and cookie.
    public var extensions: UnixSocketExtensions
    /// Only sockets that it finds; nil for all. What it reads is asked for by itself.
    ///
    /// UNIX sockets have a state, an inode, a cookie, an owner and queues. A term on anything else is an error.
    public var filter: SocketFilter?

    /// A query; without arguments it asks for every UNIX socket.
    public init(
        states: TCPStateSet = .all,
        extensions: UnixSocketExtensions = .usual,
        filter: SocketFilter? = nil
    ) {
        self.states = states
        self.extensions = extensions
        self.filter = filter
    }
}

/// What a query for UNIX sockets asks for beyond the fixed fields. The kernel sends shutdown unasked.
///
/// Source: `udiag_show`, the `UDIAG_SHOW_*` bits of `<linux/unix_diag.h>`.
public struct UnixSocketExtensions: OptionSet, Hashable, Sendable {
    /// The bits, as in `udiag_show`.
    public var rawValue: UInt32

    /// Extensions of any bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// ``UnixSocket/name`` (`UDIAG_SHOW_NAME`).
    public static let name = UnixSocketExtensions(rawValue: 1 << 0)
    /// ``UnixSocket/file`` (`UDIAG_SHOW_VFS`).
    public static let file = UnixSocketExtensions(rawValue: 1 << 1)
    /// ``UnixSocket/peerInode`` (`UDIAG_SHOW_PEER`).
    public static let peer = UnixSocketExtensions(rawValue: 1 << 2)
    /// ``UnixSocket/pendingInodes`` (`UDIAG_SHOW_ICONS`).
    public static let pending = UnixSocketExtensions(rawValue: 1 << 3)
    /// ``UnixSocket/receiveQueue`` and ``UnixSocket/sendQueue`` (`UDIAG_SHOW_RQLEN`).
    public static let queues = UnixSocketExtensions(rawValue: 1 << 4)
    /// ``UnixSocket/memory`` (`UDIAG_SHOW_MEMINFO`).
    public static let memory = UnixSocketExtensions(rawValue: 1 << 5)
    /// ``UnixSocket/uid`` (`UDIAG_SHOW_UID`, kernel 5.3).
    public static let owner = UnixSocketExtensions(rawValue: 1 << 6)

    /// What a listing shows: name, peer, queues and owner.
    public static let usual: UnixSocketExtensions = [.name, .peer, .queues, .owner]
    /// Everything that this version knows.
    public static let all: UnixSocketExtensions = [.usual, .file, .pending, .memory]
}
