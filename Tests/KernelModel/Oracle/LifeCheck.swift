internal import ConnectionTracking
internal import SocketValues

/// Compares one life that was told with a true one.
struct LifeCheck {
    private let told: ToldLife
    private let oracle: Oracle
    private let kernel: Kernel
    private let lives: [TrueLife]
    /// The true steps, and of which of ``lives`` each is.
    private var path: [(step: TrueLife.Step, life: Int)] = []
    /// How many of the true steps have been told.
    private var cursor = 0
    private var problemFound: Violation?
    /// Which true steps were told as exact.
    private var exact: Set<Int> = []
    private let isStrict: Bool
    private let isNameless: Bool

    init(_ told: ToldLife, _ candidate: Oracle.Lives, _ oracle: Oracle, _ kernel: Kernel) {
        (self.told, self.oracle, self.kernel) = (told, oracle, kernel)
        lives = candidate.map { kernel.lives[Int($0)] }
        isNameless = oracle.isNameless(told, candidate, kernel)
        for (index, life) in lives.enumerated() { path += life.steps.map { ($0, index) } }
        isStrict = lives.count == 1 && oracle.isStrict(lives[0])
    }

    /// What does not agree; nil where all does.
    mutating func problem() -> Violation? {
        if let existing = told.existing { begin(in: existing) }
        for (index, step) in told.steps.enumerated() {
            for retold in told.retold where retold.index == index { find(retold.state) }
            guard problemFound == nil else { break }
            check(step)
        }
        if problemFound == nil { checkEnd() }
        if problemFound == nil, isStrict { checkCompleteness() }
        return problemFound
    }

    private mutating func fail(_ kind: Violation.Kind, _ detail: String, at time: UInt64) {
        guard problemFound == nil else { return }
        let truth = path.map { "\($0.step.to) \($0.step.time / 1000)µs" }.joined(separator: ", ")
        let text = "\(detail)\n    told:\(told.text)\n    true: \(truth)"
        problemFound = Violation(kind: kind, detail: text, time: time, cookies: [told.cookie])
    }

    private mutating func begin(in state: TCPState) {
        find(state)
        guard problemFound == nil else { return }
        if path[cursor - 1].step.time > told.existingAt {
            fail(.toldTooEarly, "existed in \(state)", at: told.existingAt)
        }
        // Told anew is what is known, not what is asked at that moment.
        if told.epoch == 0, cursor < path.count, path[cursor].step.time + Oracle.slack < told.existingAt {
            fail(.toldWhenOver, "existed in \(state)", at: told.existingAt)
        }
    }

    /// Goes on to the next true step that leads to a state.
    private mutating func find(_ state: TCPState) {
        guard let next = place(of: state, seenAt: 0) else {
            return fail(.neverHappened, "never was in \(state) then", at: told.steps.first?.learned ?? 0)
        }
        cursor = next + 1
    }

    /// The next true step that leads to a state; rather one after which it was not over when it was seen.
    private func place(of state: TCPState, seenAt time: UInt64) -> Int? {
        let places = path.indices.dropFirst(cursor).filter { path[$0].step.to == state }
        guard places.count > 1 else { return places.first }
        return places.first { $0 + 1 == path.count || path[$0 + 1].step.time + Oracle.slack >= time } ?? places[0]
    }

    private mutating func check(_ step: ToldLife.Step) {
        let before = cursor
        let reported = path.indices.dropFirst(cursor).first { index in
            step.certainty == .exact && path[index].step.to == step.to && path[index].step.time == step.time
        }
        guard let next = reported ?? place(of: step.to, seenAt: step.certainty == .derived ? 0 : step.time) else {
            return fail(.neverHappened, "\(words(step)): never was in \(step.to) after that", at: step.learned)
        }
        cursor = next + 1
        let truth = path[next].step
        let life = lives[path[next].life]
        checkTime(step, truth, at: next)
        checkCertainty(step, truth, at: next, after: before)
        checkCause(step, truth, life)
        if let pid = step.pid, pid != truth.pid { fail(.wrongPid, "\(words(step)): \(pid)", at: step.learned) }
        guard isStrict, step.certainty == .exact, truth.time > oracle.begun else { return }
        if step.pid == nil, truth.pid != nil, [.synSent, .listen, .finWait1].contains(step.to) {
            fail(.pidUntold, words(step), at: step.learned)
        }
        let reason = oracle.habits.reportsReasons ? truth.reason.flatMap { Scenario.resetReasons[$0] } : nil
        if step.reason != reason {
            let text = "\(words(step)): \(step.reason?.rawValue ?? "none"), not \(reason?.rawValue ?? "none")"
            fail(.wrongReason, text, at: step.learned)
        }
    }

