internal import SockDiag
internal import TCPWatch

/// Puts records into the format of a writer: what all encoders do.
struct RecordRenderer<Writer: RecordWriter & ~Copyable>: ~Copyable {
    var writer: Writer
    private var events: EventDescription
    private let table: Table

    /// What has common columns. Without columns there is one table of all.
    enum Table {
        case all
        case sockets
        case events(withSockets: Bool)
        case run
        case summary([SummaryRecord.Key])
        case findings
    }

    init(_ writer: consuming Writer, table: Table, details: SocketDetails, names: RecordNames) {
        self.writer = writer
        self.table = table
        let (reportsSockets, reportsRun) =
            switch table {
            case .events(let withSockets): (withSockets, false)
            default: (true, true)
            }
        events = EventDescription(
            reportsSockets: reportsSockets,
            reportsRun: reportsRun,
            details: details,
            names: names
        )
    }

    var names: RecordNames {
        get { events.sockets.names }
        _modify { yield &events.sockets.names }
    }

    var details: SocketDetails { events.sockets.details }

    mutating func appendHeader() {
        switch table {
        case .all: break
        case .sockets:
            writer.writeHeader { writer in
                AbsentSocket().withMessage { message in
                    let socket = SocketRecord(checked: message)
                    events.sockets.describe(socket, owners: [], namespace: nil, to: &writer)
                }
            }
        case .events, .run: writer.writeHeader { events.describe("", to: &$0) }
        case .summary(let keys):
            writer.writeHeader { events.sockets.describe(SummaryRecord(by: keys, count: 0), to: &$0) }
        case .findings: writer.writeHeader { events.sockets.describe(nil as FindingRecord?, to: &$0) }
        }
    }

    /// Appends a row of a dump, where the table has sockets.
    mutating func append(
        _ socket: borrowing SocketRecord,
        owners: [SocketOwner],
        namespace: NetworkNamespace?,
        time: EventTime?,
        incarnation: UInt8 = 0
    ) {
        events.sockets.describe(
            socket,
            owners: owners,
            namespace: namespace,
            time: time,
            incarnation: incarnation,
            to: &writer
        )
    }

    /// Appends an event; whether the table has columns for it.
    mutating func append(_ event: SocketEvent) -> Bool {
        switch event {
        case .socket(let socket): append(socket)
        case .ready: append(Record.Content.ready)
        case .transition(let transition): append(transition)
        case .retransmission(let retransmission): append(retransmission)
        case .gap(let gap): append(gap)
        case .slowed(let interval, at: let time): append(Gap(slowedTo: interval, at: time))
        }
    }

    /// Appends a record; whether the table has columns for it.
    mutating func append(_ record: Record) -> Bool {
        events.sockets.known = record.names
        defer { events.sockets.known = Record.Names() }
        return append(record.content)
    }

    private mutating func append(_ content: Record.Content) -> Bool {
        switch (content, table) {
        case (.socket(let socket), _): return append(socket)
        case (.unixSocket(let socket), .all), (.unixSocket(let socket), .sockets):
            events.sockets.describe(socket, to: &writer)
        case (.transition(let transition), _): return append(transition)
        case (.retransmission(let retransmission), _): return append(retransmission)
        case (.gap(let gap), _): return append(gap)
        case (.ready, .all), (.ready, .events), (.ready, .run): events.describe("ready", to: &writer)
        case (.connection(let connection), .all), (.connection(let connection), .run):
            events.describe("connection", run: RunFields(connection), to: &writer)
        case (.leak(let leak), .all), (.leak(let leak), .run):
            events.describe("leak", socket: leak.socket, run: RunFields(leak), to: &writer)
        case (.summary(let summary), .all): events.sockets.describe(summary, to: &writer)
        case (.summary(let summary), .run): events.describe("summary", run: RunFields(summary), to: &writer)
        case (.summary(var summary), .summary(let keys)):
            summary.keys = keys
            events.sockets.describe(summary, to: &writer)
        case (.run(let run), .all), (.run(let run), .run): events.describe("run", run: RunFields(run), to: &writer)
        case (.finding(let finding), .all), (.finding(let finding), .findings):
            events.sockets.describe(finding, to: &writer)
        case (.access(let access), .all): events.sockets.describe(access, to: &writer)
        default: return false
        }
        return true
    }

    private mutating func append(_ socket: WatchedSocket) -> Bool {
        switch table {
        case .all, .sockets:
            socket.withMessage { message in
                let record = SocketRecord(checked: message, protocol: socket.protocol)
                append(
                    record,
                    owners: socket.owners,
                    namespace: socket.namespace,
                    time: socket.time,
                    incarnation: socket.incarnation
                )
            }
        case .events(withSockets: true), .run:
            events.describe("socket", time: socket.time, socket: socket, to: &writer)
        default: return false
        }
        return true
    }

    private mutating func append(_ transition: Transition) -> Bool {
        guard hasEvents else { return false }
        events.describe("transition", time: transition.time, transition: transition, to: &writer)
        return true
    }

    private mutating func append(_ retransmission: Retransmission) -> Bool {
        guard hasEvents else { return false }
        events.describe("retransmission", time: retransmission.time, retransmission: retransmission, to: &writer)
        return true
    }

    private mutating func append(_ gap: Gap) -> Bool {
        guard hasEvents else { return false }
        events.describe("gap", time: gap.time ?? .now(), gap: gap, to: &writer)
        return true
    }

    private var hasEvents: Bool {
        switch table {
        case .all, .events, .run: true
        case .sockets, .summary, .findings: false
        }
    }
}
