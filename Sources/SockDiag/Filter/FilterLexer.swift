/// The words and signs of a filter's text.
struct FilterLexer {
    struct Token {
        let kind: Kind
        let range: Range<String.Index>
    }

    enum Kind: Hashable {
        case word(String)
        /// In quotation marks: never a keyword.
        case quoted(String)
        case open, close, not, and, or
        case relation(Relation)
        case end
    }

    /// A comparison, or the negation of equality.
    enum Relation: Hashable {
        case notEqual
        case comparison(SocketFilter.Comparison)

        static let equal = Relation.comparison(.equal)
    }

    let text: String
    private var position: String.Index

    init(_ text: String) {
        self.text = text
        position = text.startIndex
    }

    /// Reads the next token; ``Kind/end`` again and again at the end.
    mutating func next() throws(SocketFilterError) -> Token {
        position = text[position...].firstIndex { !$0.isWhitespace } ?? text.endIndex
        let start = position
        guard start < text.endIndex else { return Token(kind: .end, range: start..<start) }
        if text[start] == "\"" || text[start] == "'" { return try quotation(from: start) }
        // Two signs before one: "<=" is not "<", "=".
        for length in [2, 1] {
            guard let end = text.index(start, offsetBy: length, limitedBy: text.endIndex),
                let kind = Self.signs[String(text[start..<end])]
            else { continue }
            position = end
            return Token(kind: kind, range: start..<end)
        }
        position = text[start...].firstIndex { $0.isWhitespace || Self.separators.contains($0) } ?? text.endIndex
        return Token(kind: .word(String(text[start..<position])), range: start..<position)
    }

    private static let signs: [String: Kind] = [
        "(": .open, ")": .close, "!": .not, "&": .and, "&&": .and, "|": .or, "||": .or,
        "=": .relation(.equal), "==": .relation(.equal), "!=": .relation(.notEqual),
        "<": .relation(.comparison(.less)), "<=": .relation(.comparison(.lessOrEqual)),
        ">": .relation(.comparison(.greater)), ">=": .relation(.comparison(.greaterOrEqual)),
    ]

    /// The words that mean a relation where one is expected.
    static let relations: [String: Relation] = [
        "eq": .equal, "ne": .notEqual, "neq": .notEqual,
        "lt": .comparison(.less), "le": .comparison(.lessOrEqual), "leq": .comparison(.lessOrEqual),
        "gt": .comparison(.greater), "ge": .comparison(.greaterOrEqual), "geq": .comparison(.greaterOrEqual),
    ]

    /// What ends a word.
    private static let separators: Set<Character> = ["(", ")", "!", "&", "|", "=", "<", ">", "\"", "'"]

    /// Whether a value can stand without quotation marks.
    static func isPlainWord(_ value: String) -> Bool {
        guard !value.isEmpty, !FilterParser.isReserved(value) else { return false }
        return value.unicodeScalars.allSatisfy { $0.isASCII && $0.value > 0x20 && $0.value < 0x7f && $0 != "\\" }
            && !value.contains { separators.contains($0) }
    }
}

extension FilterLexer {
    /// Reads up to the same quotation mark again; in between, a backslash escapes as in Swift.
    private mutating func quotation(from start: String.Index) throws(SocketFilterError) -> Token {
        let mark = text[start]
        var value = String.UnicodeScalarView()
        var rest = text[start...].unicodeScalars.dropFirst()
        while let scalar = rest.popFirst() {
            if Character(scalar) == mark {
                position = rest.startIndex
                return Token(kind: .quoted(String(value)), range: start..<position)
            }
            guard scalar == "\\" else {
                value.append(scalar)
                continue
            }
            guard let escaped = Self.escape(&rest) else {
                throw SocketFilterError(
                    text,
                    start..<rest.startIndex,
                    #"no such escape; there are \n, \t, \r, \0, \\, \", \' and \u{1F600}"#
                )
            }
            value.append(escaped)
        }
        throw SocketFilterError(text, start..<text.endIndex, "the closing \(mark) is missing")
    }

    private static func escape(_ rest: inout Substring.UnicodeScalarView) -> Unicode.Scalar? {
        switch rest.popFirst() {
        case "n": return "\n"
        case "t": return "\t"
        case "r": return "\r"
        case "0": return "\0"
        case "\\": return "\\"
        case "\"": return "\""
        case "'": return "'"
        case "u":
            guard rest.popFirst() == "{", let end = rest.firstIndex(of: "}"), rest[..<end].count <= 8 else {
                return nil
            }
            let digits = rest[..<end]
            rest = rest[end...].dropFirst()
            return digits.allSatisfy(\.properties.isASCIIHexDigit)
                ? UInt32(String(digits), radix: 16).flatMap(Unicode.Scalar.init) : nil
        default: return nil
        }
    }
}
