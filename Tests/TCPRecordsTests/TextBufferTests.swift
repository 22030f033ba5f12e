import Foundation
import SockDiag
import Testing

@testable import TCPRecords

@Suite struct TextBufferTests {
    @Test(arguments: [0, 9, 10, 99, 100, 65_535, 4_294_967_295, UInt64.max])
    func numbersKeepEveryDigit(_ number: UInt64) {
        #expect(text { $0.append(decimal: number) } == String(number))
        #expect(text { $0.append(hex: number) } == String(number, radix: 16))
    }

    @Test func narrowNumbersArePaddedAndWideOnesAreWhole() {
        #expect(text { $0.append(decimal: 42, width: 6) } == "    42")
        #expect(text { $0.append(decimal: 1_234_567, width: 6) } == "1234567")
        #expect(text { $0.append(spaces: -3) }.isEmpty)
    }

    @Test(
        arguments: [
            "0.0.0.0", "255.255.255.255", "192.0.2.10", "::", "::1", "1::", "2001:db8::1:0:0:1", "2001:db8:0:1:1:1:1:1",
            "fe80::abcd:ef01", "::ffff:127.0.0.1", "1111:2222:3333:4444:5555:6666:7777:8888", "1:0:0:2::3",
        ]
    )
    func addressesAreCanonical(_ address: String) throws {
        let value = try #require(IPAddress(address))
        #expect(text { $0.append(value) } == address)
        #expect(value.description == address)
    }

    @Test func aBufferGrowsAndForgets() {
        var buffer = TextBuffer(capacity: 1)
        for number in 0..<1000 { buffer.append(decimal: UInt64(number)) }
        #expect(buffer.string == (0..<1000).map(String.init).joined())
        buffer.removeAll()
        buffer.append("x")
        #expect(buffer.string == "x")
    }

    /// Every control character, quotes, what is special to a format, and text of more than one byte.
    private static let hostile =
        String(String.UnicodeScalarView((0...0xa1).compactMap { Unicode.Scalar(UInt32($0)) }))
        + "\"\\,é€🙂\u{2028}\u{202e}\u{e0001}"

    @Test func jsonStringsComeBackAsTheyWere() throws {
        let json = text { $0.append(json: Self.hostile) }
        let object = try JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed)
        #expect(object as? String == Self.hostile)
    }

    @Test func noFormatLetsAControlCharacterThrough() {
        for escaped in [
            text { $0.append(json: Self.hostile) }, text { $0.append(csv: Self.hostile) },
            text { $0.append(printable: Self.hostile) },
        ] {
            #expect(escaped.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
            #expect(escaped.contains("é€🙂"))
        }
    }

    @Test func csvFieldsAreQuotedWhereTheyMustBe() {
        #expect(text { $0.append(csv: "plain text") } == "plain text")
        #expect(text { $0.append(csv: "a,b") } == "\"a,b\"")
        #expect(text { $0.append(csv: "say \"hi\"") } == "\"say \"\"hi\"\"\"")
        #expect(text { $0.append(csv: "\"") } == "\"\"\"\"")
        #expect(text { $0.append(csv: "\"\u{301},") } == "\"\"\"\u{301},\"")
        #expect(text { $0.append(csv: "two\nlines") } == "two\\x0alines")
    }
}

/// What `write` appends to an empty buffer.
func text(_ write: (inout TextBuffer) -> Void) -> String {
    var buffer = TextBuffer(capacity: 1)
    write(&buffer)
    return buffer.string
}
