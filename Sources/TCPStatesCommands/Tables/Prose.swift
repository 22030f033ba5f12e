internal import TCPRecords

/// Text for people in paragraphs, each with a label before it, wrapped to the width of the terminal. Names that others
/// chose are escaped by those who put them into a sentence.
struct Prose: ~Copyable {
    var text = TextBuffer()
    private let hasColor: Bool
    private let width: Int

    /// Before a label, and from there to the paragraph.
    private static let indentation = 2
    private static let label = 12
    /// What the eye follows to the end of without losing the line.
    private static let longestLine = 100

    init(_ terminal: Terminal) {
        hasColor = terminal.hasColor
        width = max(40, min(terminal.width ?? Self.longestLine, Self.longestLine))
    }

    /// A line of its own, in bold or in a colour.
    mutating func heading(_ heading: String, _ color: StaticString = StateColor.heading) {
        paint(color)
        for (number, line) in wrapped(heading, in: width - Self.label / 4).enumerated() {
            if number > 0 {
                text.append(.newline)
                text.append(spaces: Self.label / 4)
            }
            text.append(line)
        }
        paint(StateColor.reset)
        text.append(.newline)
    }

    /// A paragraph behind its label; the label may be empty, for one that goes with the paragraph before.
    mutating func entry(_ label: String, _ paragraph: String) {
        let indentation = Self.indentation + Self.label
        text.append(spaces: Self.indentation)
        paint(StateColor.detail)
        text.append(label)
        paint(StateColor.reset)
        text.append(spaces: Self.label - label.count)
        for (number, line) in wrapped(paragraph, in: width - indentation).enumerated() {
            if number > 0 { text.append(spaces: indentation) }
            text.append(line)
            text.append(.newline)
        }
    }

    /// A command to type: never wrapped, so that it can be copied.
    mutating func command(_ label: String, _ command: String) {
        text.append(spaces: Self.indentation)
        paint(StateColor.detail)
        text.append(label)
        text.append(spaces: Self.label - label.count)
        paint(StateColor.heading)
        text.append(command)
        paint(StateColor.reset)
        text.append(.newline)
    }

    /// An empty line.
    mutating func space() { text.append(.newline) }

    private mutating func paint(_ color: StaticString) {
        if hasColor { text.append(color) }
    }

    private func wrapped(_ paragraph: String, in room: Int) -> [String] {
        var lines: [String] = []
        for word in paragraph.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= room {
                lines[lines.count - 1] += " \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines.isEmpty ? [""] : lines
    }
}
