/// The addresses that begin with the same bits: an address and how many of its leading bits count.
///
/// ```swift
/// let documentation = IPNetwork("192.0.2.0/24")        // also "10/8", as network tools abbreviate it
/// documentation?.contains(IPAddress(ipv4: 0xc0000201)) // true, and so is ::ffff:192.0.2.1
/// ```
///
/// Source: RFC 4632, RFC 4291 section 2.3.
public struct IPNetwork: Hashable, Sendable {
    /// The first address; its bits behind the prefix are zero.
    public let address: IPAddress
    /// The number of leading bits that count: 0...32 for IPv4, 0...128 for IPv6.
    public let prefixLength: Int

    /// The network of an address; nil where the family has no prefix of that length.
    public init?(_ address: IPAddress, prefixLength: Int) {
        guard 0...address.bitWidth ~= prefixLength else { return nil }
        let mask = Self.mask(address.family, prefixLength)
        self.address =
            address.family == .ipv4
            ? IPAddress(ipv4: UInt32(truncatingIfNeeded: address.low & mask.low))
            : IPAddress(ipv6: address.high & mask.high, address.low & mask.low)
        self.prefixLength = prefixLength
    }

    /// The network of one address alone.
    public init(_ address: IPAddress) {
        self.address = address
        prefixLength = address.bitWidth
    }

    /// Every IPv4 address, `0.0.0.0/0`.
    public static let allIPv4 = IPNetwork(.anyIPv4, bits: 0)
    /// Every IPv6 address, `::/0`.
    public static let allIPv6 = IPNetwork(.anyIPv6, bits: 0)

    private init(_ address: IPAddress, bits: Int) {
        self.address = address
        prefixLength = bits
    }

    /// Whether the address begins with the network's bits. An IPv4 network contains the IPv4-mapped addresses of its
    /// own too, as the kernel's filters have it; an IPv6 network contains no IPv4 address.
    public func contains(_ address: IPAddress) -> Bool {
        let candidate = self.address.family == .ipv4 ? address.unmapped : address
        guard candidate.family == self.address.family else { return false }
        let mask = Self.mask(candidate.family, prefixLength)
        return (candidate.high ^ self.address.high) & mask.high | (candidate.low ^ self.address.low) & mask.low == 0
    }

    /// The bits that count, as ``IPAddress`` lays them out.
    private static func mask(_ family: AddressFamily, _ length: Int) -> (high: UInt64, low: UInt64) {
        // A shift by the whole width gives zero.
        guard family != .ipv4 else { return (0, (UInt64.max << UInt64(32 - length)) & 0xffff_ffff) }
        return (.max << UInt64(64 - min(length, 64)), .max << UInt64(128 - max(length, 64)))
    }
}

extension IPAddress {
    /// The number of bits of an address of the family.
    fileprivate var bitWidth: Int { family == .ipv4 ? 32 : 128 }
}

extension IPNetwork: LosslessStringConvertible {
    /// Reads an address of either family, or an address and a prefix length: `192.0.2.0/24`, `2001:db8::/32`. An IPv4
    /// address with a prefix length may leave out its last numbers where they are zero: `10/8`, `192.0.2/24`.
    public init?(_ description: String) {
        let parts = description.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            guard let address = IPAddress(description) else { return nil }
            self.init(address)
            return
        }
        guard !parts[1].hasPrefix("+"), let length = Int(parts[1]),
            let address = IPAddress(String(parts[0])) ?? Self.abbreviated(parts[0])
        else { return nil }
        self.init(address, prefixLength: length)
    }

    private static func abbreviated(_ text: Substring) -> IPAddress? {
        let missing = 3 - text.utf8.count { $0 == UInt8(ascii: ".") }
        guard missing > 0 else { return nil }
        return IPAddress(text + String(repeating: ".0", count: missing))
    }

    /// The canonical form: `192.0.2.0/24`, `2001:db8::/32`; the address alone where all of its bits count.
    public var description: String {
        prefixLength == address.bitWidth ? address.description : "\(address)/\(prefixLength)"
    }
}
