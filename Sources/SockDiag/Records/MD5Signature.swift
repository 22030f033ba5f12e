/// A peer for which segments are signed with a key (RFC 2385); the key itself is never read.
///
/// Source: `struct tcp_diag_md5sig` of `<linux/tcp.h>`.
public struct MD5Signature: Hashable, Sendable {
    /// The peer, or its network.
    public var address: IPAddress
    /// How many leading bits of the address count (`tcpm_prefixlen`).
    public var prefixLength: UInt8
    /// The key's length, bytes (`tcpm_keylen`).
    public var keyLength: UInt16

    /// The size of one entry: 20 bytes and the key's 80 (`TCP_MD5SIG_MAXKEYLEN`).
    private static let entrySize = 100

    /// Decodes the attribute's whole entries; one that is cut short is left out.
    @usableFromInline
    static func all(in value: RawSpan) -> [MD5Signature] {
        (0..<value.byteCount / entrySize).compactMap { index in
            let start = index * entrySize
            guard let family: UInt8 = value.number(at: start), let prefixLength: UInt8 = value.number(at: start + 1),
                let keyLength: UInt16 = value.number(at: start + 2), let first: UInt32 = value.number(at: start + 4),
                let high: UInt64 = value.number(at: start + 4), let low: UInt64 = value.number(at: start + 12)
            else { return nil }
            let address =
                AddressFamily(rawValue: family) == .ipv6
                ? IPAddress(ipv6: UInt64(bigEndian: high), UInt64(bigEndian: low))
                : IPAddress(ipv4: UInt32(bigEndian: first))
            return MD5Signature(address: address, prefixLength: prefixLength, keyLength: keyLength)
        }
    }
}
