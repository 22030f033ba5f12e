internal import ConnectionTracking
internal import SockDiag

/// What all namespaces of a watcher share on its thread: the way of inputs into the journal and of events to the reader.
final class WatchStream {
    /// Where events go, and whether a bound holds for them.
    private let send: ([SocketEvent], _ isBounded: Bool) -> Void
    private let destination: JournalDestination?
    private var journal: JournalWriter?
    var delivery: EventDelivery
    private var events: [SocketEvent] = []
    /// What has been reported so far.
    private(set) var metrics = SocketWatcher.Metrics()

    /// - Throws: ``/SockDiag/KernelError`` where the journal cannot be written.
    init(
        _ configuration: SocketWatcher.Configuration,
        header: JournalHeader? = nil,
        send: @escaping ([SocketEvent], _ isBounded: Bool) -> Void
    ) throws(KernelError) {
        self.send = send
        destination = configuration.journal
        delivery = EventDelivery(states: configuration.states)
        if let destination, let header { journal = try JournalWriter(path: destination.path, header: header) }
    }

    /// Writes an input down, before it is taken.
    func note(_ input: Input, of number: UInt32) { journal?.append(input, to: number) }

    /// Writes rows of a dump down, before they are taken.
    func note(_ rows: [SocketRow], at time: EventTime, of number: UInt32) {
        guard journal != nil else { return }
        for row in rows { journal?.append(row, at: time, to: number) }
    }

    /// Writes down what is shown beside the events.
    func note(_ entry: @autoclosure () -> JournalEntry) { if let journal { journal.append(entry()) } }

    /// Delivers an event with the next ``flush(isBounded:)``.
    func append(_ event: SocketEvent) {
        metrics.events &+= 1
        if case .gap(let gap) = event {
            metrics.gaps[gap.source, default: 0] &+= 1
            metrics.lost[gap.source, default: 0] &+= gap.lost ?? 0
        }
        events.append(event)
    }

    /// Sends what has happened. What exists at the beginning passes the bound of the buffer.
    func flush(isBounded: Bool = true) {
        reportFailure()
        guard !events.isEmpty else { return }
        send(events, isBounded)
        events.removeAll(keepingCapacity: events.count <= 4096)
    }

    /// Nothing follows.
    func finish() {
        flush()
        journal?.finish()
        reportFailure()
    }

    /// A journal that cannot be written is given up, once.
    private func reportFailure() {
        guard let failure = journal?.failure else { return }
        journal = nil
        destination?.reportsFailure(failure)
    }
}
