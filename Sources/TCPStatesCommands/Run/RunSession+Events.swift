internal import LinuxLibC
internal import LinuxSystem
internal import SockDiag
internal import SocketLeaks
internal import SocketOwners
internal import TCPRecords
internal import TCPWatch

extension RunSession where Renderer: ~Copyable {
    /// Takes the events that the watcher has delivered, and asks it for more.
    mutating func takeEvents(from watcher: SocketWatcher) throws {
        for (identity, counters) in inbox.takeCounters() {
            if identity.cookie == marker?.cookie { caughtUpAt = clock.now }
            sockets.note(counters, of: identity)
        }
        guard !isOver, let events = inbox.take() else { return }
        if events.isEmpty {
            isOver = true
            if !hasBegun, let failure = watcher.failure { throw failure }
            return
        }
        var transitions: [Transition] = []
        for event in events {
            switch event {
            case .socket(let socket): sockets.note(existing: socket, at: socket.time ?? .now())
            case .ready: hasBegun = true
            case .transition(let transition): transitions.append(sockets.note(transition))
            case .gap(let gap):
                report.lost += gap.lost ?? 1
                if plan.reportsTransitions { renderer.render(event) }
            case .slowed, .retransmission: if plan.reportsTransitions { renderer.render(event) }
            }
        }
        var claimed = try claim()
        for transition in transitions where sockets.conclude(transition) { claimed.insert(transition.identity.cookie) }
        emit(transitions, of: claimed)
        noteExits(transitions)
        for transition in transitions where transition.to == .closed {
            if let socket = sockets.remove(transition.identity.cookie, after: transition) { end(socket) }
        }
        renderer.flush(to: &output)
        watcher.receive(inbox.put)
    }

    /// Finds out which new sockets COMMAND's processes hold.
    private mutating func claim() throws(KernelError) -> Set<SocketCookie> {
        guard !sockets.pendingInodes.isEmpty else { return [] }
        let processes = try ProcessIdentity.descendants()
        let holders = try HolderSnapshot(of: sockets.pendingInodes, in: processes)
        if !hasComplained, let coverage = holders.coverage, coverage.unreadable > 0,
            let proc = try? ProcessDirectory(), processes.contains(where: { proc.isClosed($0.pid) })
        {
            hasComplained = true
            TCPStates.complain(coverage.description)
        }
        return sockets.claim(holders, of: processes, at: .now())
    }

    /// Emits the transitions of COMMAND's sockets; of those that were just found to be, from their beginning.
    private mutating func emit(_ transitions: [Transition], of claimed: Set<SocketCookie>) {
        var pending = claimed
        var emitted: [Transition] = []
        for transition in transitions {
            let cookie = transition.identity.cookie
            guard let socket = sockets[cookie], socket.isOwn else { continue }
            if pending.remove(cookie) != nil {
                emitted += socket.life.transitions
            } else if !claimed.contains(cookie) {
                emitted.append(transition)
            }
        }
        emit(emitted)
    }

    private mutating func emit(_ transitions: [Transition]) {
        guard plan.reportsTransitions || plan.transitions != nil else { return }
        var events: [SocketEvent] = []
        for var transition in transitions where transition.touches(plan.states) {
            transition.owners = sockets[transition.identity.cookie]?.owners ?? []
            events.append(.transition(transition))
        }
        emittedTransitions += events.count
        guard plan.reportsTransitions else { return }
        renderer.prepare(events)
        for event in events { renderer.render(event) }
        renderer.flush(to: &output)
    }

    /// Asks COMMAND's processes, or the test processes among them, what they hold, when it is time or a test has begun or
    /// ended.
    mutating func pollHolders(_ search: LeakSearch) throws {
        let hasNews = plan.tests?.readStream() ?? false
        guard hasNews || polls.next <= clock.now else { return }
        let processes: Set<ProcessIdentity>
        if let tests = plan.tests {
            processes = tests.processes
        } else {
            processes = try ProcessIdentity.descendants()
            sockets.noteProcesses(processes, at: EventTime.now().monotonicNanoseconds)
        }
        for held in try polls.poll(processes, search, remembers: plan.tests != nil)
        where sockets.note(held: held, at: .now()) {
            emit(sockets[held.socket.cookie]?.life.transitions ?? [])
        }
    }

