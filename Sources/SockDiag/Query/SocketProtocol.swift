/// The transport protocol whose sockets are asked for.
public struct SocketProtocol: RawRepresentable, Hashable, Sendable {
    /// The kernel's number (`IPPROTO_*`).
    public var rawValue: UInt16

    /// A protocol of any number.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// TCP (`IPPROTO_TCP`), the subflows of MPTCP among them.
    public static let tcp = SocketProtocol(rawValue: 6)
    /// The sockets of MPTCP themselves (`IPPROTO_MPTCP`, kernel 5.9); each has a cookie of its own.
    public static let mptcp = SocketProtocol(rawValue: 262)
}

extension SocketProtocol: CustomStringConvertible {
    /// `TCP`, `MPTCP` or `protocol <n>`.
    public var description: String {
        switch self {
        case .tcp: "TCP"
        case .mptcp: "MPTCP"
        default: "protocol \(rawValue)"
        }
    }
}
