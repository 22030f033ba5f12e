internal import ArgumentParser
internal import SockDiag
internal import SocketOwners
internal import TCPWatch

/// The source of transitions.
enum WatchSource: String, CaseIterable, ExpressibleByArgument {
    case auto, trace, poll

    var source: SocketWatcher.Source {
        switch self {
        case .auto: .auto
        case .trace: .trace
        case .poll: .poll
        }
    }
}

/// How a command watches, and for how long.
struct WatchOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Between two polls of all sockets: 100ms, 1s (default: 250ms).", valueName: "time"),
        transform: DurationArgument.init(word:)
    )
    var interval: DurationArgument?

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
        help: ArgumentHelp("Stop after this time: 10s, 2m, 1h.", valueName: "time"),
        transform: DurationArgument.init(word:)
    )
    var duration: DurationArgument?

    @OptionGroup var limit: TransitionLimit

    @Flag(help: "First the sockets that exist already.")
    var initial = false

    @Flag(name: .shortAndLong, help: "The processes that hold the sockets; other users' take privilege.")
    var processes = false

    @Flag(
        name: .customLong("no-destroy-events"),
        help: ArgumentHelp(
            """
            Without tracing, do not receive the kernel's message of each socket's end. That spares a busy machine \
            about 7 µs a connection, and costs all that live shorter than the interval, the time at which the others \
            ended, and what they sent and received.
            """
        )
    )
    var noDestroyEvents = false

    /// What a watcher is asked for.
    ///
    /// - Throws: what the namespaces throw.
    func configuration(
        _ selection: SelectionOptions,
        _ namespaces: NamespaceOptions,
        _ filter: SocketFilter? = nil
    ) throws -> SocketWatcher.Configuration {
        var configuration = SocketWatcher.Configuration()
        configuration.source = source.source
        configuration.family = selection.family
        configuration.states = selection.selectedStates
        if let interval { configuration.interval = interval.duration }
        configuration.filter = filter
        configuration.resolvesOwners = processes
        try namespaces.choose(for: &configuration)
        configuration.usesDestroyEvents = !noDestroyEvents
        configuration.reportsExisting = initial
        return configuration
    }
}

extension NamespaceOptions {
    /// Has the namespaces watched that are chosen, or all where the filter asks for them.
    func choose(for configuration: inout SocketWatcher.Configuration) throws {
        if all || (configuration.filter?.needsEveryNamespace == true && !isGiven) {
            configuration.namespaces = try Self.enterable()
            configuration.followsAllNamespaces = true
        } else if isGiven {
            configuration.namespaces = try namespaces()
        }
    }
}

extension SocketFilter {
    /// Whether it asks in which namespace a socket is.
    fileprivate var needsEveryNamespace: Bool {
        externals.contains { if case .networkNamespace = $0 { true } else { false } }
    }
}
