internal import SockDiag

/// The `summary` record: the keys that were counted by, in their order, and the count.
extension SocketDescription {
    /// Passes the record to the writer.
    mutating func describe<Writer: RecordWriter & ~Copyable>(_ summary: SummaryRecord, to writer: inout Writer) {
        writer.begin("summary")
        for key in summary.keys {
            switch key {
            case .state: writer.add("state", summary.state.map { .text($0.description) })
            case .localPort: writer.add("local_port", summary.localPort.map { .number($0) })
            case .peer:
                writer.add("peer", summary.peer.map { .address($0) })
                writer.add("interface", summary.interface.map { .text($0) })
            case .process: writer.add("process", summary.process.map { .text($0) })
            case .uid: writer.add("uid", summary.uid.map { .number($0) })
            case .namespace: writer.add("netns", summary.namespace.map { .text($0) })
            }
        }
        writer.add("count", .count(summary.count))
        if !Writer.isTabular { writer.add("peak", summary.peak.map { .count($0) }) }
        if names.hosts != nil || (!Writer.isTabular && known.hasHosts) {
            if summary.keys.contains(.localPort) {
                let name = known.localService ?? summary.localPort.flatMap { names.hosts?.service($0) }
                writer.add("local_service", name.map { .text($0) })
            }
            if summary.keys.contains(.peer) {
                let name = known.remoteHost ?? summary.peer.flatMap { names.hosts?.host($0) }
                writer.add("peer_name", name.map { .text($0) })
            }
        }
        writer.end()
    }
}
