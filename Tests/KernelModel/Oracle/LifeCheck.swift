internal import ConnectionTracking
internal import SocketValues

/// Compares one life that was reported with a true one.
struct LifeCheck {
    private let reported: ReportedLife
    private let oracle: Oracle
    private let kernel: Kernel
    private let lives: [TrueLife]
    /// The true transitions, and of which of ``lives`` each is.
    private var path: [(transition: TrueTransition, life: Int)] = []
    /// How many of the true transitions have been reported.
    private var cursor = 0
    private var problemFound: Violation?
    /// Which true transitions were reported as exact.
    private var exact: Set<Int> = []
    private let isStrict: Bool
    private let isNameless: Bool

    init(_ reported: ReportedLife, _ candidate: Oracle.Lives, _ oracle: Oracle, _ kernel: Kernel) {
        (self.reported, self.oracle, self.kernel) = (reported, oracle, kernel)
        lives = candidate.map { kernel.lives[Int($0)] }
        isNameless = oracle.isNameless(reported, candidate, kernel)
        for (index, life) in lives.enumerated() { path += life.transitions.map { ($0, index) } }
        isStrict = lives.count == 1 && oracle.isStrict(lives[0])
    }

    /// What does not agree; nil where all does.
    mutating func problem() -> Violation? {
        if let existing = reported.existing { begin(in: existing) }
        for (index, transition) in reported.transitions.enumerated() {
            for reportedAnew in reported.reportedAnew where reportedAnew.index == index { find(reportedAnew.state) }
            guard problemFound == nil else { break }
            check(transition)
        }
        if problemFound == nil { checkEnd() }
        if problemFound == nil, isStrict { checkCompleteness() }
        return problemFound
    }

    private mutating func fail(_ kind: Violation.Kind, _ detail: String, at time: UInt64) {
        guard problemFound == nil else { return }
        let truth = path.map { "\($0.transition.to) \($0.transition.time / 1000)µs" }.joined(separator: ", ")
        let text = "\(detail)\n    reported:\(reported.text)\n    true: \(truth)"
        problemFound = Violation(kind: kind, detail: text, time: time, cookies: [reported.cookie])
    }

    private mutating func begin(in state: TCPState) {
        find(state)
        guard problemFound == nil else { return }
        if path[cursor - 1].transition.time > reported.existingAt {
            fail(.reportedTooEarly, "existed in \(state)", at: reported.existingAt)
        }
        // Reported anew is what is known, not what is asked at that moment.
        if reported.epoch == 0, cursor < path.count, path[cursor].transition.time + Oracle.slack < reported.existingAt {
            fail(.reportedWhenOver, "existed in \(state)", at: reported.existingAt)
        }
    }

    /// Goes on to the next true transition that leads to a state.
    private mutating func find(_ state: TCPState) {
        guard let next = place(of: state, seenAt: 0) else {
            return fail(.neverHappened, "never was in \(state) then", at: reported.transitions.first?.learned ?? 0)
        }
        cursor = next + 1
    }

    /// The next true transition that leads to a state; rather one after which it was not over when it was seen.
    private func place(of state: TCPState, seenAt time: UInt64) -> Int? {
        let places = path.indices.dropFirst(cursor).filter { path[$0].transition.to == state }
        guard places.count > 1 else { return places.first }
        return places.first { $0 + 1 == path.count || path[$0 + 1].transition.time + Oracle.slack >= time } ?? places[0]
    }

    private mutating func check(_ transition: ReportedTransition) {
        let before = cursor
        let asExact = path.indices.dropFirst(cursor).first { index in
            transition.certainty == .exact && path[index].transition.to == transition.to
                && path[index].transition.time == transition.time
        }
        guard
            let next = asExact
                ?? place(of: transition.to, seenAt: transition.certainty == .derived ? 0 : transition.time)
        else {
            return fail(
                .neverHappened,
                "\(words(transition)): never was in \(transition.to) after that",
                at: transition.learned
            )
        }
        cursor = next + 1
        let truth = path[next].transition
        let life = lives[path[next].life]
        checkTime(transition, truth, at: next)
        checkCertainty(transition, truth, at: next, after: before)
        checkCause(transition, truth, life)
        if let pid = transition.pid, pid != truth.pid {
            fail(.wrongPid, "\(words(transition)): \(pid)", at: transition.learned)
        }
        guard isStrict, transition.certainty == .exact, truth.time > oracle.begun else { return }
        if transition.pid == nil, truth.pid != nil, [.synSent, .listen, .finWait1].contains(transition.to) {
            fail(.pidUnreported, words(transition), at: transition.learned)
        }
        let reason = oracle.habits.reportsReasons ? truth.reason.flatMap { Scenario.resetReasons[$0] } : nil
        if transition.reason != reason {
            let text =
                "\(words(transition)): \(transition.reason?.rawValue ?? "none"), not \(reason?.rawValue ?? "none")"
            fail(.wrongReason, text, at: transition.learned)
        }
    }