    /// Marks the sockets that were open until the kernel closed them, because their process had ended.
    private mutating func noteExits(_ transitions: [Transition]) {
        let closing = transitions.filter { $0.closesHere && sockets[$0.identity.cookie]?.isOwn == true }
        guard !closing.isEmpty, let proc = try? ProcessDirectory() else { return }
        var isRunning: [ProcessIdentity: Bool] = [:]
        for transition in closing {
            let holders = Set(sockets[transition.identity.cookie]?.holders.map(\.process) ?? [])
            for process in holders where isRunning[process] == nil {
                isRunning[process] = process.isRunning(in: proc)
            }
            if !holders.isEmpty, !holders.contains(where: { isRunning[$0] == true }) {
                sockets.noteExit(before: transition)
            }
        }
    }

    /// Sums up a socket that is over, or that is left.
    private mutating func end(_ socket: SocketAccount, isLast: Bool = false) {
        let socket = sockets.completed(socket)
        // The listener that it was accepted from may yet be found.
        if !socket.isOwn, !isLast, undecided.count < Self.keptUndecided { return undecided.append(socket) }
        if socket.isConnection, !socket.isOlder {
            let now = EventTime.now()
            if socket.isOwn {
                report.connections.add(socket, at: now)
            } else {
                report.unattributed.add(socket, at: now)
            }
            renderer.render(socket, at: now)
        }
        if socket.stateAtExit != nil, plan.tests == nil { report.openAtExit.add(socket) }
    }

    /// The number of connections that may wait for it to be found out whose they were.
    private static var keptUndecided: Int { 16384 }

    /// Gives sockets that processes of COMMAND still hold the time to go; what is left then has leaked.
    mutating func settle(
        _ search: LeakSearch,
        _ child: ChildCommand,
        _ signals: borrowing SignalDescriptor,
        _ watcher: SocketWatcher,
        _ interval: Duration
    ) throws {
        let grace = GracePeriod(plan.rules)
        var pauses = GracePeriod.pauses.makeIterator()
        var end = clock.now
        var heldBefore: Set<SocketCookie>?
        while true {
            let held = try search.heldSockets(by: ProcessIdentity.descendants())
            let cookies = Set(held.map(\.socket.cookie))
            if heldBefore?.isSubset(of: cookies) != true {
                // What has just ended, with COMMAND or with a descendant that has outlived it, has yet to be reported.
                end = clock.now
                marker = plan.watch.usesDestroyEvents && plan.watch.namespaces.isEmpty ? EndMarker() : nil
                caughtUpAt = marker == nil ? end : nil
            }
            heldBefore = cookies
            // The watcher has to poll once more, for what ended with COMMAND; a message may be lost.
            let last = min(
                caughtUpAt.map { $0 + interval + .milliseconds(10) } ?? .now + .seconds(9),
                end + .seconds(2)
            )
            let limit = held.isEmpty ? last : max(last, grace.end)
            if isInterrupted || isOver || clock.now >= limit {
                let now = EventTime.now()
                sockets.settle(held: cookies, at: now)
                report.leaks += held.map { RunReport.Finding(leak: sockets.leak($0.socket, at: now)) }
                return
            }
            wait(for: signals, until: min(limit, clock.now + max(interval, pauses.next() ?? interval)))
            _ = try takeSignals(signals, for: child, search, watcher)
            try takeEvents(from: watcher)
        }
    }

    /// Writes the report.
    mutating func finish() {
        plan.tests?.output?.passOn()
        for socket in undecided + sockets.remaining { end(socket, isLast: true) }
        report.states = sockets.states
        if let tests = plan.tests {
            _ = tests.readStream()
            report.leaks = remains.map { $0.finding(tests.log) } + report.leaks
            report.isTestRun = true
        }
        if report.end == .killed(signal: SIGINT), isatty(output.descriptor) == 1 {
            // Behind the terminal's own ^C.
            var text = TextBuffer()
            text.append(.newline)
            output.flush(&text)
        }
        renderer.render(report)
        renderer.flush(to: &output)
        do { try output.close() } catch {
            TCPStates.complain(error.description)
            report.isUnwritten = true
        }
    }
}

extension Transition {
    /// Whether it leaves, enters or passes one of the states.
    fileprivate func touches(_ states: TCPStateSet) -> Bool {
        states.contains(to) || from.map(states.contains) ?? false || via.contains(where: states.contains)
    }
}
