/// The memory that a socket uses and may use, in bytes but for ``drops``.
///
/// Source: `INET_DIAG_SKMEMINFO`, the `SK_MEMINFO_*` numbers of `<linux/sock_diag.h>`.
public struct SocketMemory: Hashable, Sendable {
    /// Received and not yet read, with the kernel's overhead (`SK_MEMINFO_RMEM_ALLOC`).
    public var rmemAlloc: UInt32
    /// The limit for the former (`SK_MEMINFO_RCVBUF`, `SO_RCVBUF`).
    public var rcvbuf: UInt32
    /// Handed to the lower layers and not yet sent (`SK_MEMINFO_WMEM_ALLOC`).
    public var wmemAlloc: UInt32
    /// The limit for what is queued to be sent (`SK_MEMINFO_SNDBUF`, `SO_SNDBUF`).
    public var sndbuf: UInt32
    /// Reserved and not in use (`SK_MEMINFO_FWD_ALLOC`).
    public var fwdAlloc: UInt32
    /// Queued to be sent or to be acknowledged (`SK_MEMINFO_WMEM_QUEUED`).
    public var wmemQueued: UInt32
    /// Used by options and filters of the socket (`SK_MEMINFO_OPTMEM`).
    public var optmem: UInt32
    /// Received while the program held the socket's lock (`SK_MEMINFO_BACKLOG`).
    public var backlog: UInt32
    /// Packets dropped for want of memory (`SK_MEMINFO_DROPS`, kernel 4.10); nil on an older kernel.
    public var drops: UInt32?

    /// Memory; 0 bytes where none are given.
    public init(
        rmemAlloc: UInt32 = 0,
        rcvbuf: UInt32 = 0,
        wmemAlloc: UInt32 = 0,
        sndbuf: UInt32 = 0,
        fwdAlloc: UInt32 = 0,
        wmemQueued: UInt32 = 0,
        optmem: UInt32 = 0,
        backlog: UInt32 = 0,
        drops: UInt32? = nil
    ) {
        (self.rmemAlloc, self.rcvbuf, self.wmemAlloc, self.sndbuf) = (rmemAlloc, rcvbuf, wmemAlloc, sndbuf)
        (self.fwdAlloc, self.wmemQueued, self.optmem, self.backlog) = (fwdAlloc, wmemQueued, optmem, backlog)
        self.drops = drops
    }

    /// Decodes the attribute; nil where it is shorter than the kernel's first version of it.
    @usableFromInline
    init?(_ value: RawSpan) {
        var fields = FieldCursor(value)
        (rmemAlloc, rcvbuf, wmemAlloc, sndbuf) = (fields.next(), fields.next(), fields.next(), fields.next())
        (fwdAlloc, wmemQueued, optmem, backlog) = (fields.next(), fields.next(), fields.next(), fields.next())
        if fields.isCutShort { return nil }
        let drops: UInt32 = fields.next()
        self.drops = fields.isCutShort ? nil : drops
    }
}

/// The memory that a socket's queues hold, in bytes.
///
/// Source: `INET_DIAG_MEMINFO`, `struct inet_diag_meminfo`.
public struct QueueMemory: Hashable, Sendable {
    /// The receive queue (`idiag_rmem`).
    public var receive: UInt32
    /// The send queue (`idiag_wmem`).
    public var send: UInt32
    /// Reserved and not in use (`idiag_fmem`).
    public var forward: UInt32
    /// Handed to the lower layers and not yet sent (`idiag_tmem`).
    public var transmit: UInt32

    /// Memory; 0 bytes where none are given.
    public init(receive: UInt32 = 0, send: UInt32 = 0, forward: UInt32 = 0, transmit: UInt32 = 0) {
        (self.receive, self.send, self.forward, self.transmit) = (receive, send, forward, transmit)
    }

    /// Decodes the attribute; nil where it is cut short.
    @usableFromInline
    init?(_ value: RawSpan) {
        var fields = FieldCursor(value)
        (receive, send, forward, transmit) = (fields.next(), fields.next(), fields.next(), fields.next())
        if fields.isCutShort { return nil }
    }
}
