internal import Glibc
internal import KernelTrace
internal import SockDiag

/// What the kernel's tracepoints tell. A step of a socket is told as it comes; what they do not tell, the half-open
/// request and the minisocket after an active close, is left to lookups at the time that the kernel's timers set.
extension ConnectionTracker {
    /// A record of the trace, which was written at the time.
    mutating func traced(
        _ record: borrowing TraceRecord,
        at time: EventTime,
        emit: (Transition) -> Void
    ) {
        switch record.event {
        case .step: step(record, at: time, emit: emit)
        case .requestRetransmitted, .synRetransmitted: notice(record, at: time, emit: emit)
        case .resetReceived, .resetSent: noticeReset(record, at: time, emit: emit)
        case .destroyed: endBound(record, at: time, emit: emit)
        }
    }

    private mutating func step(_ record: borrowing TraceRecord, at time: EventTime, emit: (Transition) -> Void) {
        let from = record.from
        guard let position = table.position(of: record.cookie) else { return open(record, at: time, emit: emit) }
        let entry = table.entries[position]
        if entry.state == from || (from == .closed && entry.state == .bound) {
            return take(position, record, at: time, emit: emit)
        }
        // A dump has shown it sooner than the record was read.
        let shownAt = entry.enteredAt == 0 ? trace?.shownUntil ?? 0 : entry.enteredAt
        guard time.monotonicNanoseconds > shownAt else { return }
        // Records before this one were lost.
        if from == .closed {
            end(position, evidence: .none, source: .trace, at: time, emit: emit)
            return open(record, at: time, emit: emit)
        }
        let place =
            entry.flags.contains(.isHeld)
            ? release(position, as: record.identity.local, at: time, emit: emit) : position
        fill(place, to: from, at: time, emit: emit)
        take(place, record, at: time, emit: emit)
    }

    /// The first that is heard of a connection.
    private mutating func open(_ record: borrowing TraceRecord, at time: EventTime, emit: (Transition) -> Void) {
        tellLastStep(of: record.cookie, emit: emit)
        let isChild = record.from == .synReceived
        let isNew = isChild || record.from == .closed
        // The kernel measures how long the final ACK of the handshake took: for so long there was a request.
        let wait = isChild ? UInt64(record.rttMicroseconds) * 1000 : 0
        let begin = time.at(time.monotonicNanoseconds - min(wait, time.monotonicNanoseconds))
        let isAccepted = isChild || listeners[record.localPort, default: 0] > 0
        let wasThere = !isNew && time.monotonicNanoseconds <= trace?.shownUntil ?? 0
        var entry = KnownConnection(
            record.identity,
            in: isNew ? .closed : record.from,
            side: record.to == .synSent ? .active : isAccepted ? .passive : .unknown,
            enteredAt: wasThere ? 0 : begin.monotonicNanoseconds,
            generation: generation
        )
        entry.learnOwner(uid: record.uid)
        displace(by: entry, source: .trace, at: begin, emit: emit)
        table.append(entry)
        seen += 1
        let position = table.count - 1
        if isChild {
            tell(position, to: .synReceived, certainty: .exact, at: begin, cause: .receiveSYN, emit: emit)
            advance(position, to: .synReceived, at: begin)
        } else if !isNew, !wasThere {
            // Its first steps were lost.
            table.entries[position].state = .closed
            fill(position, to: record.from, at: time, emit: emit)
        }
        take(position, record, isNews: true, at: time, emit: emit)
    }

    /// Takes a connection along the step that the kernel reported; whether nothing was known of it before that.
    private mutating func take(
        _ place: Int,
        _ record: borrowing TraceRecord,
        isNews: Bool = false,
        at time: EventTime,
        emit: (Transition) -> Void
    ) {
        var position = place
        if table.entries[position].flags.contains(.isHeld) {
            position = release(position, as: record.identity.local, at: time, emit: emit)
        }
        touch(position)
        table.entries[position].learnOwner(uid: record.uid)
        let to = record.to
        if table.entries[position].state == .bound || table.entries[position].state == .closed {
            let side = table.entries[position].side
            let now = time.monotonicNanoseconds
            table.entries[position].begin(record.identity, side: to == .synSent ? .active : side, at: now)
        }
        if to == .closed { return finish(position, record, isNews: isNews, at: time, emit: emit) }
        if to == .synSent || to == .listen, record.localPort == 0 {
            table.entries[position].flags.insert(.isHeld)
            trace?.held[record.cookie] = record.pid ?? 0
        } else {
            tell(
                position,
                to: to,
                certainty: .exact,
                at: time,
                pid: record.pid,
                emit: emit
            )
        }
        advance(position, to: to, at: time)
        if to == .established, owners != nil { appointOwner(position, at: time) }
    }

