internal import Glibc
internal import SockDiag
internal import SocketOwners
internal import TCPWatch

extension RunSession where Renderer: ~Copyable {
    /// Takes what the watcher has told, and asks it for more.
    mutating func takeEvents(from watcher: SocketWatcher) throws {
        for (identity, counters) in inbox.takeCounters() { sockets.note(counters, of: identity) }
        guard !isOver, let events = inbox.take() else { return }
        if events.isEmpty {
            isOver = true
            if !hasBegun, let failure = watcher.failure { throw failure }
            return
        }
        var steps: [Transition] = []
        for event in events {
            switch event {
            case .socket(let socket): sockets.note(existing: socket)
            case .ready: hasBegun = true
            case .transition(let step):
                sockets.note(step)
                steps.append(step)
            case .gap(let gap):
                report.lost += gap.lost ?? 1
                if plan.tellsSteps { renderer.render(event) }
            case .slowed: if plan.tellsSteps { renderer.render(event) }
            }
        }
        var claimed = try claim()
        for step in steps where sockets.conclude(step) { claimed.insert(step.identity.cookie) }
        tell(steps, of: claimed)
        noteExits(steps)
        for step in steps where step.to == .closed {
            if let socket = sockets.remove(step.identity.cookie, after: step) { end(socket) }
        }
        renderer.flush(to: &output)
        watcher.receive(inbox.put)
    }

    /// Finds out which new sockets COMMAND's processes hold.
    private mutating func claim() throws(SockDiagError) -> Set<SocketCookie> {
        guard !sockets.askedInodes.isEmpty else { return [] }
        let processes = Set(try Descendants.current())
        let owners = try OwnerSnapshot(of: sockets.askedInodes, in: ProcessSelection(pids: processes))
        if !hasComplained, owners.coverage.unreadable > 0, let proc = try? ProcessDirectory(),
            processes.contains(where: { proc.isClosed($0) })
        {
            hasComplained = true
            TCPStates.complain(owners.coverage.description)
        }
        return sockets.claim(owners, of: processes, at: .now())
    }

    /// Tells the steps of COMMAND's sockets; of those that were just found to be, from their beginning.
    private mutating func tell(_ steps: [Transition], of claimed: Set<SocketCookie>) {
        guard plan.tellsSteps || plan.transitions != nil else { return }
        var untold = claimed
        var told: [Transition] = []
        for step in steps {
            let cookie = step.identity.cookie
            guard let socket = sockets[cookie], socket.isOwn else { continue }
            if untold.remove(cookie) != nil {
                told += socket.steps
            } else if !claimed.contains(cookie) {
                told.append(step)
            }
        }
        var events: [SocketEvent] = []
        for var step in told where step.touches(plan.states) {
            step.owners = sockets[step.identity.cookie]?.owners ?? []
            events.append(.transition(step))
        }
        toldSteps += events.count
        guard plan.tellsSteps else { return }
        renderer.prepare(events)
        for event in events { renderer.render(event) }
    }

    /// Marks the sockets that were open until the kernel closed them, because their process had ended.
    private mutating func noteExits(_ steps: [Transition]) {
        let closing = steps.filter { $0.closesHere && sockets[$0.identity.cookie]?.isOwn == true }
        guard !closing.isEmpty, let proc = try? ProcessDirectory() else { return }
        var alive: [Int32: Bool] = [:]
        for step in closing {
            let pids = Set(sockets[step.identity.cookie]?.owners.map(\.pid) ?? [])
            for pid in pids where alive[pid] == nil { alive[pid] = proc.kind(of: pid) == .program }
            if !pids.isEmpty, !pids.contains(where: { alive[$0] == true }) { sockets.noteExit(before: step) }
        }
    }

    /// Sums up a socket that is over, or that is left.
    private mutating func end(_ socket: CommandSocket) {
        if socket.isConnection, !socket.isOlder {
            let now = EventTime.now()
            if socket.isOwn { report.connections.add(socket, at: now) } else { report.untold.add(socket, at: now) }
            renderer.render(socket, at: now)
        }
        if socket.stateAtExit != nil, plan.tests == nil { report.openAtExit.append(socket) }
    }

    /// Gives sockets that processes of COMMAND still hold the time to go; what is left then has leaked.
    mutating func settle(
        _ search: LeakSearches,
        _ child: ChildCommand,
        _ signals: borrowing SignalDescriptor,
        _ watcher: SocketWatcher,
        _ interval: Duration
    ) throws {
        let end = clock.now
        // The watcher has to look once more, for what ended with COMMAND.
        let last = end + interval + .milliseconds(10)
        while true {
            let processes = ProcessSelection(pids: Set(try Descendants.current()))
            let held = processes.pids.isEmpty ? [] : try search.heldSockets(by: processes)
            let limit = held.isEmpty ? last : max(last, end + plan.rules.settleTime)
            if isInterrupted || isOver || clock.now >= limit {
                report.leaks += held.map {
                    RunReport.Finding(leak: SocketLeak($0, history: sockets[$0.cookie]?.steps ?? []))
                }
                return
            }
            wait(for: signals, until: min(limit, clock.now + max(interval, .milliseconds(20))))
            _ = try takeSignals(signals, for: child, search, watcher)
            try takeEvents(from: watcher)
        }
    }

    /// Writes the report.
    mutating func finish() {
        for socket in sockets.remaining { end(socket) }
        report.census = sockets.census
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
        do { try output.close() } catch { TCPStates.complain(error.description) }
    }
}

extension Transition {
    /// Whether it leaves, enters or passes one of the states.
    fileprivate func touches(_ states: TCPStateSet) -> Bool {
        states.contains(to) || from.map(states.contains) ?? false || via.contains(where: states.contains)
    }
}
