internal import TCPRecords

/// Details of a socket as `ss` spells them, word by word, until it is known where they fit.
struct Words: ~Copyable {
    /// The words, a space between two.
    private var text = TextBuffer()
    private var ends: [Int] = []

    /// The length of all words on one line.
    var width: Int { text.count }

    var isEmpty: Bool { ends.isEmpty }

    /// Forgets the words and keeps their memory.
    mutating func removeAll() {
        text.removeAll()
        ends.removeAll(keepingCapacity: true)
    }

    /// Adds a word that `write` appends.
    mutating func add(_ write: (inout TextBuffer) -> Void) {
        if !ends.isEmpty { text.append(.space) }
        write(&text)
        ends.append(text.count)
    }

    /// Adds a word that says all by itself.
    mutating func add(_ word: StaticString) {
        add { $0.append(word) }
    }

    /// Adds a name and a number, as `cwnd:10`; nothing where there is no number, or where it is the one that says
    /// nothing.
    mutating func add(_ name: StaticString, _ number: UInt64?, unless silent: UInt64 = 0) {
        guard let number, number != silent else { return }
        add {
            $0.append(name)
            $0.append(.colon)
            $0.append(decimal: number)
        }
    }

    /// Appends the words to the line that is begun.
    func append(to line: inout TextBuffer) {
        text.withBytes { line.append($0) }
    }

    /// Appends the words on lines of their own, indented and no longer than the width; a word that is longer has a line
    /// to itself.
    func append(to lines: inout TextBuffer, indentation: Int, width: Int?) {
        text.withBytes { bytes in
            let room = width.map { max(0, $0 - indentation) } ?? .max
            var start = 0
            var end = 0
            func endLine(_ lines: inout TextBuffer) {
                lines.append(spaces: indentation)
                lines.append(UnsafeBufferPointer(rebasing: bytes[start..<end]))
                lines.append(.newline)
            }
            for next in ends {
                if next - start > room, end > start {
                    endLine(&lines)
                    start = end + 1
                }
                end = next
            }
            endLine(&lines)
        }
    }
}

/// Words of a name and numbers.
extension Words {
    /// Adds a time in milliseconds, `rto:204` or `minrtt:0.03`; nothing where there is none.
    mutating func add(_ name: StaticString, microseconds time: UInt64?) {
        guard let time, time != 0 else { return }
        add {
            $0.append(name)
            $0.append(.colon)
            $0.append(thousandths: time)
        }
    }

    /// Adds a number whose bits mean something each, `tos:0x10`; nothing where there is none.
    mutating func add(_ name: StaticString, flags number: (some FixedWidthInteger & UnsignedInteger)?) {
        guard let number else { return }
        add {
            $0.append(name)
            $0.append(number == 0 ? ":" : ":0x")
            $0.append(hex: UInt64(number))
        }
    }

    /// Adds a number that is only compared with others, in hexadecimal: `seq:1f4`; nothing where there is none.
    mutating func add(_ name: StaticString, hex number: (some FixedWidthInteger & UnsignedInteger)?) {
        guard let number else { return }
        add {
            $0.append(name)
            $0.append(.colon)
            $0.append(hex: UInt64(number))
        }
    }

    /// Adds two numbers that belong together: `rtt:0.03/0.015`.
    mutating func addPair(
        _ name: StaticString,
        _ first: UInt64,
        _ second: UInt64,
        _ separator: StaticString,
        _ write: (inout TextBuffer, UInt64) -> Void
    ) {
        add {
            $0.append(name)
            $0.append(.colon)
            write(&$0, first)
            $0.append(separator)
            write(&$0, second)
        }
    }

    /// Adds a rate of bytes a second: `send 23.4Gbps`.
    mutating func addRate(_ name: StaticString, _ bytesPerSecond: Double) {
        add {
            $0.append(name)
            $0.append(bytesPerSecond: bytesPerSecond)
        }
    }

    /// Adds a time in microseconds, and what share of a longer one it is: `rwnd_limited:3ms(25.0%)`.
    mutating func addTime(_ name: StaticString, _ time: UInt64, of whole: UInt64?) {
        add {
            $0.append(name)
            $0.append(.colon)
            $0.append(decimal: time / 1000)
            $0.append("ms")
            guard let whole else { return }
            $0.append(UInt8(ascii: "("))
            // A part is no more than the whole; if it ever were, the conversion must not trap.
            $0.append(tenths: UInt64(min(Double(time) / Double(whole), 1) * 1000))
            $0.append("%)")
        }
    }
}
