internal import ArgumentParser
internal import TCPWatch

/// Where steps are learned.
enum WatchSource: String, CaseIterable, ExpressibleByArgument {
    case auto, trace, poll
}

/// How a command watches, and for how long.
struct WatchOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Between two looks at all sockets: 100ms, 1s (default: 250ms).", valueName: "time"),
        transform: DurationArgument.init(word:)
    )
    var interval: DurationArgument?

    @Option(help: ArgumentHelp("Where steps are learned; auto is the best there is.", valueName: "source"))
    var source = WatchSource.auto

    @Option(
        help: ArgumentHelp("Stop after this time: 10s, 2m, 1h.", valueName: "time"),
        transform: DurationArgument.init(word:)
    )
    var duration: DurationArgument?

    @Option(name: .shortAndLong, help: ArgumentHelp("Stop after so many transitions.", valueName: "n"))
    var count: Int?

    @Flag(help: "First the sockets that exist already.")
    var initial = false

    @Flag(
        inversion: .prefixedNo,
        exclusivity: .exclusive,
        help: ArgumentHelp(
            """
            Hear of each socket's end from the kernel. That costs a busy machine about 7 µs a connection; without it, \
            connections that live shorter than the interval are missed, ends are late, and no bytes are told of them.
            """
        )
    )
    var destroyEvents = true

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count \(count) is nothing to wait for; 1 is the least") }
    }

    /// What a watcher is asked for.
    ///
    /// - Throws: ``CommandFailure`` for a source that does not exist.
    func configuration(_ selection: SelectionOptions) throws(CommandFailure) -> SocketWatcher.Configuration {
        guard source != .trace else {
            throw CommandFailure("this version has no trace; leave out --source trace, or use --source poll")
        }
        var configuration = SocketWatcher.Configuration()
        configuration.family = selection.family
        configuration.states = selection.selectedStates
        if let interval { configuration.interval = interval.duration }
        configuration.usesDestroyEvents = destroyEvents
        configuration.tellsExisting = initial
        return configuration
    }
}
