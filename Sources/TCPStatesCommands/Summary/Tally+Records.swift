internal import SockDiag

extension Tally {
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
