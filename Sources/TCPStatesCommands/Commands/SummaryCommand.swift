internal import ArgumentParser
internal import SockDiag
internal import TCPRecords

/// `tcpstates summary`
struct SummaryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "summary",
        abstract: "How many TCP sockets are in each state, or in each group.",
        usage: "tcpstates summary [<options>] [<filter>…]",
        discussion: """
            Counted by state alone, every state has a row, also at 0. Else each group that exists has one, the largest \
            first. A peer is the remote address. Sockets whose owner the kernel does not name have no uid.

            EXAMPLES
              tcpstates summary                           how many are in each state
              tcpstates summary --by state,local-port     which service is in trouble
              tcpstates summary --by peer --state estab   who is connected, how often
              tcpstates summary --by process,state        which program holds them
              tcpstates summary --by uid --state time-wait,close-wait
              tcpstates summary --json                    an object a line, for programs
            """
    )

    @OptionGroup(title: "Groups") var grouping: GroupingOptions
    @OptionGroup(title: "Which sockets") var selection: SelectionOptions
    @OptionGroup(title: "Network namespaces") var namespaces: NamespaceOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup var filter: FilterArguments

    func run() throws {
        var output = try self.output.open()
        let keys = grouping.keys
        var details: SocketDetails = keys.contains(.process) ? .processes : []
        if keys.contains(.netns) { details.insert(.namespace) }
        let source = try SocketSource(selection, namespaces, filter, details: details)
        let tally = try source.tally(by: keys)
        var hosts = self.output.resolve ? HostNames.resolved : nil
        let showsHeader = !self.output.noHeader
        switch self.output.chosenFormat {
        case .table:
            let terminal = Terminal(descriptor: output.descriptor, color: self.output.color)
            tally.writeTable(&hosts, terminal, showsHeader: showsHeader, to: &output)
        case .jsonl: tally.writeRecords(JSONLinesEncoder(names: RecordNames(hosts: hosts)), to: &output)
        case .csv: tally.writeRecords(tally.csvEncoder(hosts, writesHeader: showsHeader), to: &output)
        }
        try output.close()
    }
}
