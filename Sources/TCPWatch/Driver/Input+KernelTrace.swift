internal import ConnectionTracking
internal import KernelTrace
internal import LinuxLibC
internal import SockDiag

/// What the tracepoints' records say, as a tracker reads it.
extension Input.Fact {
    /// A record, nil where it changes nothing; `mask` gives the states in which the filter finds its socket.
    init?(_ record: borrowing TraceRecord, mask: (SocketName, UInt32) -> StateMask) {
        switch record.event {
        case .transition:
            let name = SocketName(record.identity)
            self = .transition(
                TracedTransition(
                    name,
                    from: record.from,
                    to: record.to,
                    uid: record.uid,
                    pid: record.caller,
                    processName: record.processName,
                    rtt: record.rttMicroseconds,
                    matching: mask(name, record.uid),
                    rest: SocketRest(of: record)
                )
            )
        case .retransmitted where record.from != .synSent: return nil
        case .requestRetransmitted, .retransmitted:
            let name = SocketName(record.identity)
            self = .retransmitted(
                RetransmittedHandshake(
                    name,
                    isRequest: record.event == .requestRetransmitted,
                    matching: mask(name, record.uid)
                )
            )
        case .resetReceived: self = .reset(ReportedReset(record.cookie, in: record.from, reason: nil))
        case .resetSent: self = .reset(ReportedReset(record.cookie, in: record.from, reason: record.resetReason))
        case .destroyed:
            self = record.isBoundAlone ? .boundDestroyed(record.cookie) : .released(record.cookie)
        }
    }
}

extension Retransmission {
    /// Nil where the record is of something else.
    init?(_ record: borrowing TraceRecord, at time: EventTime) {
        let kind: Kind
        switch record.event {
        case .requestRetransmitted: kind = .synAck
        case .retransmitted where record.from == .synSent: kind = .syn
        case .retransmitted: kind = record.isTailLossProbe ? .tailLossProbe : .data
        default: return nil
        }
        let uid = kind == .synAck ? nil : record.uid
        self.init(record.identity, in: record.from, kind, time: time, uid: uid)
    }
}

extension SocketRest {
    /// Nil with a transition that is not the last, and leaves no error.
    fileprivate init?(of record: borrowing TraceRecord) {
        let isUnanswered = record.error == 0 && record.from == .synSent && record.to == .closed
        let error = SocketFailure(errno: isUnanswered ? record.softError : record.error)
        guard record.to == .closed else {
            if error == .none { return nil }
            self.init(error: error)
            return
        }
        var counters = SocketCounters()
        (counters.bytesSent, counters.bytesReceived) = (record.bytesSent, record.bytesReceived)
        (counters.segmentsOut, counters.segmentsIn) = (record.segmentsOut, record.segmentsIn)
        (counters.retransmits, counters.rtt) = (record.retransmits, record.rttMicroseconds)
        self.init(
            counters,
            error: error,
            isPeerDone: record.isPeerDone,
            isOrphan: record.isOrphan,
            isUnaccepted: record.isUnaccepted,
            isBelowTimeWaitLimit: record.isBelowTimeWaitLimit
        )
    }
}

extension SocketFailure {
    /// By the number in `sk_err`.
    fileprivate init(errno: Int32) {
        self =
            switch errno {
            case 0: .none
            case ETIMEDOUT: .timedOut
            case ECONNREFUSED: .refused
            case ECONNRESET, EPIPE: .reset
            case ECONNABORTED: .aborted
            default: .unreachable
            }
    }
}