    private mutating func checkTime(_ transition: ReportedTransition, _ truth: TrueTransition, at index: Int) {
        guard transition.certainty != .exact else { return }
        if isNameless, transition.to == .closed, transition.certainty == .inferred { return }
        if transition.certainty != .derived, transition.cause != .reuse, transition.time + Oracle.slack < truth.time,
            !isExchanged(transition)
        {
            fail(
                .reportedTooEarly,
                "\(words(transition)): was so from \(truth.time / 1000)µs on",
                at: transition.learned
            )
        }
        if transition.certainty == .derived, transition.to == .synReceived, let listen = listenTime(),
            transition.time < listen
        {
            fail(
                .derivedTooEarly,
                "\(words(transition)): its listener is of \(listen / 1000)µs",
                at: transition.learned
            )
        }
        if transition.certainty == .derived, transition.to == .synReceived,
            transition.time + Oracle.slack < oracle.begun,
            truth.time > oracle.begun
        {
            fail(.derivedTooEarly, "\(words(transition)): no dump has shown it", at: transition.learned)
        }
        if isStrict, transition.certainty == .derived, transition.to == .timeWait, truth.reportedFrom != nil,
            truth.time != transition.time
        {
            fail(
                .derivedTooEarly,
                "\(words(transition)): the report is of \(truth.time / 1000)µs",
                at: transition.learned
            )
        }
        guard transition.to != .closed, transition.source == .poll, index + 1 < path.count else { return }
        if path[index + 1].transition.time + Oracle.slack < transition.time {
            fail(
                .reportedWhenOver,
                "\(words(transition)): over at \(path[index + 1].transition.time / 1000)µs",
                at: transition.learned
            )
        }
    }

    /// Whether it is an end, and another connection between the same endpoints has ended so: which of them the
    /// TIME_WAIT belongs to that is there, nothing says where dumps alone report, or reports were lost.
    private func isExchanged(_ transition: ReportedTransition) -> Bool {
        let isDumped = oracle.mode == .poll || lives.contains(where: \.hasLost)
        guard transition.to == .closed, isDumped, let endpoints = lives.last?.name.endpoints else { return false }
        return kernel.lives.contains { other in
            other.name.endpoints == endpoints && other.hasEnded
                && other.transitions.last.map { $0.time <= transition.time + Oracle.slack } == true
        }
    }

    /// When the listener was reported to listen, before this was.
    private func listenTime() -> UInt64? {
        guard let listener = lives.first?.listener, listener >= 0 else { return nil }
        let truth = kernel.lives[listener]
        for cookie in truth.cookies {
            for index in oracle.reportedOfCookie[Int(cookie)] ?? [] {
                let transition = oracle.reported[index].transitions.first { $0.to == .listen && $0.certainty == .exact }
                if let transition, truth.transitions.contains(where: { $0.to == .listen && $0.time == transition.time })
                {
                    return transition.time
                }
            }
        }
        return nil
    }

    private mutating func checkCertainty(
        _ transition: ReportedTransition,
        _ truth: TrueTransition,
        at index: Int,
        after before: Int
    ) {
        if transition.certainty == .exact {
            guard let from = truth.reportedFrom, !truth.isLost else {
                return fail(.exactUnreported, words(transition), at: transition.learned)
            }
            if transition.time != truth.time {
                fail(.exactAtWrongTime, "\(words(transition)): was at \(truth.time / 1000)µs", at: transition.learned)
            }
            // A transition to TIME_WAIT is never reported: the socket's report says CLOSED.
            let isClosed = from == .closed && (transition.from == .bound || transition.from == nil)
            if transition.to == .timeWait || transition.from != from && !isClosed && transition.from != nil {
                fail(.exactUnreported, "\(words(transition)): the report said \(from)", at: transition.learned)
            }
            exact.insert(index)
        } else if transition.certainty != .inferred || isStrict && truth.reportedFrom != nil {
            // What was passed through must be true, where it is not said to be filled in.
            var place = before
            for state in transition.via {
                guard
                    let next = path[..<index].indices.dropFirst(place).first(where: { path[$0].transition.to == state })
                else {
                    return fail(
                        .neverHappened,
                        "\(words(transition)): never passed through \(state)",
                        at: transition.learned
                    )
                }
                place = next + 1
            }
        }
        let isLast = truth.to == .closed && (index == 0 || path[index - 1].transition.to == .timeWait)
        // After a loss, that a bound socket is destroyed does not say that it was bound until then.
        let mayHaveConnected = transition.from == .bound && transition.isInDoubt
        if isStrict, transition.certainty == .inferred, truth.reportedFrom != nil, !isLast, !mayHaveConnected,
            truth.time > oracle.begun,
            truth.to != .timeWait
        {
            fail(.inferredThoughReported, words(transition), at: transition.learned)
        }
    }

