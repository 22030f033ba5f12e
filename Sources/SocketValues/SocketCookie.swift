/// The kernel's name for one socket: never used twice between two boots, and kept from the half-open request
/// through the connection to the end of TIME_WAIT.
///
/// It is given when it is first asked for, as by a dump. A connection that nobody asked for before its TIME_WAIT gets
/// one there, which the descriptor that is still open does not share.
///
/// Cookies come from per-CPU blocks: which of two is greater says nothing about age, so they are not `Comparable`.
///
/// Source: `sock_gen_cookie()`, `SO_COOKIE` (kernel 4.12), `idiag_cookie`.
public struct SocketCookie: RawRepresentable, Hashable, Sendable {
    /// The 64 bits.
    public var rawValue: UInt64

    /// A cookie of the given 64 bits.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// No socket's cookie: in a lookup, whichever socket has the endpoints now (`INET_DIAG_NOCOOKIE`).
    public static let any = SocketCookie(rawValue: .max)
}

extension SocketCookie: LosslessStringConvertible {
    /// Lower-case hexadecimal without `0x`, as in the `sk:` of `ss -e`.
    public var description: String { String(rawValue, radix: 16) }

    /// Reads hexadecimal, with or without `0x`.
    public init?(_ description: String) {
        let digits = description.hasPrefix("0x") ? description.dropFirst(2) : description[...]
        guard digits.allSatisfy(\.isHexDigit), let value = UInt64(digits, radix: 16) else { return nil }
        self.init(rawValue: value)
    }
}
