internal import SocketValues

/// What a socket's last transition, the one to CLOSED, means: its connection has ended, and by what, or it goes on as a
/// minisocket.
extension ConnectionTracker {
    private enum Outcome {
        /// The kernel has made a TIME_WAIT.
        case timeWait
        /// A minisocket in FIN_WAIT_2, or in TIME_WAIT by now, or none: that is looked up in a moment.
        case minisocket
        case ended(TCPStep.Trigger?)
    }

    /// `TCP_TIMEWAIT_LEN` of `<net/tcp.h>`: 60 seconds.
    static var timeWaitLength: UInt64 { 60_000_000_000 }

    mutating func finish(_ place: SocketTable.Place, _ transition: TracedTransition) {
        var rest = transition.rest ?? SocketRest()
        let counters = rest.payload
        let reset = resets.take(transition.name.cookie)
        if isOld(rest, with: transition, after: reset) { rest.error = .none }
        let time = now.monotonicNanoseconds
        switch outcome(of: transition, rest, after: reset) {
        case .timeWait:
            let cause: TCPStep.Trigger = transition.from == .finWait2 ? .receiveFIN : .receiveACK
            let report = Report(
                to: .timeWait,
                certainty: .derived,
                source: .trace,
                time: now,
                cause: cause,
                matching: transition.matching
            )
            advance(place, report)
            becomeMinisocket(place, mayHoldSocket: !rest.isOrphan)
            sockets.keep(counters, at: place)
            sockets.changeBucket(place) { $0.due = time + Self.timeWaitLength }
            schedule(place, at: time + Self.timeWaitLength)
        case .minisocket:
            sockets[place].matching = transition.matching
            becomeMinisocket(place, mayHoldSocket: !rest.isOrphan)
            sockets.keep(counters, at: place)
            sockets.changeBucket(place) { $0.lastTransitionAt = time }
            schedule(place, at: time + Self.firstCheck)
        case .ended(let cause):
            let report = Report(
                to: .closed,
                certainty: .exact,
                source: .trace,
                time: now,
                cause: cause,
                pid: transition.isCall || cause.isCall ? transition.pid : nil,
                processName: transition.processName,
                resetReason: reset?.reason,
                matching: transition.matching
            )
            let last = lastTransition(place, report, counters)
            if let last {
                if mayBeReset(transition, cause, reset) {
                    resets.await(last)
                } else {
                    outputs.append(.transition(last))
                }
            }
            forget(place, mayHoldSocket: !rest.isOrphan)
        }
    }

    /// Whether the error was there before the last transition, and another thing ended the connection: FINs, or a call.
    /// What else ends one leaves its own error, maybe the same again.
    private mutating func isOld(_ rest: SocketRest, with transition: TracedTransition, after reset: ResetReports.Early?)
        -> Bool
    {
        guard !oldErrors.isEmpty, let error = oldErrors.removeValue(forKey: transition.name.cookie), error == rest.error
        else {
            return false
        }
        if let reset, reset.reason == nil { return false }
        switch transition.from {
        case .lastAck, .closing: return true
        case .finWait2 where rest.isOrphan: return true
        default: return transition.pid != nil
        }
    }

    /// What the last transition of a socket means, by the state that it leaves and by what the kernel left in it.
    private func outcome(of transition: TracedTransition, _ rest: SocketRest, after reset: ResetReports.Early?)
        -> Outcome
    {
        // By its program alone.
        if transition.from == .listen { return .ended(.close) }
        // The error of a FIN_WAIT_2 that the peer has closed is an old one.
        if transition.from == .finWait2, rest.isPeerDone {
            return rest.isBelowTimeWaitLimit == true ? .timeWait : .minisocket
        }
        switch rest.error {
        case .none where isQueued(transition, rest): return .ended(.listenerClosed)
        case .none where reset?.reason != nil: return .ended(.abort)
        case .none: break
        case .timedOut: return .ended(.timeout)
        // A firewall that rejects by ICMP leaves the same error as a RST.
        case .refused where transition.from == .synSent && reset == nil && reportsRefusals: return .ended(.unreachable)
        case .refused where transition.from == .synSent, .reset: return .ended(.receiveRST)
        case .aborted: return .ended(.abort)
        case .unreachable where transition.from == .synSent: return .ended(.unreachable)
        // What ICMP said of an earlier segment is left when retransmission is given up (`tcp_write_err()`), and when the
        // program closes: then a RST is sent.
        case .refused, .unreachable: if reset?.reason == nil { return .ended(.timeout) } else { return .ended(.abort) }
        }
        switch transition.from {
        case .closing:
            // By a call it may have been aborted: a lookup will show, or the report of a RST.
            return rest.isBelowTimeWaitLimit == true && transition.pid == nil ? .timeWait : .minisocket
        case .finWait2:
            // Where nobody holds it, the kernel has put a minisocket in its place, or had no room for one.
            return rest.isOrphan ? .minisocket : .ended(.abort)
        case .lastAck: return .ended(.receiveACK)
        case .synSent: return .ended(connectFailure(of: transition, rest) ?? .close)
        default: return .ended(.abort)
        }
    }

