/// A value of a JSON text (RFC 8259), with its place in it.
package struct JSONValue: Sendable {
    /// What it is.
    enum Kind: Sendable {
        /// The members in their order; of several with one name the last counts.
        case object([(name: String, value: JSONValue)])
        case array([JSONValue])
        case text(String)
        /// A number without sign, fraction and exponent that 64 bits hold.
        case integer(UInt64)
        case number(Double)
        case flag(Bool)
        case null
    }

    let kind: Kind
    /// How many bytes of the text are before it.
    let offset: Int

    init(_ kind: Kind, at offset: Int) { (self.kind, self.offset) = (kind, offset) }

    /// Reads a text.
    ///
    /// - Throws: ``RecordError`` where it is none, or nested more than 32 deep.
    package init(_ text: some Collection<UInt8>) throws(RecordError) {
        var parser = JSONParser(text)
        self = try parser.whole()
    }

    /// The members of an object; nil of anything else.
    var members: [(name: String, value: JSONValue)]? { if case .object(let members) = kind { members } else { nil } }
    /// The member of an object.
    package subscript(name: String) -> JSONValue? { members?.last { $0.name == name }?.value }

    /// The text that it is.
    package var text: String? { if case .text(let text) = kind { text } else { nil } }
    /// The number that it is.
    package var number: Double? {
        switch kind {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }
}

/// Reads JSON from the first byte to the last.
private struct JSONParser {
    private let bytes: [UInt8]
    private var offset = 0

    /// No text is nested deeper: the stack of the reader is not the writer's to fill.
    private static let deepest = 32

    init(_ text: some Collection<UInt8>) { bytes = Array(text) }

    mutating func whole() throws(RecordError) -> JSONValue {
        let value = try value(depth: 0)
        skipSpace()
        guard offset == bytes.count else { throw RecordError(at: offset, "expected nothing behind the value") }
        return value
    }

    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == .space || byte == .newline || byte == 0x09 || byte == 0x0d { offset += 1 }
    }

    /// Takes a byte behind any space, where it is the next.
    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard next == byte else { return false }
        offset += 1
        return true
    }

    private mutating func value(depth: Int) throws(RecordError) -> JSONValue {
        skipSpace()
        let start = offset
        guard depth < Self.deepest else { throw RecordError(at: start, "nested too deep") }
        switch next {
        case UInt8(ascii: "{"): return JSONValue(.object(try members(depth)), at: start)
        case UInt8(ascii: "["): return JSONValue(.array(try elements(depth)), at: start)
        case .quote: return JSONValue(.text(try string()), at: start)
        case UInt8(ascii: "t"): return try word("true", .flag(true))
        case UInt8(ascii: "f"): return try word("false", .flag(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case nil: throw RecordError(at: start, "the line ends where a value is expected")
        default: return try number()
        }
    }

    private mutating func word(_ word: String, _ kind: JSONValue.Kind) throws(RecordError) -> JSONValue {
        guard bytes[offset...].starts(with: word.utf8) else { throw RecordError(at: offset, "expected a value") }
        defer { offset += word.utf8.count }
        return JSONValue(kind, at: offset)
    }

    private mutating func members(_ depth: Int) throws(RecordError) -> [(name: String, value: JSONValue)] {
        offset += 1
        var members: [(name: String, value: JSONValue)] = []
        if take(UInt8(ascii: "}")) { return members }
        repeat {
            skipSpace()
            guard next == .quote else { throw RecordError(at: offset, "expected the name of a field") }
            let name = try string()
            guard take(.colon) else { throw RecordError(at: offset, "expected a colon") }
            members.append((name, try value(depth: depth + 1)))
        } while take(.comma)
        guard take(UInt8(ascii: "}")) else { throw RecordError(at: offset, "expected a comma or the end of an object") }
        return members
    }

    private mutating func elements(_ depth: Int) throws(RecordError) -> [JSONValue] {
        offset += 1
        var elements: [JSONValue] = []
        if take(UInt8(ascii: "]")) { return elements }
        repeat { elements.append(try value(depth: depth + 1)) } while take(.comma)
        guard take(UInt8(ascii: "]")) else { throw RecordError(at: offset, "expected a comma or the end of an array") }
        return elements
    }

    /// A number: an optional sign, digits without a leading zero, then a fraction and an exponent, where there are any.
    private mutating func number() throws(RecordError) -> JSONValue {
        let start = offset
        var isPlain = true
        if next == UInt8(ascii: "-") {
            isPlain = false
            offset += 1
        }
        let first = next
        let count = takeDigits()
        guard count > 0, first != .zero || count == 1 else { throw RecordError(at: start, "expected a value") }
        if next == .dot {
            isPlain = false
            offset += 1
            guard takeDigits() > 0 else { throw RecordError(at: offset, "expected a digit") }
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            isPlain = false
            offset += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { offset += 1 }
            guard takeDigits() > 0 else { throw RecordError(at: offset, "expected a digit") }
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if isPlain, let number = UInt64(text) { return JSONValue(.integer(number), at: start) }
        return JSONValue(.number(Double(text) ?? .infinity), at: start)
    }

    /// Takes digits, and returns how many.
    private mutating func takeDigits() -> Int {
        let start = offset
        while let byte = next, (UInt8.zero...UInt8(ascii: "9")).contains(byte) { offset += 1 }
        return offset - start
    }

    /// A string in its quotation marks.
    private mutating func string() throws(RecordError) -> String {
        offset += 1
        let start = offset
        while let byte = next, byte != .quote, byte != UInt8(ascii: "\\"), byte >= 0x20 { offset += 1 }
        if next == .quote {
            defer { offset += 1 }
            return String(decoding: bytes[start..<offset], as: UTF8.self)
        }
        var text = Array(bytes[start..<offset])
        while let byte = next {
            guard byte >= 0x20 else { throw RecordError(at: offset, "a control character in a string") }
            offset += 1
            switch byte {
            case .quote: return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text += try escaped()
            default: text.append(byte)
            }
        }
        throw RecordError(at: offset, "the line ends within a string")
    }

    /// The bytes of an escape sequence, whose backslash is taken already.
    private mutating func escaped() throws(RecordError) -> [UInt8] {
        guard let escape = next else { throw RecordError(at: offset, "the line ends within a string") }
        offset += 1
        switch escape {
        case .quote, UInt8(ascii: "\\"), UInt8(ascii: "/"): return [escape]
        case UInt8(ascii: "n"): return [.newline]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0c]
        case UInt8(ascii: "u"): return Array(String(try scalar()).utf8)
        default: throw RecordError(at: offset - 1, "no such escape sequence")
        }
    }

    /// The character of `\u`, whose letter is taken already; a half of a pair that has no other is U+FFFD.
    private mutating func scalar() throws(RecordError) -> Unicode.Scalar {
        let unit = try unit()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        let end = offset
        guard UTF16.isLeadSurrogate(unit), bytes[offset...].starts(with: "\\u".utf8) else { return "\u{fffd}" }
        offset += 2
        let second = try self.unit()
        guard UTF16.isTrailSurrogate(second) else {
            // It stands for itself.
            offset = end
            return "\u{fffd}"
        }
        let bits: UInt32 = 0x10000 + (UInt32(unit) & 0x3ff) << 10 + UInt32(second) & 0x3ff
        return Unicode.Scalar(bits) ?? "\u{fffd}"
    }

    private mutating func unit() throws(RecordError) -> UInt16 {
        let digits = bytes[offset...].prefix(4)
        let text = String(decoding: digits, as: UTF8.self)
        guard digits.count == 4, text.utf8.first != UInt8(ascii: "+"), text.utf8.first != UInt8(ascii: "-"),
            let unit = UInt16(text, radix: 16)
        else { throw RecordError(at: offset, "expected four hexadecimal digits") }
        offset += 4
        return unit
    }
}
