/// The address family of a socket.
public struct AddressFamily: RawRepresentable, Hashable, Sendable {
    /// The kernel's number, as in `idiag_family`.
    public var rawValue: UInt8

    /// A family of any number.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// IPv4 (`AF_INET`).
    public static let ipv4 = AddressFamily(rawValue: 2)
    /// IPv6 (`AF_INET6`); a socket of it may still talk IPv4, with an IPv4-mapped address.
    public static let ipv6 = AddressFamily(rawValue: 10)
}

extension AddressFamily: CustomStringConvertible {
    /// `ipv4`, `ipv6` or `family_<n>`.
    public var description: String {
        switch self {
        case .ipv4: "ipv4"
        case .ipv6: "ipv6"
        default: "family_\(rawValue)"
        }
    }
}