    /// Whether a connection waited to be accepted, which nothing but its listener's end ends without an error.
    private func isQueued(_ transition: TracedTransition, _ rest: SocketRest) -> Bool {
        rest.isUnaccepted && transition.pid == nil
            && [.synReceived, .established, .closeWait].contains(transition.from)
    }

    /// What made connect() fail by itself, before it sent anything; nil where a SYN was sent, or may have waited for data.
    private func connectFailure(of transition: TracedTransition, _ rest: SocketRest) -> TCPStep.Trigger? {
        transition.pid != nil && transition.name.endpoints.localPort == 0 && rest.counters.segmentsOut == 0
            ? .noPort : nil
    }

    /// Whether the report of a RST may follow the last transition of a connection.
    private func mayBeReset(_ transition: TracedTransition, _ cause: TCPStep.Trigger?, _ reset: ResetReports.Early?)
        -> Bool
    {
        guard resets.hasReasons, reset?.reason == nil else { return false }
        switch (cause, transition.from) {
        case (.abort, _), (.listenerClosed, _): return true
        // Data that nobody can read ends a closed socket as a RST from the peer does, but that one is sent.
        case (.receiveRST, .finWait1), (.receiveRST, .finWait2): return true
        // An old error, and the program closes.
        case (.timeout, _): return transition.rest?.error != .timedOut
        // By a call, it may have been aborted before the last ACK came.
        case (.receiveACK, .lastAck): return transition.pid != nil
        default: return false
        }
    }

    // MARK: RSTs

    /// A RST was received or sent.
    mutating func take(_ reset: ReportedReset) {
        let reason = reset.reason.flatMap { resets.reason($0) }
        guard reset.reason == nil || reason != nil else { return }
        switch reset.state {
        // It answers a segment that belongs to no connection, and ends none.
        case .listen: break
        case .synSent where reset.reason != nil: break
        case .closed: concludeLastTransition(of: reset.cookie, reason)
        default: resets.note(reset.cookie, reason, at: now.monotonicNanoseconds)
        }
    }

    /// A RST was sent for a socket that has come to CLOSED.
    private mutating func concludeLastTransition(of cookie: SocketCookie, _ reason: ResetReason?) {
        if var last = resets.takeWaiting(cookie, resetAt: now.monotonicNanoseconds) {
            if last.cause != .listenerClosed { last.cause = .abort }
            last.resetReason = reason
            outputs.append(.transition(last))
            return
        }
        // It was taken for an orphan in FIN_WAIT_2.
        for place in sockets.places(of: cookie) {
            let entry = sockets[place]
            guard entry.kind == .minisocket, entry.state != .timeWait, sockets.bucket(place).due == 0 else { continue }
            end(
                place,
                Report(
                    to: .closed,
                    certainty: .exact,
                    source: .trace,
                    time: now.at(sockets.bucket(place).lastTransitionAt),
                    cause: .abort,
                    resetReason: reason
                )
            )
        }
    }

    /// Reports the last transition of a connection that still waits for a RST: its socket is used anew.
    mutating func reportWaiting(_ cookie: SocketCookie) {
        if let last = resets.takeWaiting(cookie) { reportWaiting(last) }
    }

    /// Reports a last transition that has waited for a RST, which may be what was lost.
    mutating func reportWaiting(_ waiting: Transition) {
        var last = waiting
        let isInDoubt = hasLostReports || last.time.monotonicNanoseconds <= lastLoss
        if isInDoubt, last.cause != .abort, last.cause != .listenerClosed { last.cause = nil }
        outputs.append(.transition(last))
    }
}

extension TCPStep.Trigger? {
    /// Whether a call of the program's own has this cause, though the transition may be another's doing by its states.
    fileprivate var isCall: Bool {
        switch self {
        case .abort, .close, .noPort: true
        default: false
        }
    }
}
