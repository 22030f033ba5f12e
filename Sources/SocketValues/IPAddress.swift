/// An IPv4 or IPv6 address.
///
/// Ordered by family, then by value. Prints in the canonical form of RFC 5952.
public struct IPAddress: Hashable, Sendable {
    /// The upper 64 bits of an IPv6 address, 0 for IPv4; as a number, whatever the machine's byte order.
    @usableFromInline package let high: UInt64
    /// The lower 64 bits of an IPv6 address, or the 32 bits of an IPv4 one.
    @usableFromInline package let low: UInt64
    /// The family.
    public let family: AddressFamily

    /// An IPv4 address from its 32 bits as a number: `0x7f000001` is 127.0.0.1.
    @inlinable
    public init(ipv4 bits: UInt32) {
        high = 0
        low = UInt64(bits)
        family = .ipv4
    }

    /// An IPv6 address from its bits as two numbers: `(0, 1)` is ::1.
    @inlinable
    public init(ipv6 high: UInt64, _ low: UInt64) {
        self.high = high
        self.low = low
        family = .ipv6
    }

    /// The bits as two numbers, an IPv4 address in the second.
    @inlinable package var bits: (UInt64, UInt64) { (high, low) }

    /// 0.0.0.0
    public static let anyIPv4 = IPAddress(ipv4: 0)
    /// ::
    public static let anyIPv6 = IPAddress(ipv6: 0, 0)
    /// 127.0.0.1
    public static let loopbackIPv4 = IPAddress(ipv4: 0x7f00_0001)
    /// ::1
    public static let loopbackIPv6 = IPAddress(ipv6: 0, 1)

    /// Whether it is 0.0.0.0 or ::.
    @inlinable public var isAny: Bool { high == 0 && low == 0 }
    /// Whether it is ::ffff:a.b.c.d, an IPv4 peer of an IPv6 socket (RFC 4291, section 2.5.5.2).
    @inlinable public var isIPv4Mapped: Bool { family == .ipv6 && high == 0 && low >> 32 == 0xffff }
    /// Whether it is in fe80::/10, valid on one link alone (RFC 4291, section 2.5.6).
    @inlinable public var isLinkLocal: Bool { family == .ipv6 && high >> 54 == 0xfe80 >> 6 }
    /// Whether it is in 127.0.0.0/8, ::1 or an IPv4-mapped one of the former.
    public var isLoopback: Bool {
        switch family {
        case .ipv4: low >> 24 == 127
        default: self == .loopbackIPv6 || (isIPv4Mapped && (low >> 24) & 0xff == 127)
        }
    }
    /// The IPv4 address of an IPv4-mapped one; any other is itself.
    @inlinable public var unmapped: IPAddress { isIPv4Mapped ? IPAddress(ipv4: UInt32(truncatingIfNeeded: low)) : self }
}

extension IPAddress: Comparable {
    /// By family, then by value.
    public static func < (left: IPAddress, right: IPAddress) -> Bool {
        (left.family.rawValue, left.high, left.low) < (right.family.rawValue, right.high, right.low)
    }
}

extension IPAddress: LosslessStringConvertible {
    /// Reads the textual form of either family, without brackets, prefix length or scope: what `inet_pton(3)` reads.
    public init?(_ description: String) {
        let text = Array(description.utf8)
        if let bits = Self.dotted(text[...]) {
            self.init(ipv4: bits)
        } else if let (high, low) = Self.groups(text[...]) {
            self.init(ipv6: high, low)
        } else {
            return nil
        }
    }

