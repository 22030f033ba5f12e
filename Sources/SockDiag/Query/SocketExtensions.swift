/// What a query asks for beyond the fixed fields. The kernel sends shutdown, cgroup and socket options unasked.
///
/// Source: `idiag_ext`, in which bit *n*−1 asks for attribute *n* of `<linux/inet_diag.h>`.
public struct SocketExtensions: OptionSet, Hashable, Sendable {
    /// The bits, as in `idiag_ext`.
    public var rawValue: UInt8

    /// Extensions of any bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// ``SocketFields/queueMemory`` (`INET_DIAG_MEMINFO`).
    public static let queueMemory = SocketExtensions(rawValue: 1 << 0)
    /// ``SocketFields/tcpInfo`` (`INET_DIAG_INFO`), and with it ``SocketFields/upperLayerProtocol`` and
    /// ``SocketFields/md5Signatures``.
    public static let info = SocketExtensions(rawValue: 1 << 1)
    /// ``SocketFields/congestionInfo`` (`INET_DIAG_VEGASINFO`).
    public static let congestionInfo = SocketExtensions(rawValue: 1 << 2)
    /// ``SocketFields/congestion`` (`INET_DIAG_CONG`).
    public static let congestion = SocketExtensions(rawValue: 1 << 3)
    /// ``SocketFields/tos`` (`INET_DIAG_TOS`).
    public static let tos = SocketExtensions(rawValue: 1 << 4)
    /// ``SocketFields/trafficClass`` and ``SocketFields/classID`` (`INET_DIAG_TCLASS`).
    public static let trafficClass = SocketExtensions(rawValue: 1 << 5)
    /// ``SocketFields/memory`` (`INET_DIAG_SKMEMINFO`).
    public static let memory = SocketExtensions(rawValue: 1 << 6)
    /// ``SocketFields/shutdown`` (`INET_DIAG_SHUTDOWN`).
    public static let shutdown = SocketExtensions(rawValue: 1 << 7)
    /// Everything that the kernel has.
    public static let all = SocketExtensions(rawValue: 0xff)
}
