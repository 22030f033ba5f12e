internal import ArgumentParser
internal import SockDiag
internal import SocketLeaks
internal import TCPRecords

/// What counts as a leak.
struct LeakOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("How long a socket may take to go at the end: 2s (default: 500ms).", valueName: "time"),
        transform: DurationArgument.init(word:)
    )
    var settle: DurationArgument?

    @Option(help: ArgumentHelp("Sockets that this filter finds are no leaks (repeatable).", valueName: "filter"))
    var ignore: [String] = []

    /// The rules; of the states only these, where some are named.
    func rules(states: TCPStateSet?) throws -> LeakRules {
        var rules = LeakRules()
        if let states { rules.states = states }
        if let settle { rules.settleTime = settle.duration }
        var ignored: [SocketFilter] = []
        for text in ignore {
            do throws(SocketFilterError) {
                ignored.append(try SocketFilter(text, resolvesHosts: true))
            } catch {
                throw ValidationError(error.description)
            }
        }
        if !ignored.isEmpty { rules.ignored = .any(of: ignored) }
        return rules
    }
}