    /// Four decimal numbers below 256 without leading zeros.
    private static func dotted(_ text: ArraySlice<UInt8>) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard 1...3 ~= part.count, part.count == 1 || part.first != UInt8(ascii: "0") else { return nil }
            var number: UInt32 = 0
            for digit in part {
                guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= digit else { return nil }
                number = number * 10 + UInt32(digit - UInt8(ascii: "0"))
            }
            guard number < 256 else { return nil }
            bits = bits << 8 | number
        }
        return bits
    }

    /// Eight groups of hexadecimal digits; `::` once for one or more of zeros; the last two may be an IPv4 address.
    private static func groups(_ text: ArraySlice<UInt8>) -> (UInt64, UInt64)? {
        let colon = UInt8(ascii: ":")
        var (before, after): ([UInt16], [UInt16]?) = ([], nil)
        var rest = text
        if rest.starts(with: [colon, colon]) {
            rest = rest.dropFirst(2)
            after = []
        }
        while !rest.isEmpty {
            let part = rest.prefix { $0 != colon }
            rest = rest.dropFirst(part.count)
            var found: [UInt16]
            if rest.isEmpty, let bits = dotted(part) {
                found = [UInt16(truncatingIfNeeded: bits >> 16), UInt16(truncatingIfNeeded: bits)]
            } else {
                let digits = String(decoding: part, as: UTF8.self)
                guard 1...4 ~= part.count, digits.allSatisfy(\.isHexDigit), let group = UInt16(digits, radix: 16) else {
                    return nil
                }
                found = [group]
            }
            if after == nil { before += found } else { after? += found }
            guard !rest.isEmpty else { break }
            rest = rest.dropFirst()
            if rest.first == colon {
                guard after == nil else { return nil }
                after = []
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        let count = before.count + (after?.count ?? 0)
        guard after == nil ? count == 8 : count < 8 else { return nil }
        let groups = before + [UInt16](repeating: 0, count: 8 - count) + (after ?? [])
        func number(_ groups: ArraySlice<UInt16>) -> UInt64 { groups.reduce(0) { $0 << 16 | UInt64($1) } }
        return (number(groups[..<4]), number(groups[4...]))
    }

    /// The canonical form (RFC 5952): `192.0.2.1`, `2001:db8::1`, `::ffff:192.0.2.1`.
    public var description: String {
        let text = [UInt8](capacity: Self.longestText) { appendText(to: &$0) }
        return String(decoding: text, as: UTF8.self)
    }

    /// `INET6_ADDRSTRLEN` without its NUL.
    package static let longestText = 45

    /// Appends the canonical form as ASCII; there must be room for ``longestText``.
    package func appendText(to out: inout OutputSpan<UInt8>) {
        if family == .ipv4 {
            out.appendDotted(UInt32(truncatingIfNeeded: low))
        } else if isIPv4Mapped {
            for character in "::ffff:".utf8 { out.append(character) }
            out.appendDotted(UInt32(truncatingIfNeeded: low))
        } else {
            appendGroups(to: &out)
        }
    }

    private func appendGroups(to out: inout OutputSpan<UInt8>) {
        let gap = longestZeroRun()
        var index = 0
        while index < 8 {
            if index == gap.start, gap.count > 1 {
                out.append(UInt8(ascii: ":"))
                out.append(UInt8(ascii: ":"))
                index += gap.count
                continue
            }
            if index > 0, index != gap.start + gap.count || gap.count < 2 { out.append(UInt8(ascii: ":")) }
            out.appendGroup(group(index))
            index += 1
        }
    }

    private func group(_ index: Int) -> UInt16 {
        UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> UInt64(48 - 16 * (index & 3)))
    }

    /// The first of the longest runs of zero groups; RFC 5952 shortens no other.
    private func longestZeroRun() -> (start: Int, count: Int) {
        var best = (start: 0, count: 0)
        var run = 0
        for index in 0..<8 {
            run = group(index) == 0 ? run + 1 : 0
            if run > best.count { best = (index - run + 1, run) }
        }
        return best
    }
}

extension OutputSpan<UInt8> {
    /// Appends an IPv4 address, at most 15 bytes.
    @_lifetime(self: copy self)
    fileprivate mutating func appendDotted(_ bits: UInt32) {
        for shift in stride(from: 24, through: 0, by: -8) {
            if shift != 24 { append(UInt8(ascii: ".")) }
            let octet = UInt8(truncatingIfNeeded: bits >> shift)
            if octet >= 100 { append(UInt8(ascii: "0") + octet / 100) }
            if octet >= 10 { append(UInt8(ascii: "0") + octet / 10 % 10) }
            append(UInt8(ascii: "0") + octet % 10)
        }
    }

    /// Appends 16 bits of an IPv6 address without leading zeros, at most 4 bytes.
    @_lifetime(self: copy self)
    fileprivate mutating func appendGroup(_ group: UInt16) {
        for shift in stride(from: 12, through: 0, by: -4) where shift == 0 || group >> shift != 0 {
            let digit = UInt8(truncatingIfNeeded: group >> shift & 0xf)
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
        }
    }
}
