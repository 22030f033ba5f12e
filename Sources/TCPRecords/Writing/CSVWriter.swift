internal import SockDiag

/// Comma-separated values (RFC 4180, but for lines that end in LF alone): the names are in a header line, a field of an
/// object is named `timer.kind`, and what is not known is empty.
struct CSVWriter: RecordWriter, ~Copyable {
    static var isTabular: Bool { true }
    var text = TextBuffer()
    private var isHeader = false
    private var object: StaticString?

    mutating func writeHeader(_ describe: (inout CSVWriter) -> Void) {
        isHeader = true
        describe(&self)
        isHeader = false
    }

    mutating func begin(_ type: StaticString) {
        guard !isHeader else { return text.append("schema,type") }
        text.append(decimal: recordSchema)
        text.append(.comma)
        text.append(type)
    }

    mutating func add(_ name: StaticString, _ value: FieldValue?) {
        text.append(.comma)
        guard !isHeader else { return appendName(name) }
        switch value {
        case .integer(let number), .large(let number): text.append(decimal: number)
        case .hex(let number): text.append(hex: number)
        case .address(let address): text.append(address)
        case .flag(let flag): text.append(flag ? "true" : "false")
        case .text(let value): text.append(csv: value)
        case .words(let words): text.append(csv: words.joined(separator: " "))
        case .time(let nanoseconds): text.append(rfc3339: nanoseconds)
        case .owners(let owners): append(owners)
        case .fields, .numbers, .list: text.append(csv: value.map(Self.plain) ?? "")
        case nil: break
        }
    }

    /// A value within another.
    private static func plain(_ value: FieldValue) -> String {
        switch value {
        case .fields(let fields): fields.map { "\($0.name)=\(plain($0.value))" }.joined(separator: " ")
        case .numbers(let numbers): numbers.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
        case .list(let values): values.map(plain).joined(separator: " | ")
        case .text(let text): text
        case .integer(let number), .large(let number): "\(number)"
        default: ""
        }
    }

    /// `nginx(4711):8 nginx(4712)`, escaped once, as any text.
    private mutating func append(_ owners: [SocketOwner]) {
        let words = owners.map { owner in
            "\(owner.name.text)(\(max(0, owner.pid)))" + (owner.descriptor.map { ":\(max(0, $0))" } ?? "")
        }
        text.append(csv: words.joined(separator: " "))
    }

    mutating func beginObject(_ name: StaticString) { object = name }

    mutating func endObject() { object = nil }

    mutating func end() { text.append(.newline) }

    private mutating func appendName(_ name: StaticString) {
        if let object {
            text.append(object)
            text.append(.dot)
        }
        text.append(name)
    }
}
