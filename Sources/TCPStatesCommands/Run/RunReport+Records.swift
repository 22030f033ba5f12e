internal import SockDiag
internal import SocketLeaks
internal import SocketOwners
internal import TCPWatch

/// What the records of `run` have beyond those of `watch`.
struct RunFields {
    var identity: SocketIdentity?
    var namespace: NetworkNamespace?
    var state: TCPState?
    var owners: [SocketOwner]?
    var counters: FinalCounters?
    var reason: String?
    var age: Duration?
    var history: [TCPState]?
    var tests: [String] = []
    var side = OpeningSide.unknown
    var isAttributed: Bool?
    var isOpenAtExit: Bool?
    var count: Int?
    var peak: Int?
    var report: RunReport?

    /// Passes the fields to the writer.
    static func describe(_ fields: RunFields?, to writer: inout some RecordWriter & ~Copyable) {
        let report = fields?.report
        writer.add("age_ns", fields?.age.map { .large($0.nanoseconds) })
        writer.add("test", fields.flatMap { $0.tests.count == 1 ? .text($0.tests[0]) : nil })
        writer.add("candidates", fields.flatMap { $0.tests.count > 1 ? .words($0.tests) : nil })
        writer.add("history", fields?.history.map { .words($0.map(\.description)) })
        writer.add("opened_by", (fields?.side.word).map { .text($0) })
        writer.add("attributed", fields?.isAttributed.map { .flag($0) })
        writer.add("open_at_exit", fields?.isOpenAtExit.map { .flag($0) })
        writer.add("count", fields?.count.map { .number(UInt64($0)) })
        writer.add("peak", fields?.peak.map { .number(UInt64($0)) })
        writer.add("command", report.map { .words($0.words) })
        writer.add("status", report?.status.map { .number($0) })
        writer.add("signal", report?.signal.map { .number($0) })
        writer.add("duration_ns", report.map { .large($0.duration.nanoseconds) })
        writer.add("connections_made", report.map { .number(UInt64($0.connections.count(.active))) })
        writer.add("connections_accepted", report.map { .number(UInt64($0.connections.count(.passive))) })
        writer.add("connections_untold", report.map { .number(UInt64($0.unattributed.count)) })
        writer.add("leaks", report.map { .number(UInt64($0.leaks.count)) })
    }
}

extension RunReport {
    /// Calls `body` with each record: the leaks, the states, the whole.
    func forEachRecord(_ body: (StaticString, WatchedSocket?, RunFields) -> Void) {
        for finding in leaks {
            var fields = RunFields()
            fields.reason = finding.leak.reason
            fields.age = finding.leak.age
            fields.history = finding.leak.states
            fields.tests = finding.tests
            fields.side = finding.leak.openedBy
            fields.isOpenAtExit = finding.isOver
            body("leak", finding.leak.socket, fields)
        }
        for state in TCPState.allCases where states.peaks[state] != nil {
            var fields = RunFields()
            fields.state = state
            fields.count = states.now[state] ?? 0
            fields.peak = states.peaks[state]
            body("summary", nil, fields)
        }
        var fields = RunFields()
        fields.report = self
        fields.peak = states.peak
        body("run", nil, fields)
    }

    fileprivate var status: UInt32? { if case .exited(let status) = end { UInt32(bitPattern: status) } else { nil } }
    fileprivate var signal: UInt32? { if case .killed(let signal) = end { UInt32(bitPattern: signal) } else { nil } }
}

extension SocketAccount {
    /// The `connection` record, when it is over or COMMAND has ended.
    func record(at now: EventTime) -> RunFields {
        var fields = RunFields()
        fields.identity = identity
        fields.namespace = namespace
        fields.state = life.state
        fields.owners = owners
        var counters = life.counters ?? FinalCounters()
        counters.duration = life.duration(at: now)
        fields.counters = counters
        fields.side = side
        fields.isAttributed = isOwn
        fields.isOpenAtExit = stateAtExit != nil
        return fields
    }
}

extension SocketLeak {
    /// The states that it went through; nil where no transition was seen.
    fileprivate var states: [TCPState]? {
        guard let first = history.first else { return nil }
        return [first.from].compactMap(\.self) + history.flatMap { $0.via + [$0.to] }
    }
}

extension OpeningSide {
    /// The word of the record; nil where it is not known.
    fileprivate var word: String? {
        switch self {
        case .active: "active"
        case .passive: "passive"
        case .unknown: nil
        }
    }
}
