/// A message of Protocol Buffers, read without a schema; by nothing of what writes one.
package struct WireMessage {
    package enum Value: Hashable {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        case bytes([UInt8])
    }

    /// What no reader takes.
    package struct Malformed: Error {
        package let reason: String
    }

    package private(set) var fields: [(number: Int, value: Value)] = []

    package init(_ bytes: [UInt8]) throws(Malformed) {
        var place = 0
        func take(_ count: Int) throws(Malformed) -> ArraySlice<UInt8> {
            guard count >= 0, count <= bytes.count - place else { throw Malformed(reason: "a field is too long") }
            defer { place += count }
            return bytes[place..<place + count]
        }
        func varint() throws(Malformed) -> UInt64 {
            var (number, shift): (UInt64, UInt64) = (0, 0)
            while true {
                guard let byte = try take(1).first, shift < 70 else { throw Malformed(reason: "a number has no end") }
                number |= UInt64(byte & 127) << shift
                if byte < 128 { return number }
                shift += 7
            }
        }
        func fixed(_ count: Int) throws(Malformed) -> UInt64 {
            try take(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        while place < bytes.count {
            let tag = try varint()
            let value: Value
            switch tag % 8 {
            case 0: value = .varint(try varint())
            case 1: value = .fixed64(try fixed(8))
            case 2: value = .bytes(Array(try take(Int(clamping: try varint()))))
            case 5: value = .fixed32(UInt32(try fixed(4)))
            default: throw Malformed(reason: "there is no wire type \(tag % 8)")
            }
            guard tag >= 8 else { throw Malformed(reason: "a field has no number") }
            fields.append((Int(tag / 8), value))
        }
    }

    package func messages(_ number: Int) throws(Malformed) -> [WireMessage] {
        var all: [WireMessage] = []
        for case (number, .bytes(let bytes)) in fields { all.append(try WireMessage(bytes)) }
        return all
    }

    package func message(_ number: Int) throws(Malformed) -> WireMessage {
        guard let message = try messages(number).last else { throw Malformed(reason: "there is no field \(number)") }
        return message
    }

    package func text(_ number: Int) throws(Malformed) -> String {
        for case (number, .bytes(let bytes)) in fields.reversed() {
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw Malformed(reason: "text is no UTF-8")
            }
            return text
        }
        return ""
    }

    /// A number of any width; nil where it is not there.
    package func number(_ number: Int) -> UInt64? {
        for field in fields.reversed() where field.number == number {
            switch field.value {
            case .varint(let value), .fixed64(let value): return value
            case .fixed32(let value): return UInt64(value)
            case .bytes: continue
            }
        }
        return nil
    }

    /// Numbers of eight bytes that stand together.
    package func packed(_ number: Int) -> [UInt64] {
        var all: [UInt64] = []
        for case (number, .bytes(let bytes)) in fields {
            for start in stride(from: 0, to: bytes.count - 7, by: 8) {
                all.append(bytes[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) })
            }
        }
        return all
    }
}
