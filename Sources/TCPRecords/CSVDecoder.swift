/// Reads lines of CSV as records, by the names in their header line.
///
/// ```swift
/// let decoder = try CSVDecoder(header: lines[0])
/// for line in lines.dropFirst() { print(try decoder.record(line)) }
/// ```
///
/// CSV says less than JSON does. What is empty is not known, so that an empty text is nil. A list of words is separated by
/// spaces, and a word that has one is two. The remedies of a finding are not read.
public struct CSVDecoder: Sendable {
    /// The columns: the name of a field, or of an object and a field in it.
    private let columns: [(object: String?, name: String)]

    /// A decoder of lines that have the columns of a header line.
    ///
    /// - Throws: ``RecordError`` where it is none.
    public init(header: some StringProtocol) throws(RecordError) { try self.init(header: header.utf8) }

    /// A decoder of lines that have the columns of a header line, UTF-8.
    ///
    /// - Throws: ``RecordError`` where it is none.
    public init(header: some Collection<UInt8>) throws(RecordError) {
        columns = try CSVLine(header).fields.map { field in
            let parts = field.text.split(separator: ".", maxSplits: 1).map(String.init)
            return parts.count == 2 ? (parts[0], parts[1]) : (nil, field.text)
        }
        guard columns.contains(where: { $0.object == nil && $0.name == "schema" }) else {
            throw RecordError(at: 0, "there is no column `schema`: this is no header line of records")
        }
    }

    /// Reads a line.
    ///
    /// - Throws: ``RecordError`` where it has other fields than the header, or a field has a value that it cannot have.
    public func record(_ line: some StringProtocol) throws(RecordError) -> Record { try record(line.utf8) }

    /// Reads a line, UTF-8.
    ///
    /// - Throws: ``RecordError`` where it has other fields than the header, or a field has a value that it cannot have.
    public func record(_ line: some Collection<UInt8>) throws(RecordError) -> Record {
        let fields = try CSVLine(line).fields
        guard fields.count == columns.count else {
            throw RecordError(at: 0, "\(fields.count) fields where the header has \(columns.count)")
        }
        var members: [(name: String, value: JSONValue)] = []
        for (column, field) in zip(columns, fields) where !field.text.isEmpty {
            let value = JSONValue(.text(field.text), at: field.offset)
            guard let object = column.object else {
                members.append((column.name, value))
                continue
            }
            let index = members.firstIndex { $0.name == object && $0.value.members != nil } ?? members.endIndex
            if index == members.endIndex { members.append((object, JSONValue(.object([]), at: field.offset))) }
            let inner = (members[index].value.members ?? []) + [(column.name, value)]
            members[index].value = JSONValue(.object(inner), at: members[index].value.offset)
        }
        return try Record(JSONValue(.object(members), at: 0))
    }
}

/// The fields of a line (RFC 4180), whose text is escaped as the encoder does it.
private struct CSVLine {
    private(set) var fields: [(text: String, offset: Int)] = []

    init(_ line: some Collection<UInt8>) throws(RecordError) {
        var bytes = Array(line)
        if bytes.last == .newline { bytes.removeLast() }
        if bytes.last == 0x0d { bytes.removeLast() }
        var offset = 0
        while true {
            let start = offset
            let isQuoted = offset < bytes.count && bytes[offset] == .quote
            var field: [UInt8] = []
            var isOpen = isQuoted
            if isQuoted { offset += 1 }
            while offset < bytes.count {
                let byte = bytes[offset]
                if isQuoted, byte == .quote {
                    offset += 1
                    isOpen = offset < bytes.count && bytes[offset] == .quote
                    guard isOpen else { break }
                } else if !isQuoted, byte == .comma {
                    break
                }
                field.append(byte)
                offset += 1
            }
            guard !isOpen, offset == bytes.count || bytes[offset] == .comma else {
                throw RecordError(at: offset, "expected the end of a quoted field")
            }
            fields.append((try Self.unescaped(field, at: start), start))
            guard offset < bytes.count else { return }
            offset += 1
        }
    }

    /// The text of `\x1b` and `\\`.
    private static func unescaped(_ field: [UInt8], at offset: Int) throws(RecordError) -> String {
        let backslash = UInt8(ascii: "\\")
        guard field.contains(backslash) else { return String(decoding: field, as: UTF8.self) }
        var text: [UInt8] = []
        var rest = field[...]
        while let byte = rest.popFirst() {
            guard byte == backslash else {
                text.append(byte)
                continue
            }
            switch rest.popFirst() {
            case backslash: text.append(backslash)
            case UInt8(ascii: "x"):
                let digits = rest.prefix(2)
                guard digits.count == 2, !digits.contains(UInt8(ascii: "+")), !digits.contains(UInt8(ascii: "-")),
                    let byte = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
                else { throw RecordError(at: offset, "no such escape sequence in the field") }
                text.append(byte)
                rest = rest.dropFirst(2)
            default: throw RecordError(at: offset, "no such escape sequence in the field")
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
