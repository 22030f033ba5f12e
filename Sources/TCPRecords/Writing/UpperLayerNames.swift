package import SockDiag

// What `ss` calls the numbers of what runs above TCP: for records and tables, and back.

extension MD5Signature {
    /// The peer or its network: `192.0.2.1/32`.
    package var network: String { "\(address)/\(prefixLength)" }
}

extension TLSInfo {
    private static let versions: [(UInt16, String)] = [(0x303, "1.2"), (0x304, "1.3")]
    private static let ciphers: [(UInt16, String)] = [
        (51, "aes-gcm-128"), (52, "aes-gcm-256"), (53, "aes-ccm-128"), (54, "chacha20-poly1305"), (55, "sm4-gcm"),
        (56, "sm4-ccm"), (57, "aria-gcm-128"), (58, "aria-gcm-256"),
    ]
    private static let configurations: [(UInt16, String)] = [(1, "none"), (2, "sw"), (3, "hw"), (4, "hw-record")]

    /// `1.2`, `1.3`; the number on the wire where this version does not know it.
    package var versionName: String? {
        version.map { number in
            Self.versions.first { $0.0 == number }?.1 ?? "0x\(String(number, radix: 16))"
        }
    }

    /// As `ss` names it (`TLS_CIPHER_*` of `<linux/tls.h>`).
    package var cipherName: String? {
        cipher.map { number in Self.ciphers.first { $0.0 == number }?.1 ?? "\(number)" }
    }

    /// `TLS_CONF_*` of `<linux/tls.h>`.
    package static func name(ofConfiguration number: UInt16) -> String {
        configurations.first { $0.0 == number }?.1 ?? "\(number)"
    }

    /// The number of a version's name.
    static func version(named name: String) -> UInt16? {
        versions.first { $0.1 == name }?.0 ?? (name.hasPrefix("0x") ? UInt16(name.dropFirst(2), radix: 16) : nil)
    }

    /// The number of a cipher's name.
    static func cipher(named name: String) -> UInt16? { ciphers.first { $0.1 == name }?.0 ?? UInt16(name) }

    /// The number of a configuration's name.
    static func configuration(named name: String) -> UInt16? {
        configurations.first { $0.1 == name }?.0 ?? UInt16(name)
    }
}

extension MPTCPSubflow {
    /// The letters of `ss` for the `MPTCP_SUBFLOW_FLAG_*` bits.
    private static let letters = Array("MmJjBbecv")

    /// The letters of `ss` for the `MPTCP_SUBFLOW_FLAG_*` bits, capitals for the peer's: capable, joined, backup; then
    /// established, connected, mapped.
    package static func letters(ofFlags flags: UInt32) -> String {
        String(letters.enumerated().filter { flags >> UInt32($0.offset) & 1 == 1 }.map(\.element))
    }

    /// The bits of letters; those that are none are left out.
    static func flags(ofLetters text: String) -> UInt32 {
        letters.enumerated().reduce(0) { text.contains($1.element) ? $0 | 1 << UInt32($1.offset) : $0 }
    }
}
