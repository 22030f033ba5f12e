internal import SockDiag
internal import TCPDiagnosis
internal import TCPRecords

/// A conversation of two sides, segment by segment.
struct Walk {
    /// A segment, or where there is none what happens without one; and the states when it has come.
    struct Step {
        let client, server: TCPState
        /// The segment's flags and numbers.
        let segment: String?
        let isFromClient: Bool
        let what: String
    }

    let title: String
    let steps: [Step]
    /// Questions that people ask, with answers.
    let answers: [(question: String, answer: String)]
    /// What bounds it.
    let settings: [KernelSetting]

    private static let column = 14
    private static let middle = 34

    /// Appends the walk for people.
    func append(_ values: KernelSettings, to prose: inout Prose) {
        prose.heading(title)
        prose.space()
        prose.row("CLIENT".padded(Self.column) + "".padded(Self.middle) + "SERVER")
        for step in steps {
            prose.row(step.client.description.padded(Self.column) + arrow(step).padded(Self.middle) + "\(step.server)")
            prose.entry("", step.what)
        }
        for (question, answer) in answers {
            prose.space()
            prose.heading(question)
            prose.entry("", answer)
        }
        prose.space()
        prose.heading("What bounds it on this machine")
        prose.append(settings, values)
    }

    private func arrow(_ step: Step) -> String {
        guard let segment = step.segment else { return "" }
        let width = Self.middle - 7
        return step.isFromClient ? "── \(segment.padded(width)) ─▶" : "◀─ \(segment.padded(width)) ──"
    }

    /// Appends it as a sequence diagram in the language of Mermaid.
    func appendMermaid(to text: inout TextBuffer) {
        text.append("sequenceDiagram\n    participant C as Client\n    participant S as Server\n")
        for step in steps {
            if let segment = step.segment {
                let words = segment.split(separator: " ").joined(separator: " ")
                text.append("    \(step.isFromClient ? "C->>S" : "S->>C"): \(words)\n")
            }
            text.append("    Note left of C: \(step.client)\n    Note right of S: \(step.server)\n")
        }
    }
}

extension Prose {
    /// A line of a table.
    mutating func row(_ row: String) {
        text.append(spaces: 2)
        text.append(row)
        text.append(.newline)
    }

    /// The settings and their values; nothing for those that are missing here.
    mutating func append(_ settings: [KernelSetting], _ values: KernelSettings) {
        for setting in settings {
            let value = values.values(of: setting).map(String.init).joined(separator: " ")
            if !value.isEmpty { row("            \(setting.rawValue) = \(value)") }
        }
    }
}

extension String {
    /// The text with blanks behind it up to the width.
    func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
