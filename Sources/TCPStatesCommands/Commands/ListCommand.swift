internal import ArgumentParser
internal import SockDiag

/// `tcpstates list`
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "The TCP sockets that exist now.",
        usage: "tcpstates [list] [<options>]",
        discussion: """
            A line for each socket, in the kernel's order: listeners, bound sockets, then connections. RECV-Q and \
            SEND-Q are bytes; for a listener, the length and the limit of its accept queue. No privilege is needed.

            STATES
              LISTEN SYN_SENT SYN_RCVD ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 CLOSE_WAIT
              CLOSING LAST_ACK TIME_WAIT CLOSED BOUND
              in any case, with - or _, and as ss and netstat spell them; and the groups
              all connected synchronized bucket big fin-wait closing-states

            EXAMPLES
              tcpstates                                 every socket
              tcpstates -4 --state listen               IPv4 servers
              tcpstates --state close-wait -e           what a program forgot to close
              tcpstates --state estab -io               round trips, windows, timers
              tcpstates --json -i | jq .tcp_info.rtt    an object a line, for programs
              tcpstates --format csv --output now.csv   for spreadsheets
            """
    )

    @OptionGroup(title: "Which sockets") var selection: SelectionOptions
    @OptionGroup(title: "What of them") var details: DetailOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        let details = details.details
        let names = SocketNames(resolvesHosts: output.resolve)
        switch output.chosenFormat {
        case .table:
            let output = try output.open()
            let renderer = TableRenderer(
                details: details,
                states: selection.selectedStates,
                names: names,
                terminal: Terminal(descriptor: output.descriptor, color: self.output.color),
                showsHeader: !self.output.noHeader
            )
            try list(with: renderer, to: output)
        case .jsonl:
            try list(with: SocketRecordRenderer(JSONLWriter(), details: details, names: names), to: output.open())
        case .csv:
            let writer = CSVWriter(showsHeader: !output.noHeader)
            try list(with: SocketRecordRenderer(writer, details: details, names: names), to: output.open())
        }
    }

    private func list(with renderer: consuming some SocketRenderer & ~Copyable, to output: consuming Output) throws {
        var client = try SockDiagClient()
        var failure: SockDiagError?
        renderer.begin()
        do throws(SockDiagError) {
            try client.forEach(selection.query(details.details.extensions)) { socket in
                guard output.isOpen else { return }
                renderer.render(socket)
                renderer.drain(to: &output)
            }
        } catch {
            failure = error
        }
        // What the kernel told until then is true.
        renderer.finish()
        renderer.flush(to: &output)
        try output.close()
        if let failure { throw failure }
    }
}
