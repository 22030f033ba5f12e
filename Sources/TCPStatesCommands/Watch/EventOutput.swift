internal import ArgumentParser
internal import SockDiag
internal import TCPRecords
internal import TCPWatch

/// How events are written, of a watcher and of a journal alike.
struct EventOutput {
    var output: OutputOptions
    var names: SocketNames
    /// What is reported of each socket beside what every record has: processes and namespaces.
    var details: SocketDetails
    /// Whether there are sockets that existed among the events.
    var reportsExisting: Bool
    /// The number of transitions after which no more are wanted.
    var limit: Int?

    /// What is done with a sink, whatever its renderer.
    protocol Body: ~Copyable {
        mutating func run<Renderer: EventRenderer & ~Copyable>(_ sink: consuming EventSink<Renderer>) throws
    }

    /// Opens the output, and runs `body` with what renders to it in the format that was asked for.
    func run(_ body: inout (some Body & ~Copyable)) throws {
        let showsHeader = !output.noHeader
        switch output.chosenFormat {
        case .table:
            let output = try output.open()
            let terminal = Terminal(descriptor: output.descriptor, color: self.output.color)
            let table = EventTable(
                names: names,
                terminal: terminal,
                showsHeader: showsHeader,
                showsProcesses: details.contains(.processes)
            )
            try body.run(EventSink(table, to: output, limit: limit, complains: true))
        case .jsonl: try run(JSONLinesEncoder(details: details, names: names.names), &body)
        case .csv:
            let table = reportsExisting ? CSVEncoder.Table.eventsAndSockets : .events
            try run(CSVEncoder(table, details: details, names: names.names, writesHeader: showsHeader), &body)
        }
    }

    private func run<Encoder: BufferedEncoder & ~Copyable>(
        _ encoder: consuming Encoder,
        _ body: inout (some Body & ~Copyable)
    ) throws {
        let records = EventRecordRenderer(encoder, reportsSockets: reportsExisting)
        try body.run(EventSink(records, to: output.open(), limit: limit, complains: false))
    }
}