    private mutating func checkTime(_ step: ToldLife.Step, _ truth: TrueLife.Step, at index: Int) {
        guard step.certainty != .exact else { return }
        if isNameless, step.to == .closed, step.certainty == .inferred { return }
        if step.certainty != .derived, step.cause != .reuse, step.time + Oracle.slack < truth.time, !isExchanged(step) {
            fail(.toldTooEarly, "\(words(step)): was so from \(truth.time / 1000)µs on", at: step.learned)
        }
        if step.certainty == .derived, step.to == .synReceived, let listen = listenTime(), step.time < listen {
            fail(.derivedTooEarly, "\(words(step)): its listener is of \(listen / 1000)µs", at: step.learned)
        }
        if step.certainty == .derived, step.to == .synReceived, step.time + Oracle.slack < oracle.begun,
            truth.time > oracle.begun
        {
            fail(.derivedTooEarly, "\(words(step)): no dump has shown it", at: step.learned)
        }
        if isStrict, step.certainty == .derived, step.to == .timeWait, truth.reportedFrom != nil,
            truth.time != step.time
        {
            fail(.derivedTooEarly, "\(words(step)): the report is of \(truth.time / 1000)µs", at: step.learned)
        }
        guard step.to != .closed, step.source == .poll, index + 1 < path.count else { return }
        if path[index + 1].step.time + Oracle.slack < step.time {
            fail(.toldWhenOver, "\(words(step)): over at \(path[index + 1].step.time / 1000)µs", at: step.learned)
        }
    }

    /// Whether it is an end, and another connection between the same ends has ended so: which of them the TIME_WAIT belongs
    /// to that is there, nothing says where dumps alone tell, or reports were lost.
    private func isExchanged(_ step: ToldLife.Step) -> Bool {
        let isDumped = oracle.mode == .poll || lives.contains(where: \.hasLost)
        guard step.to == .closed, isDumped, let ends = lives.last?.name.endpoints else { return false }
        return kernel.lives.contains { other in
            other.name.endpoints == ends && other.hasEnded
                && other.steps.last.map { $0.time <= step.time + Oracle.slack } == true
        }
    }

    /// When the listener was told to listen, before this was told.
    private func listenTime() -> UInt64? {
        guard let listener = lives.first?.listener, listener >= 0 else { return nil }
        let truth = kernel.lives[listener]
        for cookie in truth.cookies {
            for index in oracle.toldOfCookie[Int(cookie)] ?? [] {
                let step = oracle.told[index].steps.first { $0.to == .listen && $0.certainty == .exact }
                if let step, truth.steps.contains(where: { $0.to == .listen && $0.time == step.time }) {
                    return step.time
                }
            }
        }
        return nil
    }

    private mutating func checkCertainty(
        _ step: ToldLife.Step,
        _ truth: TrueLife.Step,
        at index: Int,
        after before: Int
    ) {
        if step.certainty == .exact {
            guard let from = truth.reportedFrom, !truth.isLost else {
                return fail(.exactUnreported, words(step), at: step.learned)
            }
            if step.time != truth.time {
                fail(.exactAtWrongTime, "\(words(step)): was at \(truth.time / 1000)µs", at: step.learned)
            }
            // A step to TIME_WAIT is never reported: the socket's report says CLOSED.
            let isClosed = from == .closed && (step.from == .bound || step.from == nil)
            if step.to == .timeWait || step.from != from && !isClosed && step.from != nil {
                fail(.exactUnreported, "\(words(step)): the report said \(from)", at: step.learned)
            }
            exact.insert(index)
        } else if step.certainty != .inferred || isStrict && truth.reportedFrom != nil {
            // What was passed through must be true, where it is not said to be filled in.
            var place = before
            for state in step.via {
                guard let next = path[..<index].indices.dropFirst(place).first(where: { path[$0].step.to == state })
                else {
                    return fail(.neverHappened, "\(words(step)): never passed through \(state)", at: step.learned)
                }
                place = next + 1
            }
        }
        let isLast = truth.to == .closed && (index == 0 || path[index - 1].step.to == .timeWait)
        if isStrict, step.certainty == .inferred, truth.reportedFrom != nil, !isLast, truth.time > oracle.begun,
            truth.to != .timeWait
        {
            fail(.inferredThoughReported, words(step), at: step.learned)
        }
    }

