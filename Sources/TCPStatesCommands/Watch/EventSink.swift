internal import SockDiag
internal import TCPRecords
internal import TCPWatch

/// The end of the events of a watcher or of a journal: they are rendered, written and counted.
struct EventSink<Renderer: EventRenderer & ~Copyable>: ~Copyable {
    private var renderer: Renderer
    private(set) var output: Output
    private(set) var tally = WatchTally()
    /// The number of transitions after which no more are wanted.
    private let limit: Int?
    /// Whether losses are reported on standard error.
    private let complains: Bool

    init(_ renderer: consuming Renderer, to output: consuming Output, limit: Int?, complains: Bool) {
        self.renderer = renderer
        self.output = output
        self.limit = limit
        self.complains = complains
    }

    /// Whether what is written still reaches its end.
    var isOpen: Bool { output.isOpen }

    /// Writes what comes before the first event.
    mutating func begin() {
        renderer.begin()
        renderer.flush(to: &output)
    }

    /// Writes the events; whether more are wanted.
    mutating func write(_ events: [SocketEvent]) -> Bool {
        renderer.prepare(events)
        defer { renderer.flush(to: &output) }
        for event in events {
            tally.count(event)
            renderer.render(event)
            renderer.drain(to: &output)
            switch event {
            case .transition where tally.transitions == limit: return false
            case .gap(let gap) where complains: complain(gap)
            case .slowed(let interval, at: let time) where complains:
                TCPStates.complain(Gap(slowedTo: interval, at: time).reason)
            default: break
            }
        }
        return true
    }

    /// Closes the output.
    mutating func close() throws(CommandFailure) { try output.close() }

    private func complain(_ gap: Gap) {
        let count = gap.lost.map { "\($0) lost" } ?? "some lost"
        TCPStates.complain("gap: \(gap.reason) (\(gap.source.rawValue): \(count))")
    }
}
