internal import SocketValues

extension TextBuffer {
    /// Appends text that another user can choose so that it cannot steer the terminal: `\x1b` for a control character,
    /// as ``Swift/String/init(escaping:)`` does.
    package mutating func append(printable text: String) {
        append(text.isHarmless ? text : String(escaping: text.utf8))
    }

    /// Appends text as a JSON string (RFC 8259, section 7). What could steer a terminal is escaped too.
    package mutating func append(json text: String) {
        append(.quote)
        if text.isHarmless {
            append(text)
        } else {
            for scalar in text.unicodeScalars { append(json: scalar) }
        }
        append(.quote)
    }

    private mutating func append(json scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": append("\\\"")
        case "\\": append("\\\\")
        case "\n": append("\\n")
        case "\t": append("\\t")
        default:
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                for unit in scalar.utf16 {
                    append("\\u")
                    for shift in stride(from: 12, through: 0, by: -4) { append(.hexDigit(unit >> UInt16(shift))) }
                }
            default: for byte in scalar.utf8 { append(byte) }
            }
        }
    }

    /// Appends text as a CSV field (RFC 4180), escaped as ``append(printable:)`` does: a record is a line.
    package mutating func append(csv text: String) {
        guard !text.isHarmless else { return append(text) }
        let text = String(escaping: text.utf8)
        guard text.utf8.contains(where: { $0 == .comma || $0 == .quote }) else { return append(text) }
        append(.quote)
        for byte in text.utf8 {
            if byte == .quote { append(.quote) }
            append(byte)
        }
        append(.quote)
    }
}

extension String {
    /// Whether every format shows it as it is: letters, digits, blanks and most signs of ASCII.
    fileprivate var isHarmless: Bool {
        utf8.allSatisfy { byte in
            switch byte {
            case .quote, .comma, UInt8(ascii: "\\"): false
            default: (0x20...0x7e).contains(byte)
            }
        }
    }
}
