// Protocol Buffers, as far as OTLP takes them: https://protobuf.dev/programming-guides/encoding

extension TextBuffer {
    mutating func append(varint number: UInt64) {
        write(upTo: 10) { target in
            var (rest, place) = (number, 0)
            while rest > 0x7f {
                target[place] = UInt8(truncatingIfNeeded: rest) | 0x80
                rest >>= 7
                place += 1
            }
            target[place] = UInt8(truncatingIfNeeded: rest)
            return place + 1
        }
    }

    private mutating func append(field: Int, wire: UInt64) { append(varint: UInt64(field) << 3 | wire) }

    /// Appends a field that is a number, a flag or one of an enumeration.
    mutating func append(_ field: Int, varint number: UInt64) {
        append(field: field, wire: 0)
        append(varint: number)
    }

    /// Appends a field that is a number of eight bytes.
    mutating func append(_ field: Int, fixed64 number: UInt64) {
        append(field: field, wire: 1)
        append(fixed64: number)
    }

    mutating func append(_ field: Int, double number: Double) { append(field, fixed64: number.bitPattern) }

    /// Appends a number as one of several that a field has.
    mutating func append(fixed64 number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { bytes in bytes.withMemoryRebound(to: UInt8.self) { append($0) } }
    }

    /// Appends a field that is text: UTF-8, as every `String` is.
    mutating func append(_ field: Int, text: String) {
        append(field: field, wire: 2)
        append(varint: UInt64(text.utf8.count))
        append(text)
    }

    mutating func append(_ field: Int, text: StaticString) {
        append(field: field, wire: 2)
        append(varint: UInt64(text.utf8CodeUnitCount))
        append(text)
    }

    /// Appends a field that has fields of its own, or numbers without a name each.
    mutating func append(_ field: Int, message body: (inout TextBuffer) -> Void) {
        let start = begin(message: field)
        body(&self)
        end(message: start)
    }

    /// Begins a field that has fields of its own; answers where they begin.
    mutating func begin(message field: Int) -> Int {
        append(field: field, wire: 2)
        append(0 as UInt8)
        return count
    }

    /// Ends it. Its length comes before its fields and is known only now: most have room for it in the one byte that was left.
    mutating func end(message start: Int) {
        let length = count - start
        var digits = 1
        while length >> (7 * digits) > 0 { digits += 1 }
        if digits > 1 {
            write(upTo: digits - 1) { _ in digits - 1 }
            (base + start + digits - 1).update(from: base + start, count: length)
        }
        // In its place: whatever is appended may move all that is there.
        for place in 0..<digits {
            let isLast = place == digits - 1
            base[start - 1 + place] = UInt8(truncatingIfNeeded: length >> (7 * place)) & 0x7f | (isLast ? 0 : 0x80)
        }
    }
}

/// The fields of a message, one after the other, as an answer has them.
struct ProtobufFields {
    enum Value {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: some Sequence<UInt8>) { rest = ArraySlice(bytes) }

    /// The next field; nil at the end, and from where on it is none.
    mutating func next() -> (field: UInt64, value: Value)? {
        guard let tag = varint() else { return nil }
        switch tag & 7 {
        case 0: return varint().map { (tag >> 3, .number($0)) }
        case 1: return bytes(8).map { (tag >> 3, .bytes($0)) }
        case 2: return varint().flatMap { bytes($0) }.map { (tag >> 3, .bytes($0)) }
        case 5: return bytes(4).map { (tag >> 3, .bytes($0)) }
        default: return nil
        }
    }

    private mutating func varint() -> UInt64? {
        var number: UInt64 = 0
        for shift in stride(from: 0 as UInt64, to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            number |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return number }
        }
        return nil
    }

    private mutating func bytes(_ length: UInt64) -> ArraySlice<UInt8>? {
        guard length <= UInt64(rest.count) else { return nil }
        defer { rest = rest.dropFirst(Int(length)) }
        return rest.prefix(Int(length))
    }
}
