internal import KernelTrace
internal import SockDiag

/// Which RST belongs to which step. The kernel reports both, one right after the other: a RST that is received before its
/// step, one that is sent before or after it. So the last step of a connection that may have one waits a moment.
extension ConnectionTracker {
    /// Between a step and its RST, nanoseconds; mostly microseconds, more where the processor is taken away.
    private static var moment: UInt64 { 2_000_000 }

    /// A RST was received or sent.
    mutating func noticeReset(_ record: borrowing TraceRecord, at time: EventTime, emit: (Transition) -> Void) {
        let reason = record.event == .resetSent ? trace?.resetReasons[record.resetReason] : nil
        guard record.event == .resetReceived || reason != nil else { return }
        switch record.from {
        // It answers a segment that belongs to no connection, and ends none.
        case .listen: break
        case .synSent where record.event == .resetSent: break
        case .closed: conclude(record.cookie, reason, at: time, emit: emit)
        default:
            trace?.resets[record.cookie] = TraceState.Reset(reason: reason, time: time.monotonicNanoseconds)
        }
    }

    /// The RST that was reported just before a connection's last step.
    mutating func takeReset(_ cookie: SocketCookie, at time: EventTime) -> TraceState.Reset? {
        guard let reset = trace?.resets.removeValue(forKey: cookie) else { return nil }
        // One that is received ends the socket; one that is sent may have had another reason.
        return reset.reason == nil || time.monotonicNanoseconds &- reset.time <= Self.moment ? reset : nil
    }

    /// Whether the report of a RST may follow the last step of a connection.
    func mayBeReset(_ last: Transition) -> Bool {
        guard trace?.resetReasons.isEmpty == false, last.resetReason == nil else { return false }
        switch (last.cause, last.from) {
        case (.abort, _): return true
        // Data that nobody can read ends a closed socket as a RST from the peer does, but that one is sent.
        case (.receiveRST, .finWait1), (.receiveRST, .finWait2): return true
        // By a call, it may have been aborted before the last ACK came.
        case (.receiveACK, .lastAck): return last.pid != nil
        default: return false
        }
    }

    /// A RST was sent for a socket that has come to CLOSED.
    private mutating func conclude(
        _ cookie: SocketCookie,
        _ reason: ResetReason?,
        at time: EventTime,
        emit: (Transition) -> Void
    ) {
        if var last = takeLastStep(of: cookie) {
            (last.cause, last.resetReason) = (.abort, reason)
            return emit(last)
        }
        // It was taken for an orphan in FIN_WAIT_2.
        guard let position = table.position(of: cookie) else { return }
        let entry = table.entries[position]
        guard entry.flags.contains(.isMinisocket), entry.state != .timeWait else { return }
        var last = transition(of: entry, from: entry.state, to: .closed, via: [], source: .trace, at: time)
        (last.certainty, last.cause, last.resetReason) = (.exact, .abort, reason)
        end(position, by: last, emit: emit)
    }

    /// Tells the last step of a connection that still waits: its socket is used anew.
    mutating func tellLastStep(of cookie: SocketCookie, emit: (Transition) -> Void) {
        if let last = takeLastStep(of: cookie) { emit(last) }
    }

    private mutating func takeLastStep(of cookie: SocketCookie) -> Transition? {
        guard let index = trace?.lastSteps.lastIndex(where: { $0.identity.cookie == cookie }) else { return nil }
        return trace?.lastSteps.remove(at: index)
    }

    /// Forgets RSTs whose steps were lost.
    mutating func forgetResets(before time: UInt64) {
        guard let resets = trace?.resets, !resets.isEmpty else { return }
        trace?.resets = resets.filter { $0.value.time >= time }
    }

    /// When the first of the last steps has waited long enough, monotonic nanoseconds; the end of time where none waits.
    var nextLastStep: UInt64 { trace?.lastSteps.first.map { $0.time.monotonicNanoseconds &+ Self.moment } ?? .max }

    /// Tells the last steps that have waited long enough.
    mutating func tellLastSteps(until now: UInt64, emit: (Transition) -> Void) {
        guard nextLastStep <= now, let waiting = trace?.lastSteps else { return }
        let due = waiting.prefix { $0.time.monotonicNanoseconds &+ Self.moment <= now }
        trace?.lastSteps.removeFirst(due.count)
        for last in due { emit(last) }
    }
}
