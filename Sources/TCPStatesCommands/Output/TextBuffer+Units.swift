extension TextBuffer {
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

extension TextBuffer {
    /// Appends a number and what it counts.
    mutating func append(_ count: Int, _ one: StaticString, _ many: StaticString) {
        append(decimal: UInt64(count))
        append(.space)
        append(count == 1 ? one : many)
    }
}

extension UInt8 {
    static let space = UInt8(ascii: " ")
    static let zero = UInt8(ascii: "0")
    static let dot = UInt8(ascii: ".")
    static let comma = UInt8(ascii: ",")
    static let colon = UInt8(ascii: ":")
    static let quote = UInt8(ascii: "\"")
    static let newline = UInt8(ascii: "\n")

    /// The digit of the number's lowest four bits.
    static func hexDigit(_ number: some BinaryInteger) -> UInt8 {
        let digit = UInt8(truncatingIfNeeded: number) & 0xf
        return digit < 10 ? .zero + digit : UInt8(ascii: "a") - 10 + digit
    }
}
