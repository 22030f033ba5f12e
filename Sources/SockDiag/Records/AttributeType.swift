/// The type of an attribute behind a socket's message.
///
/// Source: the `INET_DIAG_*` numbers of `<linux/inet_diag.h>`.
public struct AttributeType: RawRepresentable, Hashable, Sendable {
    /// The kernel's number, without the flags of the netlink format.
    public var rawValue: UInt16

    /// A type of any number.
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// `INET_DIAG_MEMINFO`
    public static let memory = AttributeType(rawValue: 1)
    /// `INET_DIAG_INFO`: `struct tcp_info`, or the protocol's own.
    public static let info = AttributeType(rawValue: 2)
    /// `INET_DIAG_VEGASINFO`
    public static let vegas = AttributeType(rawValue: 3)
    /// `INET_DIAG_CONG`
    public static let congestion = AttributeType(rawValue: 4)
    /// `INET_DIAG_TOS`
    public static let tos = AttributeType(rawValue: 5)
    /// `INET_DIAG_TCLASS`
    public static let trafficClass = AttributeType(rawValue: 6)
    /// `INET_DIAG_SKMEMINFO`
    public static let socketMemory = AttributeType(rawValue: 7)
    /// `INET_DIAG_SHUTDOWN`
    public static let shutdown = AttributeType(rawValue: 8)
    /// `INET_DIAG_DCTCPINFO`
    public static let dctcp = AttributeType(rawValue: 9)
    /// `INET_DIAG_PROTOCOL`
    public static let `protocol` = AttributeType(rawValue: 10)
    /// `INET_DIAG_SKV6ONLY`
    public static let ipv6Only = AttributeType(rawValue: 11)
    /// `INET_DIAG_MARK`
    public static let mark = AttributeType(rawValue: 15)
    /// `INET_DIAG_BBRINFO`
    public static let bbr = AttributeType(rawValue: 16)
    /// `INET_DIAG_CLASS_ID`
    public static let classID = AttributeType(rawValue: 17)
    /// `INET_DIAG_MD5SIG`
    public static let md5Signatures = AttributeType(rawValue: 18)
    /// `INET_DIAG_ULP_INFO`
    public static let upperLayerProtocol = AttributeType(rawValue: 19)
    /// `INET_DIAG_CGROUP_ID`
    public static let cgroupID = AttributeType(rawValue: 21)
    /// `INET_DIAG_SOCKOPT`
    public static let socketOptions = AttributeType(rawValue: 22)
}
