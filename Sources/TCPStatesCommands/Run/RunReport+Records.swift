internal import SockDiag
internal import SocketLeaks
internal import TCPRecords
internal import TCPWatch

extension RunReport {
    /// The records: the leaks, the states, the whole.
    var records: [Record.Content] {
        leaks.map { .leak(LeakRecord($0)) }
            + TCPState.allCases.compactMap { state in
                states.peaks[state].map { .summary(SummaryRecord(state, count: states.now[state] ?? 0, peak: $0)) }
            } + [.run(whole)]
    }

    private var whole: RunRecord {
        var record = RunRecord(command: words, duration: duration, peak: states.peak, leaks: leaks.count)
        switch end {
        case .exited(let status): record.status = UInt32(bitPattern: status)
        case .killed(let signal): record.signal = UInt32(bitPattern: signal)
        }
        record.connectionsMade = connections.count(.active)
        record.connectionsAccepted = connections.count(.passive)
        record.connectionsUnattributed = unattributed.count
        return record
    }
}

extension LeakRecord {
    /// The record of what was found.
    fileprivate init(_ finding: RunReport.Finding) {
        let leak = finding.leak
        let first = leak.history.first
        self.init(
            leak.socket,
            reason: leak.reason,
            age: leak.age,
            tests: finding.tests,
            history: [first?.from].compactMap(\.self) + leak.history.flatMap { $0.via + [$0.to] },
            openedBy: leak.openedBy,
            isOpenAtExit: finding.isOver
        )
    }
}

extension ConnectionRecord {
    /// The record of a connection that is over, or whose command has ended.
    init(_ account: SocketAccount, at now: EventTime) {
        var counters = account.life.counters ?? FinalCounters()
        counters.duration = account.life.duration(at: now)
        self.init(
            account.identity,
            state: account.life.state,
            owners: account.owners,
            final: counters,
            openedBy: account.side,
            isAttributed: account.isOwn,
            isOpenAtExit: account.stateAtExit != nil,
            namespace: account.namespace
        )
    }
}
