internal import SockDiag
internal import SocketLeaks
internal import TCPWatch

/// Events as records, in the format of the writer.
struct EventRecordRenderer<Writer: RecordWriter & ~Copyable>: EventRenderer, ~Copyable {
    var writer: Writer
    private var description: EventDescription
    /// Whether what exists is reported: at the beginning, or anew because the reader was too slow.
    private var awaitsReady: Bool

    init(
        _ writer: consuming Writer,
        reportsSockets: Bool = false,
        reportsRun: Bool = false,
        details: SocketDetails,
        names: SocketNames
    ) {
        self.writer = writer
        awaitsReady = reportsSockets && !reportsRun
        description = EventDescription(
            reportsSockets: reportsSockets,
            reportsRun: reportsRun,
            details: details,
            names: names
        )
    }

    mutating func begin() { writer.writeHeader { description.describe("", to: &$0) } }

    func prepare(_ events: [SocketEvent]) {}

    mutating func render(_ event: SocketEvent) {
        switch event {
        case .socket(let socket): description.describe("socket", socket: socket, to: &writer)
        case .ready:
            if awaitsReady { description.describe("ready", to: &writer) }
            awaitsReady = false
        case .transition(let transition):
            description.describe("transition", time: transition.time, transition: transition, to: &writer)
        case .gap(let gap):
            if gap.source == .reader { awaitsReady = true }
            let loss = EventDescription.Loss(
                source: gap.source,
                reason: gap.reason,
                count: gap.lost,
                namespace: gap.namespace
            )
            description.describe("gap", time: gap.time ?? .now(), loss: loss, to: &writer)
        case .slowed(let interval, at: let time):
            let loss = EventDescription.Loss(source: .poll, reason: slowedMessage(interval))
            description.describe("gap", time: time, loss: loss, to: &writer)
        }
    }

    mutating func render(_ connection: SocketAccount, at now: EventTime) {
        description.describe("connection", run: connection.record(at: now), to: &writer)
    }

    mutating func render(_ report: RunReport) {
        report.forEachRecord { type, socket, fields in
            description.describe(type, socket: socket, run: fields, to: &writer)
        }
    }

    mutating func drain(to output: inout Output) { output.drain(&writer.text) }

    mutating func flush(to output: inout Output) { output.flush(&writer.text) }
}

/// Returns what it means that the machine cannot keep the interval.
func slowedMessage(_ interval: Duration) -> String {
    var text = TextBuffer()
    text.append("a poll of all sockets takes longer than the interval; there is one every ")
    text.append(span: interval.nanoseconds)
    return text.withBytes { String(decoding: $0, as: UTF8.self) }
}
