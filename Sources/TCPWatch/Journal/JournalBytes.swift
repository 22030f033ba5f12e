internal import SockDiag

/// Why bytes are no journal's.
enum JournalFault: Error, Hashable {
    /// They end within an entry.
    case cutShort
    /// They say what no writer says.
    case wrong(String)
}

/// Numbers as bytes: small ones take one, the greatest nine.
///
/// The number of bytes is in the lowest bits of the first one, as the number of its trailing zeros: so a number is
/// written by one store and read by one load.
struct JournalBytes {
    private var storage: [UInt8]
    /// How many bytes there are.
    private(set) var count: Int

    /// So many bytes may be written after one ``reserve(_:)``: more than any entry of fixed shape takes.
    static let slack = 512

    init(capacity: Int) {
        storage = [UInt8](repeating: 0, count: capacity + Self.slack)
        count = 0
    }

    /// The bytes.
    var bytes: ArraySlice<UInt8> { storage[..<count] }

    /// Makes room for so many more bytes, and for an entry of fixed shape.
    mutating func reserve(_ more: Int = 0) {
        let needed = count + more + Self.slack
        guard storage.count < needed else { return }
        storage += [UInt8](repeating: 0, count: max(needed - storage.count, storage.count))
    }

    /// Forgets the bytes from `count` on.
    mutating func truncate(to count: Int) { self.count = count }

    /// Writes what belongs together.
    mutating func write(_ body: (inout JournalSink) -> Void) {
        let start = count
        var span = storage.mutableSpan
        var sink = JournalSink(span.mutableBytes, count: start)
        body(&sink)
        count = sink.count
    }

    mutating func append(_ byte: UInt8) { write { $0.append(byte) } }

    mutating func append(_ number: UInt64) { write { $0.append(number) } }

    mutating func append(_ number: some FixedWidthInteger & UnsignedInteger) { append(UInt64(number)) }

    /// A number that is near zero on either side.
    mutating func append(signed number: Int64) { append(number.zigzag) }

    mutating func append(_ flag: Bool) { append(UInt8(flag ? 1 : 0)) }

    /// Bytes, behind their number.
    mutating func append(bytes: some Collection<UInt8>) {
        reserve(bytes.count)
        append(UInt64(bytes.count))
        for byte in bytes { append(byte) }
    }

    mutating func append(_ text: String) { append(bytes: text.utf8) }

    /// Writes a number of fixed width over what is there.
    mutating func overwrite(_ number: some FixedWidthInteger & BitwiseCopyable, at offset: Int) {
        var span = storage.mutableSpan
        var bytes = span.mutableBytes
        bytes.storeBytes(of: number.littleEndian, toByteOffset: offset, as: type(of: number).self)
    }
}

extension Int64 {
    /// 0, −1, 1, −2, … as 0, 1, 2, 3, …
    var zigzag: UInt64 { UInt64(bitPattern: self << 1 ^ self >> 63) }

    init(zigzag: UInt64) { self = Int64(bitPattern: zigzag >> 1) ^ -Int64(bitPattern: zigzag & 1) }
}

/// Reads what ``JournalBytes`` has written. Every length is checked: bytes of a stranger are an error, never a trap.
struct JournalCursor {
    private let bytes: [UInt8]
    /// Where the next byte is.
    private(set) var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { offset == bytes.count }

    mutating func byte() throws(JournalFault) -> UInt8 {
        guard offset < bytes.count else { throw .cutShort }
        defer { offset += 1 }
        return bytes[offset]
    }

    mutating func number() throws(JournalFault) -> UInt64 {
        let first = try byte()
        guard first != 0 else { return try fixed(8) }
        let length = first.trailingZeroBitCount + 1
        offset -= 1
        return try fixed(length) >> UInt64(length)
    }

    /// A number of so many bytes, eight at most.
    private mutating func fixed(_ length: Int) throws(JournalFault) -> UInt64 {
        guard length <= bytes.count - offset else { throw .cutShort }
        defer { offset += length }
        if let word = bytes.span.bytes.number(at: offset, as: UInt64.self) {
            return length == 8 ? UInt64(littleEndian: word) : UInt64(littleEndian: word) & (1 << UInt64(8 * length) - 1)
        }
        return (0..<length).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
    }

    /// A number that fits the type.
    mutating func number<Number: FixedWidthInteger>(as type: Number.Type = Number.self) throws(JournalFault) -> Number {
        guard let number = Number(exactly: try number() as UInt64) else { throw .wrong("a number is too great") }
        return number
    }

    mutating func signed() throws(JournalFault) -> Int64 { Int64(zigzag: try number()) }

    /// A century and a half after a machine has started: whoever reckons with times need not fear that a sum overflows.
    static let endOfTime: UInt64 = 1 << 62

    /// A number of nanoseconds that a clock or an interval can have.
    mutating func moment() throws(JournalFault) -> UInt64 {
        let time: UInt64 = try number()
        guard time <= Self.endOfTime else { throw .wrong("a time is too late") }
        return time
    }

    mutating func flag() throws(JournalFault) -> Bool {
        switch try byte() {
        case 0: false
        case 1: true
        default: throw .wrong("a flag is neither set nor not")
        }
    }

    /// A value of an enumeration.
    mutating func choice<Choice: RawRepresentable<UInt8>>() throws(JournalFault) -> Choice {
        let number = try byte()
        guard let choice = Choice(rawValue: number) else { throw .wrong("there is no choice \(number)") }
        return choice
    }

    mutating func byteArray() throws(JournalFault) -> [UInt8] {
        let length: Int = try number()
        guard length <= bytes.count - offset else { throw .cutShort }
        defer { offset += length }
        return [UInt8](bytes[offset..<(offset + length)])
    }

    /// A number that may be missing, behind a flag.
    mutating func optional<Number: FixedWidthInteger>() throws(JournalFault) -> Number? {
        try flag() ? try number() : nil
    }

    /// As many values as the number before them says. No room is made for them before they are read: a stranger may say any.
    mutating func list<Value>(
        _ read: (inout JournalCursor) throws(JournalFault) -> Value
    ) throws(JournalFault) -> [Value] {
        let count: UInt64 = try number()
        var values: [Value] = []
        while values.count < count { values.append(try read(&self)) }
        return values
    }

    mutating func text() throws(JournalFault) -> String { String(decoding: try byteArray(), as: UTF8.self) }

    /// Text that is printed as it is: a writer has escaped what would deceive a terminal.
    mutating func printableText() throws(JournalFault) -> String {
        let text = try text()
        guard text.unicodeScalars.allSatisfy(\.isPrintable) else { throw .wrong("a text holds control characters") }
        return text
    }
}

extension Unicode.Scalar {
    fileprivate var isPrintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}
