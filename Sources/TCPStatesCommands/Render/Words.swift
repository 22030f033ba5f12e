/// Details of a socket as `ss` spells them, word by word, until it is known where they fit.
struct Words: ~Copyable {
    /// The words, a space between two.
    private var text = TextBuffer()
    private var ends: [Int] = []

    /// How long they are on one line.
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
