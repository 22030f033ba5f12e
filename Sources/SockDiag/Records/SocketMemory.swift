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

    /// Decodes the attribute; nil where it is shorter than the kernel's first version of it.
    @usableFromInline
    init?(_ value: RawSpan) {
        guard value.byteCount >= 32 else { return nil }
        func word(_ index: Int) -> UInt32 { value.unsafeLoadUnaligned(fromByteOffset: 4 * index, as: UInt32.self) }
        (rmemAlloc, rcvbuf, wmemAlloc, sndbuf) = (word(0), word(1), word(2), word(3))
        (fwdAlloc, wmemQueued, optmem, backlog) = (word(4), word(5), word(6), word(7))
        drops = value.number(at: 32)
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

    /// Decodes the attribute; nil where it is cut short.
    @usableFromInline
    init?(_ value: RawSpan) {
        guard let receive: UInt32 = value.number(at: 0), let send: UInt32 = value.number(at: 4),
            let forward: UInt32 = value.number(at: 8), let transmit: UInt32 = value.number(at: 12)
        else { return nil }
        (self.receive, self.send, self.forward, self.transmit) = (receive, send, forward, transmit)
    }
}
