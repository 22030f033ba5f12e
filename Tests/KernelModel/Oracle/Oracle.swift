internal import ConnectionTracking
internal import SocketValues

/// Checks what a tracker reports: each transition when it comes, and all of them against the truth when all is over.
package struct Oracle {
    let mode: Scenario.Mode
    let habits: Habits
    /// The first thing that was wrong.
    package private(set) var violation: Violation?
    var reported: [ReportedLife] = []
    /// Of each cookie's number the indices of ``reported``.
    var reportedOfCookie: [Int: [Int]] = [:]
    private var isReady = false
    /// When the first dump had ended.
    private(set) var begun: UInt64 = .max
    private var epoch = 0
    private var isResynchronizing = false
    /// What was declared to be lost, and what the tracker said; and whether some of it was not counted.
    private var declared: [Gap.Source: (count: UInt64, isOpen: Bool)] = [:]
    private var gaps: [Gap.Source: (count: UInt64, isOpen: Bool)] = [:]
    /// Whether it was declared that RSTs that answer a SYN were lost: then one may have been any refusal's.
    private(set) var hasLostRefusals = false
    /// Whether losses were declared, and no dump has been since.
    private var isInDoubt = false
    private var lastLoss: UInt64 = 0
    /// How many transitions were reported.
    package private(set) var transitions = 0

    init(_ scenario: Scenario) { (mode, habits) = (scenario.mode, scenario.habits) }

    mutating func fail(_ kind: Violation.Kind, _ detail: String, at time: UInt64, about cookies: [SocketCookie] = []) {
        guard violation == nil else { return }
        violation = Violation(kind: kind, detail: detail, time: time, cookies: cookies)
    }

    /// The first dump has ended.
    mutating func hasBegun(at time: UInt64) { begun = time }

    mutating func declare(_ loss: Loss, at now: UInt64) {
        if loss.includesRefusals { hasLostRefusals = true }
        if loss.source == .trace { (isInDoubt, lastLoss) = (true, now) }
        let sum = declared[loss.source, default: (0, false)]
        declared[loss.source] = (sum.count + (loss.count ?? 0), sum.isOpen || loss.count == nil)
    }

    mutating func beginResynchronization() {
        epoch += 1
        isResynchronizing = true
    }

    /// A complete dump has shown what lost reports would have said.
    mutating func settleLosses() { isInDoubt = false }

    /// Receives what a tracker says.
    mutating func note(_ output: Output, at now: UInt64, _ kernel: Kernel) {
        switch output {
        case .transition(let transition): note(transition, at: now, kernel)
        case .socket(let socket): note(socket, at: now, kernel)
        case .ready:
            if isReady, !isResynchronizing { fail(.readyTwice, "ready without a reason", at: now) }
            isReady = true
            guard isResynchronizing else { return }
            isResynchronizing = false
            // What was not reported anew is over.
            for index in reported.indices where !reported[index].isEnded && reported[index].epoch != epoch {
                reported[index].isEnded = true
            }
        case .gap(let gap):
            let sum = gaps[gap.source, default: (0, false)]
            gaps[gap.source] = (sum.count + (gap.lost ?? 0), sum.isOpen || gap.lost == nil)
        case .lookUp, .dump: break
        }
    }

    private mutating func note(_ socket: TrackedSocket, at now: UInt64, _ kernel: Kernel) {
        let cookie = socket.name.cookie
        guard let number = kernel.number(of: cookie) else {
            return fail(.unknownCookie, "\(cookie) \(socket.state)", at: now, about: [cookie])
        }
        guard !isReady || isResynchronizing else {
            return fail(.wrongBeginning, "a socket after ready", at: now, about: [cookie])
        }
        if let index = reportedOfCookie[number]?.first(where: { reported[$0].incarnation == socket.incarnation }) {
            reported[index].epoch = epoch
            if reported[index].state != socket.state {
                reported[index].reportedAnew.append((reported[index].transitions.count, socket.state))
                reported[index].state = socket.state
            }
        } else {
            var life = ReportedLife(cookie: cookie, incarnation: socket.incarnation, state: socket.state)
            (life.existing, life.existingAt, life.epoch) = (socket.state, now, epoch)
            life.localPort = socket.name.endpoints.localPort
            life.remotePort = socket.name.endpoints.remotePort
            add(life, number)
        }
    }

    private mutating func add(_ life: ReportedLife, _ number: Int) {
        reportedOfCookie[number, default: []].append(reported.count)
        reported.append(life)
    }

    private mutating func note(_ transition: Transition, at now: UInt64, _ kernel: Kernel) {
        transitions += 1
        let cookie = transition.identity.cookie
        let text =
            "\(cookie)#\(transition.incarnation) \(transition.from?.description ?? "?")→\(transition.via)\(transition.to) \(transition.certainty)"
        guard let number = kernel.number(of: cookie) else {
            return fail(.unknownCookie, text, at: now, about: [cookie])
        }
        if !isReady { fail(.beforeReady, text, at: now, about: [cookie]) }
        let time = transition.time.monotonicNanoseconds
        if time > now { fail(.fromTheFuture, "\(text) at \(time / 1000)µs", at: now, about: [cookie]) }
        checkWalk(transition, text, at: now)
        var place = reportedOfCookie[number]?.first { reported[$0].incarnation == transition.incarnation }
        if place == nil {
            let count = reportedOfCookie[number]?.count ?? 0
            // Where existing sockets are not reported, some that are known have not been mentioned.
            if Int(transition.incarnation) != min(count, 255), habits.reportsExisting {
                fail(.wrongIncarnation, "\(text): \(count) are known", at: now, about: [cookie])
            }
            var life = ReportedLife(
                cookie: cookie,
                incarnation: transition.incarnation,
                state: transition.from ?? .closed
            )
            if let from = transition.from, from != .closed {
                if habits.reportsExisting, epoch == 0, time > begun {
                    fail(.wrongBeginning, text, at: now, about: [cookie])
                }
                (life.existing, life.existingAt) = (from, min(begun, now))
            }
            if transition.from == nil, transition.to != .closed {
                fail(.wrongBeginning, text, at: now, about: [cookie])
            }
            place = reported.count
            add(life, number)
        }
        guard let index = place else { return }
        checkOrder(transition, text, after: reported[index], at: now)
        checkOpenTime(transition, text, of: reported[index], at: now)
        reported[index].transitions.append(
            ReportedTransition(
                from: transition.from,
                to: transition.to,
                via: transition.via,
                certainty: transition.certainty,
                source: transition.source,
                time: time,
                learned: now,
                cause: transition.cause,
                pid: transition.pid,
                reason: transition.resetReason,
                isInDoubt: isInDoubt || time <= lastLoss
            )
        )
        reported[index].state = transition.to
        if transition.identity.local.port != 0 { reported[index].localPort = transition.identity.local.port }
        if transition.identity.remote.port != 0 { reported[index].remotePort = transition.identity.remote.port }
        if transition.to == .closed {
            reported[index].isEnded = true
            reported[index].final = transition.final
        } else if transition.final != nil {
            fail(.wrongCounters, "\(text): final counters before the end", at: now, about: [cookie])
        }
        if transition.openedBy != .unknown { reported[index].side = transition.openedBy }
    }

    /// A connection was open from its first transition to the one by which both sides have closed it, and that is said once.
    private mutating func checkOpenTime(
        _ transition: Transition,
        _ text: String,
        of life: ReportedLife,
        at now: UInt64
    ) {
        let first = life.transitions.first { $0.to != .bound }
        guard let first, first.from == .closed || first.from == .bound, transition.endsOpenTime else {
            if let open = transition.timeOpen,
                life.transitions.contains(where: { $0.to != .bound }) || !transition.endsOpenTime
            {
                fail(.wrongCounters, "\(text): was open for \(open)", at: now, about: [transition.identity.cookie])
            }
            return
        }
        let open = Duration.nanoseconds(Int64(clamping: transition.time.monotonicNanoseconds - first.time))
        if transition.timeOpen != open {
            fail(
                .wrongCounters,
                "\(text): was open for \(transition.timeOpen.map { "\($0)" } ?? "?"), not \(open)",
                at: now,
                about: [transition.identity.cookie]
            )
        }
    }

    private mutating func checkWalk(_ transition: Transition, _ text: String, at now: UInt64) {
        let cookie = transition.identity.cookie
        if let from = transition.from {
            var last = from
            for state in transition.via + [transition.to] {
                if TCPStateMachine.step(from: last, to: state) == nil {
                    fail(.illegalStep, text, at: now, about: [cookie])
                }
                last = state
            }
        }
        if transition.certainty == .exact, !transition.via.isEmpty {
            fail(.exactWithVia, text, at: now, about: [cookie])
        }
    }

    private mutating func checkOrder(_ transition: Transition, _ text: String, after life: ReportedLife, at now: UInt64)
    {
        let cookie = transition.identity.cookie
        if life.isEnded {
            return fail(.afterTheEnd, "\(text), after \(life.text)", at: now, about: [cookie])
        }
        if let from = transition.from, from != life.state {
            fail(.doesNotFollow, "\(text), after \(life.text)", at: now, about: [cookie])
        }
        let time = transition.time.monotonicNanoseconds
        guard let last = life.transitions.last else { return }
        if transition.from == nil { fail(.doesNotFollow, "\(text), after \(life.text)", at: now, about: [cookie]) }
        if time < last.time {
            return fail(.timeGoesBack, "\(text) at \(time / 1000)µs, after \(life.text)", at: now, about: [cookie])
        }
        if let duration = transition.timeInState, last.to != .closed, life.reportedAnew.isEmpty,
            duration != .nanoseconds(Int64(time - last.time))
        {
            fail(.wrongTimeInState, "\(text): \(duration), after \(life.text)", at: now, about: [cookie])
        }
    }

    /// Whether the gaps say what was declared.
    mutating func judgeLosses(at now: UInt64) {
        for source in [Gap.Source.trace, .destroy] {
            let (real, said) = (declared[source], gaps[source])
            guard (real?.count ?? 0) == (said?.count ?? 0), real?.isOpen != true || said?.isOpen == true else {
                return fail(
                    .wrongLoss,
                    "\(source): \(real?.count ?? 0) were lost, \(said?.count ?? 0) reported",
                    at: now
                )
            }
        }
    }
}
