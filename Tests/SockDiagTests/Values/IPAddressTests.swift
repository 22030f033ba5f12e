import Glibc
import SeededRandom
import SockDiag
import Testing

/// Addresses as text, in the one form that RFC 5952 allows, and back.
struct IPAddressTests {
    private func address(_ words: [UInt16]) -> IPAddress {
        func number(_ words: ArraySlice<UInt16>) -> UInt64 { words.reduce(0) { $0 << 16 | UInt64($1) } }
        return IPAddress(ipv6: number(words[..<4]), number(words[4...]))
    }

    /// What `inet_ntop(3)` makes of it.
    private func systemText(_ words: [UInt16]) -> String {
        var bytes = words.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(AF_INET6, &bytes, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// RFC 5952, section 4 and 5, and the edges of "the longest run of zeros".
    @Test(
        arguments: [
            ([0, 0, 0, 0, 0, 0, 0, 0], "::"),
            ([0, 0, 0, 0, 0, 0, 0, 1], "::1"),
            ([1, 0, 0, 0, 0, 0, 0, 0], "1::"),
            ([0x2001, 0xdb8, 0, 0, 0, 0, 2, 1], "2001:db8::2:1"),
            ([0x2001, 0xdb8, 0, 1, 1, 1, 1, 1], "2001:db8:0:1:1:1:1:1"),  // 4.2.2: one group alone is not shortened
            ([0x2001, 0, 0, 1, 0, 0, 0, 1], "2001:0:0:1::1"),  // 4.2.3: the longest run
            ([0x2001, 0xdb8, 0, 0, 1, 0, 0, 1], "2001:db8::1:0:0:1"),  // 4.2.3: the first of two
            ([0xABCD, 0xEF, 0, 0, 0, 0, 0, 0xA], "abcd:ef::a"),  // 4.3: lower case, no leading zeros
            ([0, 1, 0, 0, 0, 0, 0, 0], "0:1::"),
            ([0, 0, 1, 0, 0, 0, 1, 0], "0:0:1::1:0"),
            ([0, 0, 0, 0, 0, 0xFFFF, 0xC000, 0x0201], "::ffff:192.0.2.1"),  // 5: mixed notation
            ([0, 0, 0, 0, 0, 0xFFFF, 0, 0], "::ffff:0.0.0.0"),
            ([0, 0, 0, 0, 0xFFFF, 0, 0xC000, 0x0201], "::ffff:0:c000:201"),  // IPv4-translated: no such prefix here
            ([1, 2, 3, 4, 5, 6, 7, 8], "1:2:3:4:5:6:7:8"),
            (
                [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF],
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
            ),
        ] as [([UInt16], String)]
    ) func anIPv6AddressHasOneFormOnly(words: [UInt16], text: String) {
        #expect(address(words).description == text)
        #expect(IPAddress(text) == address(words))
    }

    @Test func `Every IPv6 address is printed as the system prints it and read back`() {
        var generator = SplitMix64(5952)
        for _ in 0..<5000 {
            // Zeros and small groups often enough that runs of every shape occur.
            let words = (0..<8).map { _ -> UInt16 in
                let bits = UInt16(truncatingIfNeeded: generator.next())
                return generator.next() & 1 == 0 ? 0 : bits >> UInt16(generator.next() & 15)
            }
            // The system prints ::1.2.3.4, a form that RFC 4291 deprecates, and RFC 5952 wants for known prefixes only.
            guard words[..<6].contains(where: { $0 != 0 }) else { continue }
            let value = address(words)
            #expect(value.description == systemText(words))
            #expect(IPAddress(value.description) == value)
        }
    }

    @Test func `Every IPv4 address is printed as the system prints it and read back`() {
        var generator = SplitMix64(791)
        let random = (0..<5000).map { _ in UInt32(truncatingIfNeeded: generator.next()) }
        for bits in [0, 1, 0xff, 0x0a00_0001, 0x7f00_0001, 0xc000_0201, .max] + random {
            var bytes = bits.bigEndian
            var text = [CChar](repeating: 0, count: Int(INET_ADDRSTRLEN))
            inet_ntop(AF_INET, &bytes, &text, socklen_t(text.count))
            let value = IPAddress(ipv4: bits)
            #expect(value.description == String(decoding: text.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self))
            #expect(IPAddress(value.description) == value)
        }
    }

    @Test(arguments: ["2001:DB8::1", "2001:0db8:0:0:0:0:0:1", "2001:db8:0::1", "2001:db8::0.0.0.1"])
    func `Other forms of an address are read and printed in the one form`(text: String) {
        #expect(IPAddress(text)?.description == "2001:db8::1")
    }

    @Test(arguments: [
        "", " ", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 ", " 1.2.3.4", "01.2.3.4.", "1.2.3.4/8", "0x7f.0.0.1",
        ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "g::", "[::1]", "fe80::1%lo", "::1/128", "12345::",
        "localhost",
        "127.0.0.1\0", "\0", "::1\u{0}.example", "::ffff:1.2.3.256",
    ]) func `What is no address is refused`(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func `What kind of address it is`() throws {
        func kinds(_ text: String) throws -> [Bool] {
            let address = try #require(IPAddress(text))
            return [address.isAny, address.isLoopback, address.isLinkLocal, address.isIPv4Mapped]
        }
        for text in ["0.0.0.0", "::"] { #expect(try kinds(text) == [true, false, false, false]) }
        for text in ["127.0.0.1", "127.255.255.254", "::1"] { #expect(try kinds(text) == [false, true, false, false]) }
        for text in ["fe80::", "fe80::1", "febf::1"] { #expect(try kinds(text) == [false, false, true, false]) }
        for text in ["fec0::1", "fe7f::1", "128.0.0.1", "::2", "1::1"] {
            #expect(try kinds(text) == [false, false, false, false])
        }
        #expect(try kinds("::ffff:127.0.0.1") == [false, true, false, true])
        #expect(try kinds("::ffff:10.0.0.1") == [false, false, false, true])
        #expect(try kinds("1::ffff:127.0.0.1") == [false, false, false, false])
    }

    @Test func `A mapped address is another than its IPv4 one until it is unmapped`() throws {
        let mapped = try #require(IPAddress("::ffff:192.0.2.1"))
        let plain = try #require(IPAddress("192.0.2.1"))
        #expect(mapped != plain && mapped.unmapped == plain && plain.unmapped == plain)
        #expect(IPAddress.loopbackIPv6.unmapped == .loopbackIPv6)
        #expect(IPAddress(ipv4: 1) != IPAddress(ipv6: 0, 1), "the same bits of another family are another address")
    }

    @Test func `Addresses are ordered by family, then by value`() throws {
        let texts = [
            "0.0.0.0", "9.255.255.255", "10.0.0.0", "255.255.255.255", "::", "::1", "1::", "1::ffff", "2::", "ffff::",
        ]
        let addresses = try texts.map { try #require(IPAddress($0)) }
        #expect(addresses.shuffled().sorted() == addresses)
    }

    @Test func `The constants are what they are called`() {
        #expect(IPAddress.anyIPv4.description == "0.0.0.0" && IPAddress.anyIPv6.description == "::")
        #expect(IPAddress.loopbackIPv4.description == "127.0.0.1" && IPAddress.loopbackIPv6.description == "::1")
    }
}
