internal import SockDiag
internal import SocketValues
package import TCPWatch

/// Events as records of OpenTelemetry's logs, by the schema of docs/records.md: the type is the event's name, what has a field of
/// its own there has it, and all else is an attribute. A field of an object is `final.bytes_sent`, as in CSV.
///
/// Source: `opentelemetry/proto/logs/v1/logs.proto`.
package struct OTLPEvents: ~Copyable {
    private var renderer: RecordRenderer<LogWriter>
    /// The number of events that were written and not yet taken.
    package private(set) var count = 0

    /// Nothing is written.
    package init() {
        renderer = RecordRenderer(LogWriter(), table: .all, details: .usual, names: RecordNames())
    }

    /// The number of bytes that were written and not yet taken.
    package var byteCount: Int { renderer.writer.text.count }

    /// Writes an event; the time when it came here is in nanoseconds since 1970.
    package mutating func append(_ event: SocketEvent, at time: UInt64) {
        renderer.writer.observed = time
        if renderer.append(event) { count += 1 }
    }

    /// Takes what was written: an `ExportLogsServiceRequest`.
    package mutating func takeRequest(of source: OTLPSource, into bytes: inout TextBuffer) {
        renderer.writer.text.withBytes { events in
            source.write(into: &bytes) { $0.append(events) }
        }
        renderer.writer.text = TextBuffer()
        count = 0
    }
}

/// A record as a `LogRecord`, which is field 2 of a scope.
private struct LogWriter: RecordWriter, ~Copyable {
    static var isTabular: Bool { false }
    var text = TextBuffer()
    /// Nanoseconds since 1970.
    var observed: UInt64 = 0
    private var start = 0
    /// The object that is begun.
    private var object: StaticString?

    func writeHeader(_ describe: (inout LogWriter) -> Void) {}

    mutating func begin(_ type: StaticString) {
        let isLoss = "\(type)" == "gap"
        start = text.begin(message: 2)
        text.append(11, fixed64: observed)
        text.append(2, varint: isLoss ? 13 : 9)  // SEVERITY_NUMBER_WARN, SEVERITY_NUMBER_INFO
        text.append(3, text: isLoss ? "WARN" : "INFO")
        text.append(12) { name in
            name.append("tcpstates.")
            name.append(type)
        }
    }

    mutating func add(_ name: StaticString, _ value: FieldValue?) {
        guard let value else { return }
        if case .time(let nanoseconds) = value { return text.append(1, fixed64: nanoseconds) }
        let object = object
        text.append(6) { attribute in
            attribute.append(1) { key in
                if let object {
                    key.append(object)
                    key.append(.dot)
                }
                key.append(name)
            }
            attribute.append(2, any: value)
        }
    }

    mutating func beginObject(_ name: StaticString) { object = name }

    mutating func endObject() { object = nil }

    mutating func end() { text.end(message: start) }
}

extension TextBuffer {
    /// Appends a field that is a value of any kind (`opentelemetry.proto.common.v1.AnyValue`).
    fileprivate mutating func append(_ field: Int, any value: FieldValue) {
        append(field) { any in
            switch value {
            case .integer(let number), .large(let number):
                if number > UInt64(Int64.max) {
                    any.append(1, text: "\(number)")
                } else {
                    any.append(3, varint: number)
                }
            case .hex(let number):
                any.append(1) { $0.append(hex: number) }
            case .address(let address):
                any.append(1) { $0.append(address) }
            case .time(let nanoseconds):
                any.append(1) { $0.append(rfc3339: nanoseconds) }
            case .flag(let flag): any.append(2, varint: flag ? 1 : 0)
            case .text(let value): any.append(1, text: value)
            case .words(let words): any.append(5) { for word in words { $0.append(1, any: .text(word)) } }
            case .list(let values): any.append(5) { for value in values { $0.append(1, any: value) } }
            case .owners(let owners): any.append(5) { for owner in owners { $0.append(1, any: .fields(owner.fields)) } }
            case .fields(let fields):
                any.append(6) { for (name, value) in fields { $0.append(1, key: "\(name)", value) } }
            case .numbers(let numbers):
                any.append(6) { for (name, value) in numbers { $0.append(1, key: name, .integer(value)) } }
            }
        }
    }

    private mutating func append(_ field: Int, key: String, _ value: FieldValue) {
        append(field) { pair in
            pair.append(1, text: key)
            pair.append(2, any: value)
        }
    }
}

extension SocketOwner {
    /// As a record has it.
    fileprivate var fields: [(name: StaticString, value: FieldValue)] {
        [("pid", .integer(UInt64(clamping: pid))), ("name", .text(name.text))]
            + (descriptor.map { [("fd", .integer(UInt64(clamping: $0)))] } ?? [])
    }
}
