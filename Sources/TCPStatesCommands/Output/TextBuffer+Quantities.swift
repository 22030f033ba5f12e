internal import LinuxLibC

/// Times, spans, sizes, rates and counts, as people read them.
extension TextBuffer {
    /// Appends a time as RFC 3339 has it, UTC, to the nanosecond: `2026-11-23T07:20:46.000000000Z`.
    mutating func append(rfc3339 nanoseconds: UInt64) {
        var seconds = time_t(nanoseconds / 1_000_000_000)
        var date = tm()
        gmtime_r(&seconds, &date)
        append(Int(date.tm_year) + 1900, digits: 4)
        append(UInt8(ascii: "-"))
        append(Int(date.tm_mon) + 1, digits: 2)
        append(UInt8(ascii: "-"))
        append(Int(date.tm_mday), digits: 2)
        append(UInt8(ascii: "T"))
        append(date)
        append(.dot)
        append(Int(nanoseconds % 1_000_000_000), digits: 9)
        append(UInt8(ascii: "Z"))
    }

    /// Appends a time as the clock on the wall has it, to the millisecond: `07:20:46.123`.
    mutating func append(wallClock nanoseconds: UInt64) {
        var seconds = time_t(nanoseconds / 1_000_000_000)
        var date = tm()
        localtime_r(&seconds, &date)
        append(date)
        append(.dot)
        append(Int(nanoseconds / 1_000_000 % 1000), digits: 3)
    }

    private mutating func append(_ date: tm) {
        append(Int(date.tm_hour), digits: 2)
        append(.colon)
        append(Int(date.tm_min), digits: 2)
        append(.colon)
        append(Int(date.tm_sec), digits: 2)
    }

    /// Appends a number with leading zeros.
    private mutating func append(_ number: Int, digits: Int) {
        var unit = 1
        for _ in 1..<digits { unit *= 10 }
        while unit > 0 {
            append(.zero + UInt8(truncatingIfNeeded: number / unit % 10))
            unit /= 10
        }
    }

    /// Appends how long something lasted, in at most six characters: `12ms`, `3.4s`, `2m10s`, `5h03m`, `12d04h`.
    mutating func append(span nanoseconds: UInt64) {
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

    /// Appends a number of bytes: `340B`, `1.2kB`, `56MB`.
    mutating func append(bytes count: UInt64) {
        guard count >= 1000 else {
            append(decimal: count)
            return append("B")
        }
        let units: [StaticString] = ["kB", "MB", "GB", "TB", "PB", "EB"]
        var scale: UInt64 = 1000
        var unit = 0
        while count / scale >= 1000 {
            scale *= 1000
            unit += 1
        }
        if count / scale < 10 { append(tenths: count / (scale / 10)) } else { append(decimal: count / scale) }
        append(units[unit])
    }

    /// Appends a number and what it counts.
    mutating func append(_ count: Int, _ one: StaticString, _ many: StaticString) {
        append(decimal: UInt64(count))
        append(.space)
        append(count == 1 ? one : many)
    }

    /// Appends a number of thousandths: 30 is `0.03`, 204000 is `204`.
    mutating func append(thousandths number: UInt64) {
        append(decimal: number / 1000)
        var rest = number % 1000
        guard rest > 0 else { return }
        append(.dot)
        var unit: UInt64 = 100
        while rest > 0 {
            append(.zero + UInt8(truncatingIfNeeded: rest / unit))
            rest %= unit
            unit /= 10
        }
    }

    /// Appends a number with one digit behind the point.
    mutating func append(tenths number: UInt64) {
        append(decimal: number / 10)
        append(.dot)
        append(.zero + UInt8(truncatingIfNeeded: number % 10))
    }

    /// Appends a rate in bits a second, as `ss` does: `23.4Gbps`, `512bps`.
    mutating func append(bytesPerSecond rate: Double) {
        let bits = rate * 8
        switch bits {
        case 1e9...: append(scaled: bits / 1e9, "Gbps")
        case 1e6...: append(scaled: bits / 1e6, "Mbps")
        case 1e3...: append(scaled: bits / 1e3, "Kbps")
        default:
            append(decimal: UInt64(bits))
            append("bps")
        }
    }

    private mutating func append(scaled number: Double, _ unit: StaticString) {
        append(tenths: UInt64((number * 10).rounded()))
        append(unit)
    }
}
