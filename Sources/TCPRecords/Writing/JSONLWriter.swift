internal import SockDiag

/// JSON Lines: a record is an object on a line of its own, and what is not known is left out.
struct JSONLWriter: RecordWriter, ~Copyable {
    static var isTabular: Bool { false }
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
        append(value)
    }

    private mutating func append(_ value: FieldValue) {
        switch value {
        case .integer(let number): text.append(decimal: number)
        case .large(let number): appendQuoted { $0.append(decimal: number) }
        case .hex(let number): appendQuoted { $0.append(hex: number) }
        case .address(let address): appendQuoted { $0.append(address) }
        case .flag(let flag): text.append(flag ? "true" : "false")
        case .text(let value): text.append(json: value)
        case .words(let words): append(words, "[", "]") { $0.text.append(json: $1) }
        case .time(let nanoseconds): appendQuoted { $0.append(rfc3339: nanoseconds) }
        case .owners(let owners): append(owners)
        case .fields(let fields): append(fields, "{", "}") { $0.append(field: "\($1.name)", $1.value) }
        case .numbers(let numbers): append(numbers, "{", "}") { $0.append(field: $1.name, .integer($1.value)) }
        case .list(let values): append(values, "[", "]") { $0.append($1) }
        }
    }

    private mutating func append(field name: String, _ value: FieldValue) {
        text.append(json: name)
        text.append(.colon)
        append(value)
    }

    private mutating func append<Part>(
        _ parts: [Part],
        _ begin: StaticString,
        _ end: StaticString,
        _ append: (inout JSONLWriter, Part) -> Void
    ) {
        text.append(begin)
        for (index, part) in parts.enumerated() {
            if index > 0 { text.append(.comma) }
            append(&self, part)
        }
        text.append(end)
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
        append(owners, "[", "]") { writer, owner in
            writer.text.append("{\"pid\":")
            writer.text.append(decimal: UInt64(clamping: owner.pid))
            writer.text.append(",\"name\":")
            writer.text.append(json: owner.name.text)
            if let descriptor = owner.descriptor {
                writer.text.append(",\"fd\":")
                writer.text.append(decimal: UInt64(clamping: descriptor))
            }
            writer.text.append(UInt8(ascii: "}"))
        }
    }

    private mutating func appendKey(_ name: StaticString) {
        if needsComma { text.append(.comma) }
        text.append(.quote)
        text.append(name)
        text.append("\":")
    }

    private mutating func appendQuoted(_ write: (inout TextBuffer) -> Void) {
        text.append(.quote)
        write(&text)
        text.append(.quote)
    }
}
