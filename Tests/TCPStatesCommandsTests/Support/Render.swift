import SockDiag
import TCPRecords

@testable import TCPStatesCommands

extension SocketDetails {
    /// Those that a fixture may have.
    static let known: SocketDetails = [.info, .memory, .timers, .extended, .service, .options]
}

/// The sockets as a table.
func table(
    _ sockets: [InetSocket],
    _ details: SocketDetails = [],
    states: TCPStateSet = .all,
    hosts: HostNames? = nil,
    terminal: Terminal = .none,
    showsHeader: Bool = true
) -> String {
    var renderer = SocketTable(
        details: details,
        states: states,
        names: Fixtures.names(hosts: hosts),
        terminal: terminal,
        showsHeader: showsHeader
    )
    renderer.begin()
    for socket in sockets { renderer.render(socket) }
    renderer.finish()
    return renderer.text.string
}

/// How records are written.
enum RecordFormat { case jsonl, csv, csvRows }

/// The sockets as records.
func records(
    _ sockets: [InetSocket],
    _ format: RecordFormat,
    _ details: SocketDetails = .known,
    hosts: HostNames? = nil
) -> String {
    func render(_ renderer: consuming SocketRecordRenderer<some BufferedEncoder & ~Copyable>) -> String {
        renderer.begin()
        for socket in sockets { renderer.render(socket) }
        renderer.finish()
        return renderer.text.string
    }
    let names = Fixtures.names(hosts: hosts)
    guard format != .jsonl else {
        return render(
            SocketRecordRenderer(names: names) { names, _ in JSONLinesEncoder(details: details, names: names) }
        )
    }
    return render(
        SocketRecordRenderer(names: names) { names, _ in
            CSVEncoder(.sockets, details: details, names: names, writesHeader: format == .csv)
        }
    )
}

/// The report of a command as records.
func runRecords(_ format: RecordFormat, _ report: RunReport) -> String {
    func render(_ renderer: consuming EventRecordRenderer<some BufferedEncoder & ~Copyable>) -> String {
        renderer.begin()
        renderer.render(report)
        return renderer.encoder.text.string
    }
    let names = Fixtures.names().names
    guard format != .jsonl else {
        return render(EventRecordRenderer(JSONLinesEncoder(details: .processes, names: names)))
    }
    return render(EventRecordRenderer(CSVEncoder(.run, details: .processes, names: names)))
}
