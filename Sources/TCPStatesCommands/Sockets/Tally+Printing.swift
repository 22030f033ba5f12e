internal import SockDiag

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
        case .peer: group.peer.map { hosts?.host($0) ?? "\($0)" } ?? ""
        case .process: group.process?.text ?? "-"
        case .uid: group.uid.map { "\($0)" } ?? "-"
        case .netns: group.netns.map { String(escaping: Array($0.utf8)) } ?? "-"
        }
    }

    /// Writes the rows as records.
    func writeRecords(
        _ writer: consuming some RecordWriter & ~Copyable,
        _ hosts: inout HostNames?,
        to output: inout Output
    ) {
        writer.writeHeader { describe(Group(), 0, &hosts, to: &$0) }
        for row in rows {
            describe(row.group, row.count, &hosts, to: &writer)
            output.drain(&writer.text)
        }
        output.flush(&writer.text)
    }

    /// The `summary` record.
    private func describe(
        _ group: Group,
        _ count: Int,
        _ hosts: inout HostNames?,
        to writer: inout some RecordWriter & ~Copyable
    ) {
        writer.begin("summary")
        for key in keys {
            switch key {
            case .state: writer.add("state", group.state.map { .text($0.description) })
            case .localPort: writer.add("local_port", group.localPort.map { .number($0) })
            case .peer: writer.add("peer", group.peer.map { .address($0) })
            case .process: writer.add("process", group.process.map { .text($0.text) })
            case .uid: writer.add("uid", group.uid.map { .number($0) })
            case .netns: writer.add("netns", group.netns.map { .text($0) })
            }
        }
        writer.add("count", .number(UInt64(count)))
        guard hosts != nil else { return writer.end() }
        if keys.contains(.localPort) {
            writer.add("local_service", group.localPort.flatMap { hosts?.service($0) }.map { .text($0) })
        }
        if keys.contains(.peer) {
            writer.add("peer_name", group.peer.flatMap { hosts?.host($0) }.map { .text($0) })
        }
        writer.end()
    }
}

extension GroupKey {
    /// The column's title.
    fileprivate var title: String { rawValue.uppercased() }
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