    private mutating func checkCause(_ transition: ReportedTransition, _ truth: TrueTransition, _ life: TrueLife) {
        guard let cause = transition.cause else {
            // A RST that was sent, and whose report was lost, would have been another cause.
            let mayBeReset = transition.isInDoubt && oracle.habits.reportsReasons && transition.to == .closed
            if isStrict, transition.certainty == .exact, !truth.causes.mayBeOpen, !mayBeReset {
                fail(.causeUnreported, "\(words(transition)): \(truth.causes)", at: transition.learned)
            }
            return
        }
        guard !truth.causes.contains(cause), transition.certainty != .inferred else { return }
        // The report of the RST that distinguishes a refusal from ICMP's may be what was lost.
        if life.hasLost, transition.from == .synSent, cause == .unreachable || cause == .receiveRST { return }
        if oracle.hasLostRefusals, transition.from == .synSent, cause == .receiveRST,
            truth.causes.contains(.unreachable)
        {
            return
        }
        let isSmall = truth.reportedFrom == nil && transition.certainty != .exact
        let isLate = isSmall && life.due != 0 && transition.learned + oracle.habits.dumpLength + 1_000_000 >= life.due
        if isLate, cause == .timeout || cause == .timeWaitTimeout { return }
        // A RST, and a new connection between the same endpoints that is over too: nobody can distinguish them.
        if isSmall, [.reuse, .receiveRST].contains(cause),
            life.due == 0 || transition.learned < life.due + 5_000_000_000,
            truth.causes.contains(.reuse) || truth.causes.contains(.receiveRST)
        {
            return
        }
        if !isStrict, transition.from == .bound || transition.certainty == .observed, oracle.mode == .poll, isSmall,
            TCPStateMachine.soleTrigger(from: transition.from, to: transition.to) == cause
        {
            return
        }
        fail(.wrongCause, "\(words(transition)): \(cause), not \(truth.causes)", at: transition.learned)
    }

    private func words(_ transition: ReportedTransition) -> String {
        "\(transition.from?.description ?? "?")→\(transition.to) \(transition.certainty) at \(transition.time / 1000)µs"
    }

    // MARK: The whole

    private mutating func checkEnd() {
        guard reported.isEnded, let last = reported.transitions.last, last.to == .closed, let life = lives.last else {
            return
        }
        let hasConnected = life.transitions.contains { $0.to == .synSent || $0.to == .synReceived }
        if let final = reported.final, hasConnected {
            var counters = FinalCounters(life.counters)
            counters.duration = final.duration
            // Whether the peer's FIN is among what was received, no message says.
            if oracle.mode == .poll, let received = final.bytesReceived, let real = counters.bytesReceived,
                received <= real + 1, real <= received + 1
            {
                counters.bytesReceived = received
            }
            // Where dumps alone report, a message may be of the next connection of the socket, between the same
            // endpoints; where reports were lost, a last transition with a cleared port of any.
            let isOther =
                (oracle.mode == .poll || life.hasLost)
                && kernel.lives.contains { other in
                    (other.socket == life.socket || other.name.endpoints == life.name.endpoints)
                        && other.counters.bytesSent == final.bytesSent
                }
            // Of several that nobody can distinguish it may be any.
            let isAny = lives.dropLast().contains { $0.counters.bytesSent == final.bytesSent }
            if final.bytesSent != nil, final != counters, !isOther, !isAny {
                fail(.wrongCounters, "\(final) not \(counters)", at: last.learned)
            }
        }
        guard isStrict else { return }
        let isReported = life.transitions.last.map { $0.reportedFrom != nil && $0.time > oracle.begun } ?? false
        if isReported, hasConnected, reported.final?.bytesSent == nil {
            fail(.countersUnreported, "", at: last.learned)
        }
        // What was bound before is not counted.
        let first = reported.transitions.first { $0.to != .bound }
        if let duration = reported.final?.duration, reported.existing == nil, let first, first.from != nil,
            duration != .nanoseconds(Int64(last.time - first.time))
        {
            fail(.wrongDuration, "\(duration)", at: last.learned)
        }
        // A Fast Open child of a listener that is not known yet has no side.
        if reported.existing == nil, life.side != .unknown, reported.side != life.side, hasConnected,
            reported.side != .unknown,
            life.transitions.first?.time ?? 0 > oracle.begun
        {
            fail(.wrongSide, "\(reported.side), not \(life.side)", at: last.learned)
        }
    }

    /// Whether all that the kernel reported was reported by the tracker.
    private mutating func checkCompleteness() {
        guard let life = lives.first else { return }
        for (index, entry) in path.enumerated() where entry.transition.time > oracle.begun {
            guard entry.transition.isReport, !entry.transition.isLost else { continue }
            if entry.transition.to == .timeWait {
                let isReported = reported.transitions.contains {
                    $0.to == .timeWait && $0.time == entry.transition.time
                }
                if life.impliesTimeWait, !isReported {
                    fail(
                        .transitionUnreported,
                        "TIME_WAIT of \(entry.transition.time / 1000)µs",
                        at: entry.transition.time
                    )
                }
            } else if !exact.contains(index), !entry.transition.causes.isAny {
                fail(
                    .transitionUnreported,
                    "\(entry.transition.to) of \(entry.transition.time / 1000)µs",
                    at: entry.transition.time
                )
            }
        }
    }
}
