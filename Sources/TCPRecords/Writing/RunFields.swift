internal import SockDiag
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
    var history: [TCPState] = []
    var tests: [String] = []
    var side = OpeningSide.unknown
    var isAttributed: Bool?
    var isOpenAtExit: Bool?
    var count: Int?
    var peak: Int?
    var whole: RunRecord?

    init(_ connection: ConnectionRecord) {
        (identity, namespace, state) = (connection.identity, connection.namespace, connection.state)
        (owners, counters, side) = (connection.owners, connection.final, connection.openedBy)
        (isAttributed, isOpenAtExit) = (connection.isAttributed, connection.isOpenAtExit)
    }

    init(_ leak: LeakRecord) {
        (reason, age, history, tests) = (leak.reason, leak.age, leak.history, leak.tests)
        (side, isOpenAtExit) = (leak.openedBy, leak.isOpenAtExit)
    }

    init(_ summary: SummaryRecord) { (state, count, peak) = (summary.state, summary.count, summary.peak) }

    init(_ run: RunRecord) { (whole, peak) = (run, run.peak) }

    /// Passes the fields to the writer, and which side opened the connection.
    static func describe(
        _ fields: RunFields?,
        openedBy side: OpeningSide?,
        to writer: inout some RecordWriter & ~Copyable
    ) {
        let whole = fields?.whole
        let history = fields.flatMap { $0.history.isEmpty ? nil : $0.history }
        writer.add("age_ns", fields?.age.map { .large($0.nanoseconds) })
        writer.add("test", fields.flatMap { $0.tests.count == 1 ? .text($0.tests[0]) : nil })
        writer.add("candidates", fields.flatMap { $0.tests.count > 1 ? .words($0.tests) : nil })
        writer.add("history", history.map { .words($0.map(\.description)) })
        writer.add("opened_by", (side?.word).map { .text($0) })
        writer.add("attributed", fields?.isAttributed.map { .flag($0) })
        writer.add("open_at_exit", fields?.isOpenAtExit.map { .flag($0) })
        writer.add("count", fields?.count.map { .count($0) })
        writer.add("peak", fields?.peak.map { .count($0) })
        writer.add("command", whole.map { .words($0.command) })
        writer.add("status", whole?.status.map { .number($0) })
        writer.add("signal", whole?.signal.map { .number($0) })
        writer.add("duration_ns", whole.map { .large($0.duration.nanoseconds) })
        writer.add("connections_made", whole.map { .count($0.connectionsMade) })
        writer.add("connections_accepted", whole.map { .count($0.connectionsAccepted) })
        writer.add("connections_untold", whole.map { .count($0.connectionsUnattributed) })
        writer.add("leaks", whole.map { .count($0.leaks) })
    }
}
