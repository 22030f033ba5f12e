internal import SockDiag

/// A value of a record, as the kernel has it; each format writes it in its own way.
enum FieldValue {
    /// A number below 2^53.
    case integer(UInt64)
    /// A number that may pass 2^53: text in JSON, whose readers would round it.
    case large(UInt64)
    /// An identifier, in hexadecimal.
    case hex(UInt64)
    case address(IPAddress)
    case flag(Bool)
    /// Any text, also what another user chose.
    case text(String)
    /// Words in their order: an array in JSON, separated by spaces in CSV.
    case words([String])
    /// Nanoseconds since 1970, written as RFC 3339 has it, in UTC.
    case time(UInt64)
    /// Named values: an object in JSON, `name=value` and spaces in CSV.
    case fields([(name: StaticString, value: FieldValue)])
    /// Numbers whose names are not known before.
    case numbers([(name: String, value: UInt64)])
    /// Several values: an array in JSON, separated by ` | ` in CSV.
    case list([FieldValue])
    /// Who holds a socket: an array of objects in JSON, separated by spaces in CSV.
    case owners([SocketOwner])
}

extension FieldValue {
    /// A number below 2^53, of any width.
    static func number(_ value: some FixedWidthInteger & UnsignedInteger) -> FieldValue { .integer(UInt64(value)) }

    /// How many; never less than none.
    static func count(_ value: Int) -> FieldValue { .integer(UInt64(clamping: value)) }
}

/// Writes records field by field. The same calls describe a record to every format, so each name is in one place.
protocol RecordWriter: ~Copyable {
    /// Whether all records have the same columns, so that one without a field has an empty one.
    static var isTabular: Bool { get }
    /// What was written and not yet taken.
    var text: TextBuffer { get set }

    /// Writes the header, for a format that has one: the names of the fields that `describe` passes.
    mutating func writeHeader(_ describe: (inout Self) -> Void)
    /// Begins a record.
    mutating func begin(_ type: StaticString)
    /// Adds a field; nil where it is not known.
    mutating func add(_ name: StaticString, _ value: FieldValue?)
    /// Begins an object within the record. What follows belongs to it.
    mutating func beginObject(_ name: StaticString)
    /// Ends the object; one without a known field is not known itself.
    mutating func endObject()
    /// Ends the record.
    mutating func end()
}

/// The version of the records. Adding a field leaves it as it is.
let recordSchema: UInt64 = 1
