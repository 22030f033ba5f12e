/// A peer for which segments are signed with a key (RFC 2385); the key itself is never read.
///
/// Source: `struct tcp_diag_md5sig` of `<linux/tcp.h>`.
public struct MD5Signature: Hashable, Sendable {
    /// The peer, or its network.
    public var address: IPAddress
    /// The number of leading bits of the address that count (`tcpm_prefixlen`).
    public var prefixLength: UInt8
    /// The key's length, bytes (`tcpm_keylen`).
    public var keyLength: UInt16

    /// A peer whose segments are signed.
    public init(address: IPAddress, prefixLength: UInt8, keyLength: UInt16) {
        (self.address, self.prefixLength, self.keyLength) = (address, prefixLength, keyLength)
    }

    /// The size of one entry: 20 bytes and the key's 80 (`TCP_MD5SIG_MAXKEYLEN`).
    private static let entrySize = 100

    /// Decodes the attribute's whole entries; one that is cut short is left out.
    @usableFromInline
    static func all(in value: RawSpan) -> [MD5Signature] {
        (0..<value.byteCount / entrySize).map { index in
            var fields = FieldCursor(value.extracting(droppingFirst: index * entrySize))
            let family = AddressFamily(rawValue: fields.next())
            let (prefixLength, keyLength) = (fields.next(as: UInt8.self), fields.next(as: UInt16.self))
            let (high, low) = (UInt64(bigEndian: fields.next()), UInt64(bigEndian: fields.next()))
            let address =
                family == .ipv6 ? IPAddress(ipv6: high, low) : IPAddress(ipv4: UInt32(truncatingIfNeeded: high >> 32))
            return MD5Signature(address: address, prefixLength: prefixLength, keyLength: keyLength)
        }
    }

    /// An entry of the attribute, without the key.
    package var bytes: [UInt8] {
        let (high, low) = address.family == .ipv6 ? address.bits : (address.bits.1 << 32, 0)
        var entry = [UInt8](repeating: 0, count: Self.entrySize)
        (entry[0], entry[1]) = (address.family.rawValue, prefixLength)
        entry.store(keyLength, at: 2)
        entry.store(high.bigEndian, at: 4)
        entry.store(low.bigEndian, at: 12)
        return entry
    }
}
