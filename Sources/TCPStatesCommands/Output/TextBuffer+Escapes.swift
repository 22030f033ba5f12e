extension TextBuffer {
    /// Appends text that another user can choose so that it cannot steer the terminal: control characters become
    /// `\x1b`. A backslash stays alone: systemd's names are full of them.
    mutating func append(printable text: String) {
        append(text) { $0.isControl && $1.append("\\x", hex: $0) }
    }

    /// Appends text as a JSON string (RFC 8259, section 7), with every control character escaped.
    mutating func append(json text: String) {
        append(.quote)
        append(text) { character, buffer in
            switch character {
            case .quote: buffer.append("\\\"")
            case UInt8(ascii: "\\"): buffer.append("\\\\")
            case UInt8(ascii: "\n"): buffer.append("\\n")
            case UInt8(ascii: "\t"): buffer.append("\\t")
            default: return character.isControl && buffer.append("\\u00", hex: character)
            }
            return true
        }
        append(.quote)
    }

    /// Appends text as a CSV field (RFC 4180), with control characters as in ``append(printable:)``: a record is a line.
    mutating func append(csv text: String) {
        guard text.utf8.contains(where: { $0 == .comma || $0 == .quote }) else { return append(printable: text) }
        append(.quote)
        append(text) { character, buffer in
            guard character != .quote else {
                buffer.append("\"\"")
                return true
            }
            return character.isControl && buffer.append("\\x", hex: character)
        }
        append(.quote)
    }

    /// Appends a character's two digits behind a prefix; true, as an escape that was written.
    private mutating func append(_ prefix: StaticString, hex character: UInt8) -> Bool {
        append(prefix)
        append(.hexDigit(character >> 4))
        append(.hexDigit(character))
        return true
    }

    /// Appends the text's bytes but for those that `escape` writes in another way. A control character of two bytes
    /// (U+0080…U+009F, C1) is offered as one: its number.
    private mutating func append(_ text: String, escape: (UInt8, inout TextBuffer) -> Bool) {
        var text = text
        text.withUTF8 { utf8 in
            var index = 0
            while index < utf8.count {
                let byte = utf8[index]
                // The text is valid UTF-8: behind this lead byte there is another.
                let isC1 = byte == 0xc2 && utf8[index + 1].isControl
                let character = isC1 ? utf8[index + 1] : byte
                if byte >= 0x80 && !isC1 || !escape(character, &self) { append(byte) }
                index += isC1 ? 2 : 1
            }
        }
    }
}

extension UInt8 {
    /// Whether it is the number of a control character: C0, DEL or C1.
    fileprivate var isControl: Bool { self < 0x20 || (0x7f...0x9f).contains(self) }
}
