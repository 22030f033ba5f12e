/// A value of a JSON text (RFC 8259), as far as the records of a test run need it: a few names at little depth.
enum JSONValue {
    case object([String: JSONValue])
    case array([JSONValue])
    case text(String)
    case number(Double)
    case other

    /// Reads a text; nil where it is none, or nested more than 32 deep.
    init?(_ bytes: some Collection<UInt8>) {
        var reader = Reader(rest: Array(bytes)[...])
        guard let value = reader.value(depth: 0) else { return nil }
        reader.skipSpace()
        guard reader.rest.isEmpty else { return nil }
        self = value
    }

    /// The member of an object.
    subscript(name: String) -> JSONValue? { if case .object(let members) = self { members[name] } else { nil } }

    var text: String? { if case .text(let text) = self { text } else { nil } }
    var number: Double? { if case .number(let number) = self { number } else { nil } }
}

private struct Reader {
    var rest: ArraySlice<UInt8>

    mutating func skipSpace() { rest = rest.drop { $0 == 0x20 || (0x09...0x0d).contains($0) } }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard rest.first == byte else { return false }
        rest.removeFirst()
        return true
    }

    mutating func value(depth: Int) -> JSONValue? {
        skipSpace()
        guard depth < 32, let first = rest.first else { return nil }
        switch first {
        case UInt8(ascii: "{"): return object(depth)
        case UInt8(ascii: "["): return array(depth)
        case .quote: return string().map { .text($0) }
        default:
            let word = rest.prefix { ![.comma, UInt8(ascii: "}"), UInt8(ascii: "]"), .space, .newline].contains($0) }
            rest = rest[word.endIndex...]
            let text = String(decoding: word, as: UTF8.self)
            if let number = Double(text) { return .number(number) }
            return ["true", "false", "null"].contains(text) ? .other : nil
        }
    }

    private mutating func object(_ depth: Int) -> JSONValue? {
        rest.removeFirst()
        var members: [String: JSONValue] = [:]
        if take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            skipSpace()
            guard rest.first == .quote, let name = string(), take(.colon), let member = value(depth: depth + 1) else {
                return nil
            }
            members[name] = member
        } while take(.comma)
        return take(UInt8(ascii: "}")) ? .object(members) : nil
    }

    private mutating func array(_ depth: Int) -> JSONValue? {
        rest.removeFirst()
        var elements: [JSONValue] = []
        if take(UInt8(ascii: "]")) { return .array(elements) }
        repeat {
            guard let element = value(depth: depth + 1) else { return nil }
            elements.append(element)
        } while take(.comma)
        return take(UInt8(ascii: "]")) ? .array(elements) : nil
    }

    /// A string in its quotation marks.
    private mutating func string() -> String? {
        rest.removeFirst()
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == .quote { return String(decoding: bytes, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            guard let escape = rest.popFirst() else { return nil }
            switch escape {
            case UInt8(ascii: "n"): bytes.append(.newline)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "r"): bytes.append(0x0d)
            case UInt8(ascii: "b"): bytes.append(0x08)
            case UInt8(ascii: "f"): bytes.append(0x0c)
            case UInt8(ascii: "u"):
                guard let scalar = scalar() else { return nil }
                bytes += Array(String(scalar).utf8)
            default: bytes.append(escape)
            }
        }
        return nil
    }

    /// The character of `\u`, whose letter is taken already; a half of a pair that has no other is U+FFFD.
    private mutating func scalar() -> Unicode.Scalar? {
        guard let unit = unit() else { return nil }
        if let scalar = Unicode.Scalar(unit) { return scalar }
        var next = self
        guard UTF16.isLeadSurrogate(unit), next.rest.popFirst() == UInt8(ascii: "\\"),
            next.rest.popFirst() == UInt8(ascii: "u"), let second = next.unit(), UTF16.isTrailSurrogate(second)
        else { return "\u{fffd}" }
        self = next
        return Unicode.Scalar(0x10000 + (UInt32(unit) & 0x3ff) << 10 + UInt32(second) & 0x3ff) ?? "\u{fffd}"
    }

    private mutating func unit() -> UInt16? {
        let digits = rest.prefix(4)
        guard digits.count == 4, let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16) else {
            return nil
        }
        rest = rest[digits.endIndex...]
        return unit
    }
}
