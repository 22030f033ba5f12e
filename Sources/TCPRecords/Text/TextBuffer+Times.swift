/// Times and spans.
extension TextBuffer {
    /// Appends a time as RFC 3339 has it, UTC, to the nanosecond: `2026-11-23T07:20:46.000000000Z`.
    package mutating func append(rfc3339 nanoseconds: UInt64) {
        let date = CivilTime(nanoseconds: nanoseconds)
        append(date.year, digits: 4)
        append(UInt8(ascii: "-"))
        append(date.month, digits: 2)
        append(UInt8(ascii: "-"))
        append(date.day, digits: 2)
        append(UInt8(ascii: "T"))
        append(date.hour, digits: 2)
        append(.colon)
        append(date.minute, digits: 2)
        append(.colon)
        append(date.second, digits: 2)
        append(.dot)
        append(date.nanosecond, digits: 9)
        append(UInt8(ascii: "Z"))
    }

    /// Appends a number with leading zeros.
    package mutating func append(_ number: Int, digits: Int) {
        var unit = 1
        for _ in 1..<digits { unit *= 10 }
        while unit > 0 {
            append(.zero + UInt8(truncatingIfNeeded: number / unit % 10))
            unit /= 10
        }
    }

    /// Appends how long something lasted, in at most six characters: `12ms`, `3.4s`, `2m10s`, `5h03m`, `12d04h`.
    package mutating func append(span nanoseconds: UInt64) {
        let (milliseconds, seconds) = (nanoseconds / 1_000_000, nanoseconds / 1_000_000_000)
        switch seconds {
        case 0 where milliseconds == 0: append("<1ms")
        case 0:
            append(decimal: milliseconds)
            append("ms")
        case ..<60:
            append(tenths: milliseconds / 100)
            append("s")
        case ..<3600: append(seconds / 60, "m", seconds % 60, "s")
        case ..<86_400: append(seconds / 3600, "h", seconds / 60 % 60, "m")
        default: append(seconds / 86_400, "d", seconds / 3600 % 24, "h")
        }
    }

    private mutating func append(_ large: UInt64, _ unit: StaticString, _ small: UInt64, _ part: StaticString) {
        append(decimal: large)
        append(unit)
        append(Int(small), digits: 2)
        append(part)
    }

    /// Appends a number with one digit behind the point.
    package mutating func append(tenths number: UInt64) {
        append(decimal: number / 10)
        append(.dot)
        append(.zero + UInt8(truncatingIfNeeded: number % 10))
    }
}
