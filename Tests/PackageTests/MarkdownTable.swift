/// A table of a Markdown document.
struct MarkdownTable {
    /// What stands between the heading before it and the table.
    let lead: String
    let header: [String]
    let rows: [[String]]

    /// The tables of a document, in their order.
    static func all(in text: String) -> [MarkdownTable] {
        var tables: [MarkdownTable] = []
        var lead: [Substring] = []
        var table: [[String]] = []
        // An empty line at the end, so that a table ends before the document does.
        for line in "\(text)\n".split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("|") {
                table.append(cells(of: line))
                continue
            }
            // The second line is the one of dashes.
            if table.count > 1 {
                let lead = lead.joined(separator: "\n")
                tables.append(MarkdownTable(lead: lead, header: table[0], rows: Array(table[2...])))
            }
            table = []
            if line.hasPrefix("#") { lead = [] } else { lead.append(line) }
        }
        return tables
    }

    private static func cells(of line: Substring) -> [String] {
        let cells = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
        return cells.map { $0.trimmed }
    }
}

extension StringProtocol {
    /// Without the blanks at both ends.
    var trimmed: String {
        var rest = self[...]
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }

    /// What stands between backticks.
    var codeSpans: [String] {
        split(separator: "`", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }
            .map { String($0.element) }
    }
}
