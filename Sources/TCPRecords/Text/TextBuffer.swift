package import SocketValues

/// Text on its way out, as UTF-8. Rows are made of millions of short fields: none becomes a `String` or an array of its
/// own, and one buffer serves them all.
@usableFromInline
package struct TextBuffer: ~Copyable {
    /// The number of bytes in it.
    @usableFromInline package internal(set) var count = 0
    @usableFromInline var capacity: Int
    @usableFromInline var base: UnsafeMutablePointer<UInt8>

    /// An empty buffer. It grows where a text is longer than the capacity.
    package init(capacity: Int = 1024) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    deinit { base.deallocate() }

    /// Forgets the text and keeps its memory.
    package mutating func removeAll() { count = 0 }

    /// Calls `body` with the text.
    package func withBytes<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeBufferPointer(start: base, count: count))
    }

    /// What is in it, as a string of its own.
    package var string: String { withBytes { String(decoding: $0, as: UTF8.self) } }

    /// Calls `body` with the place behind the text, which has room for `length` bytes, and takes what it says it wrote.
    /// All writing goes through here.
    @inlinable
    @inline(__always)
    mutating func write(upTo length: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Int) {
        if capacity - count < length { grow(by: length) }
        count &+= body(base + count)
    }

    @inline(never)
    @usableFromInline
    mutating func grow(by length: Int) {
        let larger = max(capacity * 2, count + length)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        moved.update(from: base, count: count)
        base.deallocate()
        base = moved
        capacity = larger
    }
}

extension TextBuffer {
    /// Appends one byte.
    @inlinable
    package mutating func append(_ byte: UInt8) {
        write(upTo: 1) {
            $0.pointee = byte
            return 1
        }
    }

    /// Appends bytes.
    @inlinable
    package mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let start = bytes.baseAddress else { return }
        write(upTo: bytes.count) {
            $0.update(from: start, count: bytes.count)
            return bytes.count
        }
    }

    /// Appends a constant.
    @inlinable
    package mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { append($0) }
    }

    /// Appends text that is known to be harmless; what another user chose goes through ``append(printable:)``.
    package mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append($0) }
    }

    /// Appends so many spaces; none where the number is negative, as it is behind a cell that overflows its column.
    package mutating func append(spaces length: Int) {
        guard length > 0 else { return }
        write(upTo: length) {
            $0.update(repeating: .space, count: length)
            return length
        }
    }

    /// Appends a decimal number, with spaces before it up to the width.
    package mutating func append(decimal number: UInt64, width: Int = 0) {
        let digits = number.decimalDigits
        if width > digits { append(spaces: width - digits) }
        write(upTo: digits) { target in
            var rest = number
            var place = digits
            // Two digits for each division, which is what this costs.
            while rest >= 10 {
                let pair = UInt8(truncatingIfNeeded: rest % 100)
                rest /= 100
                place &-= 2
                target[place] = .zero &+ pair / 10
                target[place &+ 1] = .zero &+ pair % 10
            }
            if place > 0 { target[0] = .zero &+ UInt8(truncatingIfNeeded: rest) }
            return digits
        }
    }

    /// Appends a number in lower-case hexadecimal, without `0x`.
    package mutating func append(hex number: UInt64) {
        let digits = max(1, (UInt64.bitWidth - number.leadingZeroBitCount + 3) / 4)
        write(upTo: digits) { target in
            for index in 0..<digits { target[index] = .hexDigit(number >> UInt64(4 * (digits - 1 - index))) }
            return digits
        }
    }

    /// Appends an address in its canonical form.
    package mutating func append(_ address: IPAddress) {
        write(upTo: IPAddress.longestText) { target in
            let buffer = UnsafeMutableBufferPointer(start: target, count: IPAddress.longestText)
            var span = OutputSpan(buffer: buffer, initializedCount: 0)
            address.appendText(to: &span)
            return span.finalize(for: buffer)
        }
    }
}

extension UInt64 {
    /// The number of its decimal digits.
    fileprivate var decimalDigits: Int {
        var digits = 1
        var bound: UInt64 = 10
        while self >= bound {
            digits &+= 1
            // 10²⁰ does not fit.
            if digits == 20 { break }
            bound &*= 10
        }
        return digits
    }
}

extension UInt8 {
    package static let space = UInt8(ascii: " ")
    package static let zero = UInt8(ascii: "0")
    package static let dot = UInt8(ascii: ".")
    package static let comma = UInt8(ascii: ",")
    package static let colon = UInt8(ascii: ":")
    package static let quote = UInt8(ascii: "\"")
    package static let newline = UInt8(ascii: "\n")

    /// The digit of the number's lowest four bits.
    package static func hexDigit(_ number: some BinaryInteger) -> UInt8 {
        let digit = UInt8(truncatingIfNeeded: number) & 0xf
        return digit < 10 ? .zero + digit : UInt8(ascii: "a") - 10 + digit
    }
}
