import SockDiag

@testable import TCPStatesCommands

extension SocketDetails {
    static let all: SocketDetails = [.info, .memory, .timers, .extended, .service, .options]
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

/// The sockets as records.
func records<Writer: RecordWriter & ~Copyable>(
    _ sockets: [InetSocket],
    _ writer: @escaping @autoclosure () -> Writer,
    _ details: SocketDetails = .all,
    hosts: HostNames? = nil
) -> String {
    var renderer = SocketRecordRenderer(writer(), details: details, names: Fixtures.names(hosts: hosts))
    renderer.begin()
    for socket in sockets { renderer.render(socket) }
    renderer.finish()
    return renderer.writer.text.string
}
