internal import LinuxLibC
internal import TCPRecords

/// Times, spans, sizes, rates and counts, as people read them.
extension TextBuffer {
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
