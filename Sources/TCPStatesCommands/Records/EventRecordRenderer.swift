internal import SockDiag
internal import SocketLeaks
internal import TCPRecords
internal import TCPWatch

/// Events as records, by an encoder.
struct EventRecordRenderer<Encoder: BufferedEncoder & ~Copyable>: EventRenderer, ~Copyable {
    var encoder: Encoder
    /// Whether what exists is reported: at the beginning, or anew because the reader was too slow.
    private var awaitsReady: Bool

    init(_ encoder: consuming Encoder, reportsSockets: Bool = false) {
        self.encoder = encoder
        awaitsReady = reportsSockets
    }

    func begin() {}

    func prepare(_ events: [SocketEvent]) {}

    mutating func render(_ event: SocketEvent) {
        switch event {
        case .ready:
            guard awaitsReady else { return }
            awaitsReady = false
        case .gap(let gap) where gap.source == .reader: awaitsReady = true
        default: break
        }
        encoder.append(event)
    }

    mutating func render(_ connection: SocketAccount, at now: EventTime) {
        encoder.append(Record(.connection(ConnectionRecord(connection, at: now))))
    }

    mutating func render(_ report: RunReport) {
        for record in report.records { encoder.append(Record(record)) }
    }

    mutating func drain(to output: inout Output) { output.drain(&encoder.text) }

    mutating func flush(to output: inout Output) { output.flush(&encoder.text) }
}
