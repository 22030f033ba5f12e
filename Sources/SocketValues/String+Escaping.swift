extension String {
    /// Text that strangers chose, made safe for a terminal and for a line: control and invisible formatting characters,
    /// line ends, and bytes that are no UTF-8 become `\x1b`, a backslash becomes `\\`.
    package init(escaping text: some Sequence<UInt8>) {
        self.init()
        let bytes = Array(text)
        var offset = 0
        var input = bytes.makeIterator()
        var parser = Unicode.UTF8.ForwardParser()
        while true {
            switch parser.parseScalar(from: &input) {
            case .emptyInput: return
            case .valid(let encoded):
                let scalar = Unicode.UTF8.decode(encoded)
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator: encoded.forEach { appendEscape(of: $0) }
                default: unicodeScalars.append(contentsOf: scalar == "\\" ? [scalar, scalar] : [scalar])
                }
                offset += encoded.count
            case .error(let length):
                bytes[offset..<(offset + length)].forEach { appendEscape(of: $0) }
                offset += length
            }
        }
    }

    private mutating func appendEscape(of byte: UInt8) {
        append(byte < 0x10 ? "\\x0" : "\\x")
        append(String(byte, radix: 16))
    }
}
