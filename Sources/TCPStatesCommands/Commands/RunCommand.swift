internal import ArgumentParser
internal import SockDiag
internal import TCPWatch

/// `tcpstates run`
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a command; report what its sockets did and which it left behind.",
        usage: "tcpstates run [<options>] -- <command>…",
        discussion: """
            COMMAND has this terminal, input, output and signals as if it were started without tcpstates; the report \
            goes to standard error or to --output. Its sockets are those that it or one of its descendants holds, those \
            too that outlive it, and what is accepted from their listeners. They are polled a hundred times a \
            second, or less often where that would take more than a quarter of a processor. That is always by dumps, \
            which show who holds a socket: --source trace is refused. --duration and --count end COMMAND by SIGTERM.

            A leak is a socket that appeared meanwhile and that a process of COMMAND still holds when COMMAND has \
            ended and the time to settle has passed.

            EXAMPLES
              tcpstates run -- ./smoke-test            what it did, and what it left
              tcpstates run -v -- make test            each transition, as it happens
              tcpstates run --json --output sockets.jsonl -- make test
              tcpstates run --ignore 'sport = :5432' -- ./start-services

            The exit status is that of COMMAND where it is not 0, else 3 where sockets leaked. It is 127 where there is \
            no such command, and 126 where it cannot be started.
            """
    )

    @Flag(name: .shortAndLong, help: "Each transition of its sockets, as it happens.")
    var verbose = false

    @OptionGroup(title: "Leaks") var leaks: LeakOptions
    @OptionGroup(title: "How to watch") var watch: WatchOptions
    @OptionGroup(title: "Which sockets") var selection: SelectionOptions
    @OptionGroup(title: "Network namespaces") var namespaces: NamespaceOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("The command and its arguments.", valueName: "command")
    )
    var words: [String] = []

    func validate() throws {
        try Self.heed(words.first)
        guard let first = command.first else {
            throw ValidationError("there is no command to run; it follows --, as in: tcpstates run -- make test")
        }
        if words.first != "--", first.hasPrefix("-") {
            throw ValidationError("no option '\(first)'; a command follows --")
        }
    }

    private var command: [String] { words.first == "--" ? Array(words.dropFirst()) : words }

    func run() throws {
        var plan = RunPlan(words: command)
        guard watch.source != .trace else {
            throw ValidationError("run learns from dumps whose a socket is; leave out --source trace")
        }
        plan.watch = try watch.configuration(selection, namespaces)
        plan.watch.states = .all
        // Dumps show whose a socket is: they have its inode.
        plan.watch.source = .poll
        plan.hasInterval = watch.interval != nil
        plan.states = selection.selectedStates
        plan.rules = try leaks.rules(states: selection.states.isEmpty ? nil : selection.selectedStates)
        plan.reportsTransitions = verbose
        plan.duration = watch.duration?.duration
        plan.transitions = watch.limit.count
        try plan.run(output).imitate()
    }
}

extension ParsableCommand {
    /// What the parser does for an option, where the first word of another command might be one.
    static func heed(_ word: String?) throws {
        switch word {
        case "-h", "--help": throw CleanExit.helpRequest(Self.self)
        case "--version": throw CleanExit.message(TCPStates.version)
        default: break
        }
    }
}
