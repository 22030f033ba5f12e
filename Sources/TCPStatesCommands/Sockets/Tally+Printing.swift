internal import SockDiag
internal import TCPRecords

/// The rows as text: as a table for people, and as records.
extension Tally {
    /// Writes the rows as a table, with their total.
    func writeTable(_ hosts: inout HostNames?, _ terminal: Terminal, showsHeader: Bool, to output: inout Output) {
        let rows = rows
        var lines = rows.map { row in keys.map { cell($0, row.group, &hosts) } + ["\(row.count)"] }
        if showsHeader {
            lines.insert(keys.map(\.title) + ["COUNT"], at: 0)
            lines.append(["TOTAL"] + keys.dropFirst().map { _ in "" } + ["\(total)"])
        }
        let widths = (0...keys.count).map { column in lines.lazy.map { $0[column].utf8.count }.max() ?? 0 }
        let stateColumn = keys.firstIndex(of: .state)
        var text = TextBuffer()
        for (number, line) in lines.enumerated() {
            let row = showsHeader ? number - 1 : number
            let state = rows.indices.contains(row) ? rows[row].group.state : nil
            for (column, cell) in line.enumerated() {
                let color = row < 0 ? StateColor.heading : column == stateColumn ? state.map(StateColor.of) : nil
                text.append(
                    cell,
                    width: widths[column],
                    alignsRight: column == keys.count,
                    terminal.hasColor ? color : nil
                )
                if column < keys.count { text.append(spaces: SocketTableLayout.gap) }
            }
            text.append(.newline)
            output.drain(&text)
        }
        output.flush(&text)
    }

    private func cell(_ key: GroupKey, _ group: Group, _ hosts: inout HostNames?) -> String {
        switch key {
        case .state: group.state?.description ?? ""
        case .localPort: group.localPort.map { hosts?.service($0) ?? "\($0)" } ?? ""
        case .peer:
            (group.peer.map { hosts?.host($0) ?? "\($0)" } ?? "") + (group.peerInterface.map { "%\($0)" } ?? "")
        case .process: group.process?.text ?? "-"
        case .uid: group.uid.map { "\($0)" } ?? "-"
        case .netns: group.netns.map { String(escaping: Array($0.utf8)) } ?? "-"
        }
    }

    /// Writes the rows as records.
    func writeRecords(_ encoder: consuming some BufferedEncoder & ~Copyable, to output: inout Output) {
        for row in rows {
            encoder.append(Record(.summary(record(of: row.group, row.count))))
            output.drain(&encoder.text)
        }
        output.flush(&encoder.text)
    }

    /// An encoder with a column for each key.
    func csvEncoder(_ hosts: HostNames?, writesHeader: Bool) -> CSVEncoder {
        CSVEncoder(
            .summary(by: keys.map(\.field)),
            names: RecordNames(hosts: hosts),
            writesHeader: writesHeader
        )
    }

    private func record(of group: Group, _ count: Int) -> SummaryRecord {
        var record = SummaryRecord(by: keys.map(\.field), count: count)
        (record.state, record.localPort, record.peer) = (group.state, group.localPort, group.peer)
        record.interface = group.peerInterface
        (record.process, record.uid, record.namespace) = (group.process?.text, group.uid, group.netns)
        return record
    }
}

extension GroupKey {
    /// The column's title.
    fileprivate var title: String { rawValue.uppercased() }

    /// Its field in records.
    fileprivate var field: SummaryRecord.Key {
        switch self {
        case .state: .state
        case .localPort: .localPort
        case .peer: .peer
        case .process: .process
        case .uid: .uid
        case .netns: .namespace
        }
    }
}

extension TextBuffer {
    /// Appends a cell that fills its column.
    fileprivate mutating func append(_ cell: String, width: Int, alignsRight: Bool, _ color: StaticString?) {
        let padding = width - cell.utf8.count
        if alignsRight { append(spaces: padding) }
        if let color { append(color) }
        append(printable: cell)
        if color != nil { append(StateColor.reset) }
        if !alignsRight { append(spaces: padding) }
    }
}