    /// Tells the steps that must have led to a state, of which nothing was heard.
    private mutating func fill(_ position: Int, to state: TCPState, at time: EventTime, emit: (Transition) -> Void) {
        let entry = table.entries[position]
        let via = TCPStateMachine.passed(from: entry.state, to: state, side: entry.side)
        tell(position, to: state, via: via, certainty: .inferred, at: time, emit: emit)
        advance(position, to: state, at: time)
    }

    /// A SYN or a SYN+ACK was sent once more: what it belongs to is known by now, or is now.
    private mutating func notice(_ record: borrowing TraceRecord, at time: EventTime, emit: (Transition) -> Void) {
        if let position = table.position(of: record.cookie) {
            guard table.entries[position].flags.contains(.isHeld) else { return }
            _ = release(position, as: record.identity.local, at: time, emit: emit)
            return
        }
        let isRequest = record.event == .requestRetransmitted
        let entry = KnownConnection(
            record.identity,
            in: .closed,
            side: isRequest ? .passive : .active,
            enteredAt: time.monotonicNanoseconds,
            generation: generation
        )
        displace(by: entry, source: .trace, at: time, emit: emit)
        table.append(entry)
        seen += 1
        let position = table.count - 1
        // The request was there before; the socket's own step was lost.
        tell(
            position,
            to: record.to,
            certainty: isRequest ? .observed : .inferred,
            at: time,
            cause: isRequest ? .receiveSYN : .connect,
            emit: emit
        )
        advance(position, to: record.to, at: time)
        if isRequest { appoint(position, nil, at: time) }
    }

    /// A socket that was bound and no more has been closed.
    private mutating func endBound(_ record: borrowing TraceRecord, at time: EventTime, emit: (Transition) -> Void) {
        guard let position = table.position(of: record.cookie), table.entries[position].state == .bound else { return }
        var last =
            transition(of: table.entries[position], from: .bound, to: .closed, via: [], source: .trace, at: time)
        last.certainty = .exact
        end(position, by: last, emit: emit)
    }

    /// Tells the first step of a connection whose port is known now; where it is in the table after that.
    mutating func release(
        _ place: Int,
        as local: SocketEndpoint,
        at time: EventTime,
        emit: (Transition) -> Void
    ) -> Int {
        table.entries[place].flags.remove(.isHeld)
        learnLocal(place, local)
        let entry = table.entries[place]
        let pid = trace?.held.removeValue(forKey: entry.cookie) ?? 0
        let begin = time.at(entry.enteredAt)
        displace(by: entry, source: .trace, at: begin, emit: emit)
        // What was displaced has left its place to another one.
        let position = table.position(of: entry.cookie) ?? place
        if entry.state == .synSent || entry.state == .listen {
            table.entries[position].state = .closed
            tell(
                position,
                to: entry.state,
                certainty: .exact,
                at: begin,
                cause: entry.state == .listen ? .listen : .connect,
                pid: pid == 0 ? nil : pid,
                emit: emit
            )
            table.entries[position].state = entry.state
        }
        return position
    }

    /// Ends the minisocket between the same ends as a connection that has begun: the kernel has put it in its place,
    /// which it does with a TIME_WAIT alone.
    mutating func displace(
        by new: KnownConnection,
        source: Transition.Source,
        at time: EventTime,
        emit: (Transition) -> Void
    ) {
        guard new.localPortNumber != 0, let cookie = trace?.minisockets[new.endpoints], cookie != new.cookie,
            let position = table.position(of: cookie), table.entries[position].isBetween(new.identity)
        else { return }
        let old = table.entries[position]
        let via: [TCPState] = old.state == .timeWait ? [] : [.timeWait]
        var last = transition(of: old, from: old.state, to: .closed, via: via, source: source, at: time)
        last.cause = .reuse
        end(position, by: last, emit: emit)
    }

    /// Notes that there was news of a connection, so that a dump's silence about it proves nothing.
    mutating func touch(_ position: Int) {
        if table.entries[position].generation != generation { seen += 1 }
        table.entries[position].generation = generation
        table.entries[position].flags.remove(.isMissing)
    }

    /// Tells of a step from the state that the connection is in, where the filter wants it.
    private mutating func tell(
        _ position: Int,
        to: TCPState,
        via: [TCPState] = [],
        certainty: Transition.Certainty,
        at time: EventTime,
        cause: TCPStep.Trigger? = nil,
        pid: Int32? = nil,
        emit: (Transition) -> Void
    ) {
        let entry = table.entries[position]
        if filter != nil {
            let wasFound = entry.flags.contains(.isFound)
            let isFound = finds(entry, in: [to])
            if isFound != wasFound { table.entries[position].flags.formSymmetricDifference(.isFound) }
            guard wasFound || isFound || finds(entry, in: via) else { return }
        }
        var step = transition(of: entry, from: entry.state, to: to, via: via, source: .trace, at: time)
        (step.certainty, step.pid) = (certainty, pid)
        if let cause { step.cause = cause }
        emit(step)
    }
}

