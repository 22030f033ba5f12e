internal import ArgumentParser
internal import SockDiag
internal import TCPRecords
internal import TCPWatch

/// `tcpstates serve`
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Metrics for Prometheus and OpenTelemetry, and a page, until SIGTERM.",
        usage: "tcpstates serve [<options>] [<filter>…]",
        discussion: """
            It watches as watch does, and answers who asks: Prometheus, a browser, a script.

              /metrics               text 0.0.4, or OpenMetrics 1.0 where that is asked for
              /                      a page: findings, states, listeners, last transitions
              /events                each transition as it happens: Server-Sent Events
              /sockets?filter=…      what a dump shows, as list --json says it; 10,000 lines at most
              /findings              what doctor --json says, every 30 s
              /-/healthy, /-/ready   for who starts it, and ends it

            It listens on loopback alone where nothing else is said: every user of this machine may ask there, and is \
            told what every user may see. Elsewhere whoever reaches the address may; a line at the start says who. Over a \
            UNIX socket its owner alone may ask, and is told which processes hold the sockets where it listens nowhere else; with \
            -p whoever asks is.

            Names in a request's Host are refused but localhost and those of --allow-host, for a page in a browser here \
            could ask by one that it has made point to this machine. Prometheus asks by the name in its configuration.

            With --otlp it sends the metrics to an OpenTelemetry collector as well, and with --otlp-events each transition. A \
            collector that is away costs a line, and another one when it is back. OTEL_ variables are heeded where no option \
            says otherwise: endpoint, headers, timeout, interval, service name, resource attributes.

            EXAMPLES
              tcpstates serve                              at http://127.0.0.1:19293/
              tcpstates serve --listen 192.0.2.1:19293 --no-page --allow-host db1
              tcpstates serve --listen unix:/run/tcpstates.sock
              tcpstates serve --all-netns                  by network namespace
              tcpstates serve --by local-port,destination  by service, and by where connections go
              tcpstates serve --otlp http://127.0.0.1:4318 --otlp-events
              tcpstates serve 'sport = :443'               these sockets alone
            """
    )

    @Option(
        help: ArgumentHelp(
            """
            Where it listens: 127.0.0.1:19293, which is the default, [::1]:19293, unix:/run/tcpstates.sock; fd for the \
            sockets of a systemd socket unit (repeatable).
            """,
            valueName: "address"
        ),
        transform: ListenAddress.init(word:)
    )
    var listen: [ListenAddress] = []

    @Option(
        name: .customLong("allow-host"),
        help: ArgumentHelp("A name by which it may be asked, beside addresses (repeatable).", valueName: "name"),
        transform: Self.host
    )
    var hosts: [String] = []

    @Flag(name: .customLong("no-page"), help: "/metrics and the paths below /-/ alone.")
    var noPage = false

    @Flag(name: .shortAndLong, help: "Tell whoever asks which processes hold the sockets.")
    var processes = false

    @Flag(
        name: .customLong("keep-capabilities"),
        help: "Keep all capabilities; else those alone that are still needed once the kernel is traced."
    )
    var keepsCapabilities = false

    @Option(
        help: ArgumentHelp("Between two examinations, as doctor makes them (default: 30s).", valueName: "time"),
        transform: DurationArgument.init(word:)
    )
    var examine = DurationArgument(.seconds(30))

    @Option(
        help: ArgumentHelp(
            """
            Where transitions come from: trace, the kernel's tracepoints, as they happen, which needs CAP_BPF and \
            CAP_PERFMON; poll, dumps, which needs nothing; auto, the best there is.
            """,
            valueName: "source"
        )
    )
    var source = WatchSource.auto

    @Option(
        help: ArgumentHelp(
            "Without tracing, between two polls of all sockets (default: 10s). A scrape makes one of its own.",
            valueName: "time"
        ),
        transform: DurationArgument.init(word:)
    )
    var interval: DurationArgument?

    @OptionGroup(title: "Groups") var groups: MetricGroupOptions
    @OptionGroup(title: "OpenTelemetry") var otlp: OTLPOptions
    @OptionGroup(title: "Which sockets") var selection: SelectionOptions
    @OptionGroup(title: "Network namespaces") var namespaces: NamespaceOptions
    @OptionGroup var filter: FilterArguments

    func run() throws {
        #if Serve
            try ServeSession(self).run()
        #else
            throw CommandFailure(
                "serve is not part of this build; it takes the package trait Serve: swift build --traits Serve"
            )
        #endif
    }

    /// A name as a request's Host has it, without a port.
    private static func host(_ word: String) throws -> String {
        let isName =
            word.utf8.allSatisfy { $0 < 0x80 } && word.count <= 253
            && word.allSatisfy { $0.isLetter || $0.isNumber || "-._".contains($0) }
        guard isName, !word.isEmpty else {
            throw ValidationError("no host name '\(word)'; one is db1 or db1.example, without a port")
        }
        return word.lowercased()
    }

    /// What the watcher is asked for.
    ///
    /// - Parameters:
    ///   - canTrace: Whether the kernel will be traced. Then only half-open requests are polled, and that is cheap.
    ///   - showsOwners: Whether it is told who holds a socket.
    /// - Returns: The configuration.
    /// - Throws: what the filter and the namespaces throw.
    func watching(canTrace: Bool, showsOwners: Bool) throws -> SocketWatcher.Configuration {
        var watching = SocketWatcher.Configuration()
        watching.source = source.source
        watching.family = selection.family
        watching.states = selection.selectedStates
        watching.filter = try filter.filter
        watching.reportsExisting = false
        watching.resolvesOwners = showsOwners
        if let interval { watching.interval = interval.duration } else if !canTrace { watching.interval = .seconds(10) }
        try namespaces.choose(for: &watching)
        return watching
    }
}