    private mutating func checkCause(_ step: ToldLife.Step, _ truth: TrueLife.Step, _ life: TrueLife) {
        guard let cause = step.cause else {
            // A RST that was sent, and whose report was lost, would have been another cause.
            let mayBeReset = step.isInDoubt && oracle.habits.reportsReasons && step.to == .closed
            if isStrict, step.certainty == .exact, !truth.causes.mayBeOpen, !mayBeReset {
                fail(.causeUntold, "\(words(step)): \(truth.causes)", at: step.learned)
            }
            return
        }
        guard !truth.causes.contains(cause), step.certainty != .inferred else { return }
        // The report of the RST that told a refusal from ICMP's may be what was lost.
        if life.hasLost, step.from == .synSent, cause == .unreachable || cause == .receiveRST { return }
        if oracle.hasLostRefusals, step.from == .synSent, cause == .receiveRST, truth.causes.contains(.unreachable) {
            return
        }
        let isSmall = truth.reportedFrom == nil && step.certainty != .exact
        let isLate = isSmall && life.due != 0 && step.learned + oracle.habits.dumpLength + 1_000_000 >= life.due
        if isLate, cause == .timeout || cause == .timeWaitTimeout { return }
        // A RST, and a new connection between the same ends that is over too: nobody can tell one from the other.
        if isSmall, [.reuse, .receiveRST].contains(cause), life.due == 0 || step.learned < life.due + 5_000_000_000,
            truth.causes.contains(.reuse) || truth.causes.contains(.receiveRST)
        {
            return
        }
        if !isStrict, step.from == .bound || step.certainty == .observed, oracle.mode == .poll, isSmall,
            TCPStateMachine.soleTrigger(from: step.from, to: step.to) == cause
        {
            return
        }
        fail(.wrongCause, "\(words(step)): \(cause), not \(truth.causes)", at: step.learned)
    }

    private func words(_ step: ToldLife.Step) -> String {
        "\(step.from?.description ?? "?")→\(step.to) \(step.certainty) at \(step.time / 1000)µs"
    }

    // MARK: The whole

    private mutating func checkEnd() {
        guard told.isEnded, let last = told.steps.last, last.to == .closed, let life = lives.last else { return }
        let hasConnected = life.steps.contains { $0.to == .synSent || $0.to == .synReceived }
        if let final = told.final, hasConnected {
            var counters = FinalCounters(life.counters)
            counters.duration = final.duration
            // Whether the peer's FIN is among what was received, no message says.
            if oracle.mode == .poll, let received = final.bytesReceived, let real = counters.bytesReceived,
                received <= real + 1, real <= received + 1
            {
                counters.bytesReceived = received
            }
            // Where dumps alone tell, a message may be of the next connection of the socket, between the same ends; where
            // reports were lost, a last step with a cleared port of any.
            let isOther =
                (oracle.mode == .poll || life.hasLost)
                && kernel.lives.contains { other in
                    (other.socket == life.socket || other.name.endpoints == life.name.endpoints)
                        && other.counters.bytesSent == final.bytesSent
                }
            // Of several that nobody can tell apart it may be any.
            let isAny = lives.dropLast().contains { $0.counters.bytesSent == final.bytesSent }
            if final.bytesSent != nil, final != counters, !isOther, !isAny {
                fail(.wrongCounters, "\(final) not \(counters)", at: last.learned)
            }
        }
        guard isStrict else { return }
        let isReported = life.steps.last.map { $0.reportedFrom != nil && $0.time > oracle.begun } ?? false
        if isReported, hasConnected, told.final?.bytesSent == nil {
            fail(.countersUntold, "", at: last.learned)
        }
        // What was bound before is not counted.
        let first = told.steps.first { $0.to != .bound }
        if let duration = told.final?.duration, told.existing == nil, let first, first.from != nil,
            duration != .nanoseconds(Int64(last.time - first.time))
        {
            fail(.wrongDuration, "\(duration)", at: last.learned)
        }
        // A Fast Open child of a listener that is not known yet has no side.
        if told.existing == nil, life.side != .unknown, told.side != life.side, hasConnected, told.side != .unknown,
            life.steps.first?.time ?? 0 > oracle.begun
        {
            fail(.wrongSide, "\(told.side), not \(life.side)", at: last.learned)
        }
    }

    /// Whether all that was reported was told.
    private mutating func checkCompleteness() {
        guard let life = lives.first else { return }
        for (index, entry) in path.enumerated() where entry.step.time > oracle.begun {
            guard entry.step.isReport, !entry.step.isLost else { continue }
            if entry.step.to == .timeWait {
                let isTold = told.steps.contains { $0.to == .timeWait && $0.time == entry.step.time }
                if life.impliesTimeWait, !isTold {
                    fail(.stepUntold, "TIME_WAIT of \(entry.step.time / 1000)µs", at: entry.step.time)
                }
            } else if !exact.contains(index), !entry.step.causes.isAny {
                fail(.stepUntold, "\(entry.step.to) of \(entry.step.time / 1000)µs", at: entry.step.time)
            }
        }
    }
}
