internal import ArgumentParser
internal import SockDiag
internal import SocketOwners
internal import TCPWatch

/// `tcpstates watch`
struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Every step of every connection, as it happens, until Ctrl-C.",
        usage: "tcpstates watch [<options>] [<filter>…]",
        discussion: """
            A line for each step from one state to another; at its end the whole is summed up on standard error. \
            No privilege is needed.

            With CAP_BPF and CAP_PERFMON, or as root, the kernel reports each step as it takes it. Else all sockets are \
            looked at four times a second, and of the end of each the kernel tells at once. A step \
            whose both ends were seen is shown as →. Where states were passed through between two looks, it is ~→, and \
            via: names them. A connection's last line says what it sent, received and retransmitted, and how long it \
            lived. An arrow between the endpoints points away from the side that opened. What --state selects are steps \
            that leave, enter or pass one of the states.

            EXAMPLES
              tcpstates watch                              until Ctrl-C
              tcpstates watch --state close-wait,syn-rcvd  steps that touch these states
              tcpstates watch -p dport = :5432             who connects to the database
              tcpstates watch --initial -4                 first what is there already
              tcpstates watch --duration 10s -H            ten seconds
              tcpstates watch -c 100 --json | jq .to       a hundred steps, for programs
            """
    )

    @OptionGroup(title: "How to watch") var watch: WatchOptions
    @OptionGroup(title: "Which sockets") var selection: SelectionOptions
    @OptionGroup(title: "Network namespaces") var namespaces: NamespaceOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup var filter: FilterArguments

    func run() throws {
        let configuration = try watch.configuration(selection, namespaces, filter.filter)
        if watch.processes {
            let coverage = try OwnerSnapshot().coverage
            if !coverage.isComplete { TCPStates.complain(coverage.description) }
        }
        var details: SocketDetails = watch.processes ? .processes : []
        if !configuration.namespaces.isEmpty { details.insert(.namespace) }
        let names = SocketNames(resolvesHosts: output.resolve)
        let showsHeader = !output.noHeader
        switch output.chosenFormat {
        case .table:
            let output = try output.open()
            let terminal = Terminal(descriptor: output.descriptor, color: self.output.color)
            let table = EventTable(
                names: names,
                terminal: terminal,
                showsHeader: showsHeader,
                tellsProcesses: watch.processes
            )
            try run(configuration, table, to: output)
        case .jsonl:
            try run(configuration, records(JSONLWriter(), details, names), to: output.open())
        case .csv:
            try run(configuration, records(CSVWriter(showsHeader: showsHeader), details, names), to: output.open())
        }
    }

    private func records<Writer: RecordWriter & ~Copyable>(
        _ writer: consuming Writer,
        _ details: SocketDetails,
        _ names: SocketNames
    ) -> EventRecordRenderer<Writer> {
        EventRecordRenderer(writer, tellsSockets: watch.initial, details: details, names: names)
    }

    private func run<Renderer: EventRenderer & ~Copyable>(
        _ configuration: SocketWatcher.Configuration,
        _ renderer: consuming Renderer,
        to output: consuming Output
    ) throws {
        var session = WatchSession(
            renderer,
            to: output,
            limits: .init(duration: watch.duration?.duration, transitions: watch.count),
            complains: self.output.chosenFormat == .table
        )
        try session.run(configuration)
    }
}
