internal import SockDiag

/// What is watched of one network namespace: its client, its monitor, its tracker. Belongs to one thread at a time.
final class NamespaceLane {
    private let configuration: SocketWatcher.Configuration
    private var client: SockDiagClient
    private var monitor: DestroyMonitor?
    private var tracker: ConnectionTracker
    private let query: SocketQuery
    private var lost: UInt64 = 0
    /// What has happened and is not yet sent.
    var events: [SocketEvent] = []

    init(_ configuration: SocketWatcher.Configuration) throws(SockDiagError) {
        self.configuration = configuration
        client = try SockDiagClient()
        // Before the first dump: what ends meanwhile is queued, and told after it.
        monitor =
            configuration.usesDestroyEvents
            ? try DestroyMonitor(receiveBufferSize: configuration.receiveBufferSize) : nil
        tracker = ConnectionTracker(expectsDestroy: configuration.usesDestroyEvents)
        query = SocketQuery(family: configuration.family)
    }

    /// Readable while messages wait; -1 where none are heard.
    var descriptor: Int32 { monitor?.descriptor ?? -1 }

    /// How many messages about destroyed sockets were lost, also those that are not yet told.
    var lostCount: UInt64? { monitor?.lostCount }

    /// How many sockets are known.
    var socketCount: Int { tracker.count }

    /// The first dump.
    func begin(_ send: ([SocketEvent]) -> Void) throws(SockDiagError) {
        let time = EventTime.now()
        tracker.beginDump()
        try client.forEach(query) { record in
            let isNew = tracker.observe(record, at: time) { _ in }
            if isNew, configuration.tellsExisting, configuration.states.contains(record.state) {
                events.append(.socket(WatchedSocket(socket: TCPSocket(record))))
            }
        }
        // What ended meanwhile, and what the kernel was late to tell of.
        _ = try hear()
        tracker.endFirstDump()
        events.append(.ready)
        flush(send)
    }

    /// Reads what the kernel tells of destroyed sockets; whether something was lost, so that a dump is due now.
    func hear() throws(SockDiagError) -> Bool {
        let time = EventTime.now()
        let isIncomplete = try monitor?.receive { record throws(SockDiagError) in
            guard configuration.family == nil || record.family == configuration.family else { return }
            try tracker.destroyed(
                record,
                at: time,
                lookup: { identity throws(SockDiagError) in try client.socket(identity) },
                emit: append
            )
        }
        guard isIncomplete == true else { return false }
        tracker.noteGap()
        let total = monitor?.lostCount
        events.append(
            .gap(
                Gap(
                    source: .destroy,
                    reason: "the kernel's messages came faster than they were read",
                    lost: total.map { $0 - lost }
                )
            )
        )
        if let total { lost = total }
        return true
    }

    /// A dump, and what follows from it.
    func look() throws(SockDiagError) {
        let time = EventTime.now()
        tracker.beginDump()
        do {
            try client.forEach(query) { record in tracker.observe(record, at: time, emit: append) }
        } catch  where error.code == .inconsistentDump {
            return  // What it has shown is true; what it has not is no proof. The next one decides.
        }
        // Messages first: they tell more of an end than a missing row.
        _ = try hear()
        try tracker.endDump(
            at: time,
            lookup: { identity throws(SockDiagError) in try client.socket(identity) },
            emit: append
        )
    }

    /// Sends what has happened.
    func flush(_ send: ([SocketEvent]) -> Void) {
        guard !events.isEmpty else { return }
        send(events)
        events.removeAll(keepingCapacity: events.count <= 4096)
    }

    private func append(_ transition: Transition) {
        let states = configuration.states
        guard
            states.contains(transition.to) || transition.from.map(states.contains) ?? false
                || transition.via.contains(where: states.contains)
        else { return }
        events.append(.transition(transition))
    }
}
