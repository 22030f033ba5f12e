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

            The format prometheus has metrics instead: sockets by state, listeners and their queues, destinations and the \
            ports that they take, and the kernel's own counters; by local-port and by process where that is asked for.

            EXAMPLES
              tcpstates summary                           how many are in each state
              tcpstates summary --by state,local-port     which service is in trouble
              tcpstates summary --by peer --state estab   who is connected, how often
              tcpstates summary --by process,state        which program holds them
              tcpstates summary --by uid --state time-wait,close-wait
              tcpstates summary --json                    an object a line, for programs
              tcpstates summary --format prometheus       metrics, for node_exporter's textfile collector
            """
    )

    @OptionGroup(title: "Groups") var grouping: GroupingOptions
    @OptionGroup(title: "Which sockets") var selection: SelectionOptions
    @OptionGroup(title: "Network namespaces") var namespaces: NamespaceOptions
    @OptionGroup(title: "Output") var output: FormatOptions<SummaryFormat>
    @OptionGroup var filter: FilterArguments

    mutating func validate() throws {
        guard output.chosenFormat == .prometheus else { return }
        let groups = Set(Self.metricGroups.keys).union([.state, .netns])
        guard let key = grouping.keys.first(where: { !groups.contains($0) }) else { return }
        let known = GroupKey.allCases.filter(groups.contains).map(\.rawValue).joined(separator: ", ")
        throw ValidationError("--format prometheus has no groups by \(key.rawValue); there are \(known)")
    }

    /// What metrics are counted by, where it is asked for.
    private static let metricGroups: [GroupKey: SocketGauges.Grouping] = [.localPort: .localPort, .process: .process]

    func run() throws {
        var output = try self.output.open()
        if self.output.chosenFormat == .prometheus {
            try writeMetrics(to: &output)
        } else {
            try writeTally(to: &output)
        }
        try output.close()
    }

    /// One look, as metrics. The program's own are left out: whoever passes the text on has metrics of the same names.
    private func writeMetrics(to output: inout Output) throws {
        let keys = grouping.keys
        let source = try SocketSource(
            selection,
            namespaces,
            filter,
            details: keys.contains(.process) ? [.processes, .namespace] : .namespace
        )
        var options = SocketGauges.Options()
        options.groupings = Set(keys.compactMap { Self.metricGroups[$0] })
        options.hasQueues = true
        let isLabelled = namespaces.isGiven || keys.contains(.netns)
        var groups: [PrometheusText.Group] = []
        try source.forEachNamespace { namespace throws(KernelError) in
            let families = try source.metrics(of: namespace, options)
            groups.append((isLabelled ? [(name: "netns", value: namespace.metricLabel)] : [], families))
        }
        source.reportMissingOwners()
        groups.append(([], [MetricFamily.build(version: TCPStates.version)]))
        var text = TextBuffer()
        PrometheusText.write(groups, as: .classic, into: &text)
        output.flush(&text)
    }

    private func writeTally(to output: inout Output) throws {
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
        case .prometheus: break
        }
    }
}
