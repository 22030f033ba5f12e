internal import ArgumentParser
internal import LinuxLibC
internal import SockDiag
internal import SocketOwners
internal import TCPRecords
internal import TCPWatch

/// `tcpstates watch`
struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Every transition of every connection, as it happens, until Ctrl-C.",
        usage: "tcpstates watch [<options>] [<filter>…]",
        discussion: """
            A line for each transition from one state to another; at its end the whole is summed up on standard error. \
            No privilege is needed.

            With CAP_BPF and CAP_PERFMON, or as root, the kernel reports each transition as it happens. Else all \
            sockets are polled four times a second, and the kernel reports the end of each at once. A transition whose \
            two states were seen is shown as →. Where others were passed through between two polls, it is ~→, and via: \
            names them. A connection's last line says what it sent, received and retransmitted; how long it lived is said when both \
            sides have closed it, before TIME_WAIT. \
            An arrow between the endpoints points away from the side that opened. What --state selects are transitions \
            that leave, enter or pass one of the states.

            EXAMPLES
              tcpstates watch                              until Ctrl-C
              tcpstates watch --state close-wait,syn-rcvd  what touches these states
              tcpstates watch -p dport = :5432             who connects to the database
              tcpstates watch --initial -4                 first what is there already
              tcpstates watch --duration 10s -H            ten seconds
              tcpstates watch -c 100 --json | jq .to       a hundred, for programs
              tcpstates watch --retransmits                what is sent again, and how often
              tcpstates watch --journal bug.journal        and a file that others can replay
            """
    )

    @OptionGroup(title: "How to watch") var watch: WatchOptions
    @Option(
        help: ArgumentHelp(
            """
            Write all that is learned to a file, for tcpstates replay: a report of what is wrong. It holds addresses, ports, \
            users and, with -p, processes; only its owner may read it.
            """,
            valueName: "file"
        ),
        completion: .file()
    )
    var journal: String?

    @Flag(help: "Each segment that is sent again too: a SYN, a SYN+ACK, data, a probe. It takes tracing.")
    var retransmits = false

    @OptionGroup(title: "Which sockets") var selection: SelectionOptions
    @OptionGroup(title: "Network namespaces") var namespaces: NamespaceOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup var filter: FilterArguments

    func validate() throws {
        if retransmits, watch.source == .poll {
            throw ValidationError(
                "--retransmits and --source poll exclude each other: dumps do not show what is sent again"
            )
        }
        guard let journal, let file = FileIdentity(path: journal) else { return }
        let other = output.output.map { FileIdentity(path: $0) } ?? FileIdentity(descriptor: STDOUT_FILENO)
        guard other == file else { return }
        let name = output.output == nil ? "standard output" : "--output"
        throw ValidationError("--journal and \(name) are the same file, \(journal); give the journal one of its own")
    }

    func run() throws {
        var configuration = try watch.configuration(selection, namespaces, filter.filter)
        configuration.reportsRetransmissions = retransmits
        configuration.journal = journal.map { path in
            JournalDestination(path: path, version: TCPStates.version) { TCPStates.complain("\($0)") }
        }
        if watch.processes {
            do throws(KernelError) {
                let coverage = try ScanCoverage.probe()
                if !coverage.isComplete { TCPStates.complain(coverage.description) }
            } catch {
                TCPStates.complain("\(error)")
                configuration.resolvesOwners = false
            }
        }
        var details: SocketDetails = watch.processes ? .processes : []
        if !configuration.namespaces.isEmpty { details.insert(.namespace) }
        let output = EventOutput(
            output: output,
            names: SocketNames(resolvesHosts: output.resolve),
            details: details,
            reportsExisting: watch.initial,
            limit: watch.limit.count
        )
        var watching = Watching(configuration: configuration, duration: watch.duration?.duration)
        try output.run(&watching)
    }
}

/// Watches, and writes to a sink what comes.
private struct Watching: EventOutput.Body {
    var configuration: SocketWatcher.Configuration
    var duration: Duration?

    func run<Renderer: EventRenderer & ~Copyable>(_ sink: consuming EventSink<Renderer>) throws {
        var session = WatchSession(sink, duration: duration)
        try session.run(configuration)
    }
}
