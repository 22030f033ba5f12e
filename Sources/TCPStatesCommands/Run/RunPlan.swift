internal import SockDiag
internal import SocketLeaks
internal import TCPRecords
internal import TCPWatch

/// What `run` is asked for.
struct RunPlan {
    let words: [String]
    /// Whether the watcher's interval was asked for; else the machine's sockets decide.
    var hasInterval = false
    var watch = SocketWatcher.Configuration()
    var rules = LeakRules()
    /// Only transitions that touch one of these states are reported.
    var states = TCPStateSet.all
    /// Whether each transition is reported as it happens.
    var reportsTransitions = false
    /// The time after which COMMAND is asked to end, as by `timeout(1)`.
    var duration: Duration?
    /// The number of transitions after which it is asked too.
    var transitions: Int?
    /// What follows the tests, where COMMAND is `swift test`. COMMAND then has no standard input, and a signal that
    /// ends it ends all its descendants.
    var tests: TestWatch?
}

extension RunPlan {
    /// What a command exits with where it succeeded and sockets leaked.
    static let leakStatus: Int32 = 3

    /// Runs COMMAND and writes the report as the options want it; what this process then ends with.
    func run(_ options: OutputOptions) throws -> ChildCommand.End {
        let output = if let path = options.output { try Output(path: path) } else { try Output.standardError() }
        let names = SocketNames(resolvesHosts: options.resolve)
        var details: SocketDetails = .processes
        if !watch.namespaces.isEmpty { details.insert(.namespace) }
        switch options.chosenFormat {
        case .table:
            let terminal = Terminal(descriptor: output.descriptor, color: options.color)
            let table = EventTable(
                names: names,
                terminal: terminal,
                showsHeader: reportsTransitions && !options.noHeader
            )
            return try run(table, to: output)
        case .jsonl:
            let encoder = JSONLinesEncoder(details: details, names: names.names)
            return try run(EventRecordRenderer(encoder), to: output)
        case .csv:
            let encoder = CSVEncoder(.run, details: details, names: names.names, writesHeader: !options.noHeader)
            return try run(EventRecordRenderer(encoder), to: output)
        }
    }

    private func run<Renderer: EventRenderer & ~Copyable>(
        _ renderer: consuming Renderer,
        to output: consuming Output
    ) throws -> ChildCommand.End {
        var session = try RunSession(self, renderer, to: output)
        let (end, hasLeaks) = try session.run()
        return end == .exited(0) && hasLeaks ? .exited(Self.leakStatus) : end
    }
}
