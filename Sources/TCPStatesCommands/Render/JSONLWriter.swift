internal import SockDiag
internal import SocketOwners

/// JSON Lines: a record is an object on a line of its own, and what is not known is left out.
struct JSONLWriter: RecordWriter, ~Copyable {
    var text = TextBuffer()
    /// The object that is begun and has no field yet.
    private var pending: StaticString?
    private var isInObject = false
    private var needsComma = false

    func writeHeader(_ describe: (inout JSONLWriter) -> Void) {}

    mutating func begin(_ type: StaticString) {
        text.append("{\"schema\":")
        text.append(decimal: recordSchema)
        text.append(",\"type\":\"")
        text.append(type)
        text.append(.quote)
        needsComma = true
    }

    mutating func add(_ name: StaticString, _ value: FieldValue?) {
        guard let value else { return }
        if let object = pending {
            appendKey(object)
            text.append(UInt8(ascii: "{"))
            pending = nil
            isInObject = true
            needsComma = false
        }
        appendKey(name)
        needsComma = true
        switch value {
        case .integer(let number): text.append(decimal: number)
        case .large(let number): appendQuoted { $0.append(decimal: number) }
        case .hex(let number): appendQuoted { $0.append(hex: number) }
        case .address(let address): appendQuoted { $0.append(address) }
        case .flag(let flag): text.append(flag ? "true" : "false")
        case .text(let value): text.append(json: value)
        case .words(let words): append(words)
        case .time(let nanoseconds): appendQuoted { $0.append(rfc3339: nanoseconds) }
        case .owners(let owners): append(owners)
        }
    }

    mutating func beginObject(_ name: StaticString) { pending = name }

    mutating func endObject() {
        pending = nil
        guard isInObject else { return }
        text.append(UInt8(ascii: "}"))
        isInObject = false
        needsComma = true
    }

    mutating func end() { text.append("}\n") }

    private mutating func append(_ owners: [SocketOwner]) {
        text.append(UInt8(ascii: "["))
        for (index, owner) in owners.enumerated() {
            text.append(index == 0 ? "{\"pid\":" : ",{\"pid\":")
            text.append(decimal: UInt64(owner.pid))
            text.append(",\"name\":")
            text.append(json: owner.name.text)
            text.append(",\"fd\":")
            text.append(decimal: UInt64(owner.descriptor))
            text.append(UInt8(ascii: "}"))
        }
        text.append(UInt8(ascii: "]"))
    }

    private mutating func appendKey(_ name: StaticString) {
        if needsComma { text.append(.comma) }
        text.append(.quote)
        text.append(name)
        text.append("\":")
    }

    private mutating func append(_ words: [String]) {
        text.append(UInt8(ascii: "["))
        for (index, word) in words.enumerated() {
            if index > 0 { text.append(.comma) }
            text.append(json: word)
        }
        text.append(UInt8(ascii: "]"))
    }

    private mutating func appendQuoted(_ write: (inout TextBuffer) -> Void) {
        text.append(.quote)
        write(&text)
        text.append(.quote)
    }
}
