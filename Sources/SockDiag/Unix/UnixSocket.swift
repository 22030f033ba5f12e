/// One UNIX socket as the kernel described it at one moment.
///
/// ```swift
/// for socket in try client.unixSockets() where socket.state == .listen {
///     print(socket.type, socket.path ?? "unnamed", socket.receiveQueue ?? 0)
/// }
/// ```
///
/// What the kernel was not asked for, or is too old to send, is nil.
///
/// Source: `struct unix_diag_msg` and the attributes of `<linux/unix_diag.h>` (kernel 3.3).
public struct UnixSocket: Hashable, Sendable {
    /// The type: stream, datagram or sequenced packets (`udiag_type`).
    public var type: Kind

    /// The state (`udiag_state`): ``TCPState/listen``, ``TCPState/established`` where it is connected, else
    /// ``TCPState/closed``, which ``stateName`` calls `UNCONN`. A datagram socket that another one has connected to is
    /// established too (kernel 5.15).
    public var state: TCPState

    /// The inode, by which a descriptor in `/proc` and a peer name the socket (`udiag_ino`). Nil where no descriptor can,
    /// as before a connection is accepted; the kernel lists none of these (`sk_diag_dump()` of Linux 6.18).
    public var inode: UInt32?

    /// The kernel's name for the socket (`udiag_cookie`).
    public var cookie: SocketCookie

    /// The address that it is bound to, as in `sun_path` (`UNIX_DIAG_NAME`): a path without the NUL behind it, or a name of
    /// the abstract namespace with the NUL before it. Nil where it is bound to none. ``path`` is the text of it.
    public var name: [UInt8]?

    /// The file that the path is (`UNIX_DIAG_VFS`).
    public var file: File?

    /// The peer's inode (`UNIX_DIAG_PEER`); nil where it has no peer, or one that was not yet accepted.
    public var peerInode: UInt32?

    /// Of a listener: the inodes of the sockets that wait to be accepted, as their own programs hold them
    /// (`UNIX_DIAG_ICONS`).
    public var pendingInodes: [UInt32]

    /// Bytes that the program has not read, of a datagram socket those of the next datagram; for a listener the connections
    /// that wait to be accepted (`udiag_rqueue`).
    public var receiveQueue: UInt32?

    /// Bytes that the peer has not read, with the kernel's overhead; for a listener the limit of its accept queue
    /// (`udiag_wqueue`).
    public var sendQueue: UInt32?

    /// The memory of the socket and its limits (`UNIX_DIAG_MEMINFO`).
    public var memory: SocketMemory?

    /// Which directions are shut down (`UNIX_DIAG_SHUTDOWN`).
    public var shutdown: ShutdownDirections?

    /// The user that owns the socket, as seen from the reader's user namespace (`UNIX_DIAG_UID`, kernel 5.3).
    public var uid: UInt32?

    /// A file of a file system.
    public struct File: Hashable, Sendable {
        /// The file's inode (`udiag_vfs_ino`), the lower 32 bits of it.
        public var inode: UInt32
        /// The file system's device, as the kernel numbers it: 12 bits, then 20 (`udiag_vfs_dev`).
        public var device: UInt32

        /// A file.
        public init(inode: UInt32, device: UInt32) {
            self.inode = inode
            self.device = device
        }

        /// The device's numbers, as in `stat(1)` and `/proc/self/mountinfo`.
        public var deviceNumbers: (major: UInt32, minor: UInt32) { (device >> 20, device & 0xf_ffff) }
    }

    /// A socket of which no more is known than this.
    public init(
        type: Kind,
        state: TCPState,
        inode: UInt32? = nil,
        cookie: SocketCookie = .any,
        name: [UInt8]? = nil,
        file: File? = nil,
        peerInode: UInt32? = nil,
        pendingInodes: [UInt32] = [],
        receiveQueue: UInt32? = nil,
        sendQueue: UInt32? = nil,
        memory: SocketMemory? = nil,
        shutdown: ShutdownDirections? = nil,
        uid: UInt32? = nil
    ) {
        self.type = type
        self.state = state
        self.inode = inode
        self.cookie = cookie
        self.name = name
        self.file = file
        self.peerInode = peerInode
        self.pendingInodes = pendingInodes
        self.receiveQueue = receiveQueue
        self.sendQueue = sendQueue
        self.memory = memory
        self.shutdown = shutdown
        self.uid = uid
    }
}

extension UnixSocket {
    /// Whether its name is in the abstract namespace, which no file system has a part in.
    public var isAbstract: Bool { name?.first == 0 }

    /// The path that it is bound to, or its abstract name behind `@`, as text that is safe to print: what does not print,
    /// and what is no UTF-8, as `\x1b`; a backslash as `\\`. Nil where it is bound to neither. ``name`` has the bytes.
    public var path: String? {
        name.map { isAbstract ? "@" + String(escaping: $0.dropFirst()) : String(escaping: $0) }
    }

    /// The path with nothing escaped, for records, which escape by themselves; what is no UTF-8 is replaced.
    package var plainPath: String? {
        name.map {
            isAbstract ? "@" + String(decoding: $0.dropFirst(), as: UTF8.self) : String(decoding: $0, as: UTF8.self)
        }
    }

    /// The name of the state as it is printed: `LISTEN`, `ESTABLISHED` or `UNCONN`.
    public var stateName: String { state.nameWithoutConnections }
}

extension UnixSocket: CustomStringConvertible {
    /// State, type and path on one line.
    public var description: String { "\(stateName) \(type) \(path ?? "*")" }
}
