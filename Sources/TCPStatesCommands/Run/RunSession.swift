internal import LinuxLibC
internal import LinuxSystem
internal import SockDiag
internal import SocketLeaks
internal import Synchronization
internal import TCPWatch

/// Runs COMMAND and follows its sockets to the report.
///
/// One thread waits in `poll(2)` for signals, for the end of a child and for the watcher's events; there are no tasks.
struct RunSession<Renderer: EventRenderer & ~Copyable>: ~Copyable {
    var plan: RunPlan
    var renderer: Renderer
    var output: Output
    var sockets: SocketAccounts
    var report: RunReport
    let inbox: Inbox
    let clock = ContinuousClock()
    var hasBegun = false
    var isOver = false
    /// Whether a signal asks not to wait any longer.
    var isInterrupted = false
    /// Whether whoever started this process has gone.
    var isAbandoned = false
    /// The socket whose end shows that the watcher has reported all that ended with COMMAND, and when it did.
    var marker: EndMarker?
    var caughtUpAt: ContinuousClock.Instant?
    var polls = HolderPolls()
    /// Connections that are over, and of which it is not known whose they were.
    var undecided: [SocketAccount] = []
    var emittedTransitions = 0
    var hasComplained = false
    /// What test processes held just before they ended.
    var remains: [TestRemains] = []

    /// What is passed on to COMMAND. What a terminal sends, it sends to COMMAND too.
    private static var passedOn: [Int32] { ending + [SIGUSR1, SIGUSR2, SIGIO] }
    /// What asks COMMAND to end.
    private static var ending: [Int32] { [SIGHUP, SIGINT, SIGQUIT, SIGTERM] }

    init(_ plan: RunPlan, _ renderer: consuming Renderer, to output: consuming Output) throws {
        self.plan = plan
        self.renderer = renderer
        self.output = output
        sockets = SocketAccounts(
            processesOf: LeakScope("COMMAND", rules: plan.rules),
            at: EventTime.now().monotonicNanoseconds
        )
        report = RunReport(words: plan.words)
        inbox = try Inbox()
    }

    /// Runs it to the report: how COMMAND ended, and whether sockets leaked.
    mutating func run() throws -> (end: ChildCommand.End, hasLeaks: Bool) {
        var mask = sigset_t()
        pthread_sigmask(SIG_BLOCK, nil, &mask)
        let signals = try adoptAndTakeSignals()
        let begin = SystemClock.threadProcessorTime.nanoseconds
        let search = try LeakSearch(plan.rules, in: plan.watch.namespaces)
        let cost = SystemClock.threadProcessorTime.nanoseconds - begin
        if !plan.hasInterval { plan.watch.interval = Self.interval(afterDumpOf: .nanoseconds(Int64(clamping: cost))) }
        plan.watch.reportsExisting = true
        plan.watch.reportsCounters = inbox.put
        let watcher = try SocketWatcher(plan.watch)
        renderer.begin()
        watcher.receive(inbox.put)
        // COMMAND has to find the watcher at work.
        while !hasBegun, !isOver {
            wait(for: signals, until: nil)
            if let signal = signals.next(), signal.number != SIGCHLD {
                watcher.stop()
                return (.killed(signal: signal.number), false)
            }
            try takeEvents(from: watcher)
        }

        // A plugin has no input to pass on.
        let hasInput = !TCPStates.inputIsLife.load(ordering: .relaxed)
        let start = clock.now
        let child =
            try plan.tests?.start(plan.words, mask: mask) ?? ChildCommand(plan.words, mask: mask, hasInput: hasInput)
        let deadline = plan.duration.map { start + $0 }
        var isAsked = false
        var end: ChildCommand.End?
        while end == nil {
            wait(for: signals, until: min(polls.next, isAsked ? polls.next : deadline ?? polls.next))
            end = try takeSignals(signals, for: child, search, watcher)
            try takeEvents(from: watcher)
            if isAbandoned || isInterrupted && plan.tests != nil {
                let forced = try endDescendants(signals, child)
                end = end ?? forced
            }
            try pollHolders(search)
            let isEnough = emittedTransitions >= plan.transitions ?? .max || deadline.map { $0 <= clock.now } ?? false
            guard isEnough, !isAsked, end == nil else { continue }
            kill(child.pid, SIGTERM)
            isAsked = true
        }
        report.duration = clock.now - start
        report.end = end ?? report.end
        isInterrupted = isAbandoned || isInterrupted && plan.tests != nil
        try settle(search, child, signals, watcher, plan.watch.interval)
        watcher.stop()
        finish()
        if let failure = watcher.failure { TCPStates.complain(failure.description) }
        if report.end == .exited(0), report.leaks.isEmpty, report.isUnwritten { return (.exited(EXIT_FAILURE), false) }
        return (report.end, !report.leaks.isEmpty)
    }

    /// As often as takes a quarter of a processor; no more often than a hundred times, nor less than four times a second.
    private static func interval(afterDumpOf time: Duration) -> Duration {
        min(max(.milliseconds(10), time * 4), .milliseconds(250))
    }

    private func adoptAndTakeSignals() throws(CommandFailure) -> SignalDescriptor {
        // Ignored by whoever started us, children would be reaped unseen.
        signal(SIGCHLD, SIG_DFL)
        // COMMAND goes on where nobody reads its report.
        signal(SIGPIPE, SIG_IGN)
        do throws(Errno) {
            try Descendants.adoptOrphans()
            return try SignalDescriptor(Self.passedOn + [SIGCHLD])
        } catch {
            throw CommandFailure("cannot follow a command's processes", errno: error.rawValue)
        }
    }

    /// Waits for a signal, for the watcher, or for the time.
    func wait(for signals: borrowing SignalDescriptor, until deadline: ContinuousClock.Instant?) {
        var waited = [
            pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: inbox.bell.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: plan.tests?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: plan.tests?.output?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
        ]
        let milliseconds = deadline.map { Int32(pollingFor: ($0 - clock.now).nanoseconds) } ?? -1
        poll(&waited, nfds_t(waited.count), milliseconds)
        inbox.bell.clear()
        plan.tests?.output?.passOn()
    }

    /// Passes signals on, and waits for children that have ended; how COMMAND did, if it has.
    mutating func takeSignals(
        _ signals: borrowing SignalDescriptor,
        for child: ChildCommand,
        _ search: LeakSearch,
        _ watcher: SocketWatcher
    ) throws -> ChildCommand.End? {
        while let signal = signals.next() {
            guard signal.number != SIGCHLD else {
                sockets.askAgain()
                continue
            }
            // Nobody is at the other end of standard input any more, as the plugin has it.
            if signal.number == SIGIO, signal.isFromKernel, TCPStates.inputIsLife.load(ordering: .relaxed) {
                isAbandoned = true
            }
            if isAbandoned || Self.ending.contains(signal.number) { isInterrupted = true }
            // No terminal sends SIGTERM.
            guard report.duration == .zero, !signal.isFromKernel || signal.number == SIGTERM else { continue }
            kill(child.pid, signal.number)
        }
        return try child.reap { process, status in
            try plan.tests?.handleStop(of: process, waitStatus: status) { process, test in
                try takeEvents(from: watcher)
                try noteRemains(of: process, test, search)
            }
        }
    }
}
