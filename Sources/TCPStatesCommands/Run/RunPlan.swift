internal import LinuxLibC
internal import LinuxSystem
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
        if tests == nil {
            do throws(KernelError) { _ = try Descendants.current() } catch { return try runUnfollowed(error) }
        }
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

    /// Runs COMMAND where its processes cannot be found: without a report, and with a failure in the place of success.
    private func runUnfollowed(_ refusal: KernelError) throws -> ChildCommand.End {
        TCPStates.complain("runs \(words[0]) without following its sockets: \(refusal)")
        var mask = sigset_t()
        pthread_sigmask(SIG_BLOCK, nil, &mask)
        signal(SIGCHLD, SIG_DFL)
        let signals: SignalDescriptor
        do throws(Errno) {
            signals = try SignalDescriptor([SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD])
        } catch {
            throw CommandFailure("cannot follow a command", errno: error.rawValue)
        }
        let child = try ChildCommand(words, mask: mask)
        var deadline = duration.map { ContinuousClock.now + $0 }
        while true {
            var waited = pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0)
            poll(&waited, 1, deadline.map { Int32(pollingFor: ($0 - .now).nanoseconds) } ?? -1)
            // What a terminal sends, it sends to COMMAND too.
            while let signal = signals.next() {
                if signal.number != SIGCHLD, !signal.isFromKernel { kill(child.pid, signal.number) }
            }
            if let end = child.reap({ _, _ in }) { return end == .exited(0) ? .exited(EXIT_FAILURE) : end }
            guard let time = deadline, time <= .now else { continue }
            kill(child.pid, SIGTERM)
            deadline = nil
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
