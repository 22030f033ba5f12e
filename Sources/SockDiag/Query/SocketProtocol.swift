/// The transport protocol whose sockets are asked for.
public struct SocketProtocol: RawRepresentable, Hashable, Sendable {
    /// The kernel's number (`IPPROTO_*`).
    public var rawValue: UInt16

    /// A protocol of any number.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// TCP (`IPPROTO_TCP`), the subflows of MPTCP among them.
    public static let tcp = SocketProtocol(rawValue: 6)
    /// UDP (`IPPROTO_UDP`, kernel 3.3).
    public static let udp = SocketProtocol(rawValue: 17)
    /// UDP-Lite (`IPPROTO_UDPLITE`, RFC 3828), which comes with UDP.
    public static let udpLite = SocketProtocol(rawValue: 136)
    /// Raw sockets of every protocol (`IPPROTO_RAW`, kernel 4.10); ``SocketFields/innerProtocol`` says of which.
    public static let raw = SocketProtocol(rawValue: 255)
    /// The sockets of MPTCP themselves (`IPPROTO_MPTCP`, kernel 5.9); each has a cookie of its own.
    public static let mptcp = SocketProtocol(rawValue: 262)

    /// Whether its sockets go through the states of TCP. Those of other protocols have a peer or have none.
    @inlinable public var hasTCPStates: Bool { self == .tcp || self == .mptcp }
}

extension SocketProtocol: CustomStringConvertible {
    /// `TCP`, `UDP`, `UDP-Lite`, `RAW`, `MPTCP` or `protocol <n>`.
    public var description: String {
        switch self {
        case .tcp: "TCP"
        case .udp: "UDP"
        case .udpLite: "UDP-Lite"
        case .raw: "RAW"
        case .mptcp: "MPTCP"
        default: "protocol \(rawValue)"
        }
    }
}

extension SocketProtocol {
    /// What makes a kernel answer that does not know the protocol; nil where nothing particular is known.
    var remedyForUnsupported: String? {
        switch self {
        case .udp, .udpLite:
            "the kernel needs CONFIG_INET_DIAG and CONFIG_INET_UDP_DIAG (modules inet_diag and udp_diag)"
        case .raw: "the kernel needs CONFIG_INET_DIAG and CONFIG_INET_RAW_DIAG (modules inet_diag and raw_diag)"
        case .mptcp: "the kernel needs CONFIG_MPTCP and CONFIG_INET_MPTCP_DIAG (Linux 5.9, module mptcp_diag)"
        default: nil
        }
    }
}