// MARK: - The last step of a socket

extension ConnectionTracker {
    /// A socket has come to CLOSED: its connection has ended, or goes on as a minisocket.
    private mutating func finish(
        _ position: Int,
        _ record: borrowing TraceRecord,
        isNews: Bool,
        at time: EventTime,
        emit: (Transition) -> Void
    ) {
        let entry = table.entries[position]
        let counters = FinalCounters(record)
        let reset = takeReset(entry.cookie, at: time)
        switch outcome(of: record, after: reset, isNews: isNews) {
        case .timeWait:
            tell(
                position,
                to: .timeWait,
                certainty: .exact,
                at: time,
                cause: entry.state == .finWait2 ? .receiveFIN : .receiveACK,
                emit: emit
            )
            advance(position, to: .timeWait, at: time)
            keep(position, counters, until: time.monotonicNanoseconds &+ Self.timeWait)
        case .minisocket:
            // In FIN_WAIT_2 still, or in TIME_WAIT by now: that is looked up in a moment.
            keep(position, counters, until: time.monotonicNanoseconds &+ Self.firstCheck)
        case .ended(let cause):
            var last = transition(of: entry, from: entry.state, to: .closed, via: [], source: .trace, at: time)
            (last.certainty, last.cause, last.pid, last.resetReason) = (.exact, cause, record.pid, reset?.reason)
            if mayBeReset(last) {
                var told: Transition?
                end(position, by: last, final: counters) { told = $0 }
                if let told { trace?.lastSteps.append(told) }
            } else {
                end(position, by: last, final: counters, emit: emit)
            }
        }
    }

    private mutating func keep(_ position: Int, _ counters: FinalCounters, until due: UInt64) {
        let cookie = table.entries[position].cookie
        table.entries[position].flags.formUnion([.isMinisocket, .hasFinalCounters])
        trace?.timers[cookie] = due
        finals[cookie] = counters
        trace?.minisockets[table.entries[position].endpoints] = cookie
        if table.entries[position].state == .timeWait {
            trace?.ends.add(cookie, due: due)
        } else {
            trace?.checks.add(cookie, due: due)
        }
    }

    private enum Outcome {
        case timeWait
        case minisocket
        case ended(TCPStep.Trigger?)
    }

    /// What the last step of a socket means, by the state that it leaves and by what the kernel left in it.
    private func outcome(
        of record: borrowing TraceRecord,
        after reset: TraceState.Reset?,
        isNews: Bool
    ) -> Outcome {
        let from = record.from
        // The error of a FIN_WAIT_2 that the peer has closed is an old one.
        if from == .finWait2, record.isPeerDone { return record.hasRoomForTimeWait ? .timeWait : .minisocket }
        switch record.error {
        case 0 where reset?.reason != nil: return .ended(.abort)
        case 0: break
        case ETIMEDOUT: return .ended(.timeout)
        // A firewall that rejects by ICMP leaves the same error as a RST.
        case ECONNREFUSED where from == .synSent && reset == nil && trace?.hearsRefusals == true && !isNews:
            return .ended(.unreachable)
        case ECONNREFUSED where from == .synSent: return .ended(.receiveRST)
        case ECONNRESET, EPIPE: return .ended(.receiveRST)
        case ECONNABORTED: return .ended(.abort)
        case _ where from == .synSent: return .ended(.unreachable)
        // What ICMP said of an earlier segment is left when retransmission is given up (`tcp_write_err()`), and when the
        // program closes.
        case _ where record.pid == nil: return .ended(.timeout)
        default: break
        }
        switch from {
        // By a call: it may have been aborted. A lookup will show, or the report of a RST.
        case .closing where record.pid != nil: return .minisocket
        case .closing where record.hasRoomForTimeWait: return .timeWait
        case .closing, .finWait2:
            // Where nobody holds it, the kernel has put a minisocket in its place, or had no room for one.
            return from == .closing || record.isOrphan ? .minisocket : .ended(.abort)
        case .lastAck: return .ended(.receiveACK)
        case .listen, .synSent: return .ended(.close)
        default: return .ended(.abort)
        }
    }

    /// `TCP_TIMEWAIT_LEN` of `<net/tcp.h>`: 60 seconds.
    private static var timeWait: UInt64 { 60_000_000_000 }
}

extension FinalCounters {
    /// What the kernel measured, by the record of the last step.
    fileprivate init(_ record: borrowing TraceRecord) {
        self.init(nil)
        bytesSent = record.bytesSent
        bytesReceived = record.bytesReceived
        segmentsOut = UInt64(record.segmentsOut)
        segmentsIn = UInt64(record.segmentsIn)
        retransmits = UInt64(record.retransmits)
        rttMicroseconds = UInt64(record.rttMicroseconds)
        if record.isPeerDone { discountFIN() }
    }
}
