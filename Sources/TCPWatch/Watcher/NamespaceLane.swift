internal import KernelTrace
internal import SockDiag
internal import SocketOwners

/// What is watched of one network namespace: its client, its monitor, its tracker. Belongs to one thread at a time.
final class NamespaceLane {
    let configuration: SocketWatcher.Configuration
    var client: SockDiagClient
    private var monitor: DestroyMonitor?
    var tracker: ConnectionTracker
    let query: SocketQuery
    /// The number of the namespace, by which the trace names it.
    let inode: UInt32
    /// When the next dumps are due, where the kernel reports the steps.
    var schedule: TraceSchedule
    /// Before this moment no TIME_WAIT is asked for: one that should have ended has not.
    var lateUntil: UInt64 = 0
    private var lost: UInt64 = 0
    /// Where it is found now; nil where none was named.
    private(set) var namespace: NetworkNamespace?
    /// Before this moment `/proc` is not read again, monotonic nanoseconds.
    private var nextResolve: UInt64 = 0
    /// What has happened and is not yet sent.
    var events: [SocketEvent] = []

    /// A lane of a namespace, or of the calling thread's; one that is traced hears of the steps from a ``TraceFeed``.
    ///
    /// - Throws: ``/SockDiag/SockDiagError``.
    init(
        _ configuration: SocketWatcher.Configuration,
        in namespace: NetworkNamespace? = nil,
        isTraced: Bool = false
    ) throws(SockDiagError) {
        self.configuration = configuration
        self.namespace = namespace
        schedule = TraceSchedule(configuration)
        if isTraced {
            let here = if let namespace { namespace } else { try NetworkNamespace.current }
            inode = UInt32(truncatingIfNeeded: here.inode)
        } else {
            inode = 0
        }
        if let namespace { client = try SockDiagClient(in: namespace) } else { client = try SockDiagClient() }
        // Before the first dump: what ends meanwhile is queued, and told after it.
        let hasMonitor = configuration.usesDestroyEvents && !isTraced
        if hasMonitor {
            let size = configuration.receiveBufferSize
            let open = { @Sendable () throws(SockDiagError) in try DestroyMonitor(receiveBufferSize: size) }
            if let namespace { monitor = try namespace.run(open) } else { monitor = try open() }
        }
        var filter: ConnectionFilter?
        if let wanted = configuration.filter {
            filter = try ConnectionFilter(wanted, for: &client, in: namespace)
        }
        tracker = ConnectionTracker(
            expectsDestroy: hasMonitor,
            isTraced: isTraced,
            filter: filter,
            resolvesOwners: configuration.resolvesOwners,
            namespace: namespace
        )
        query = SocketQuery(family: configuration.family, extensions: filter?.extensions ?? [])
    }

    /// Readable while messages wait; -1 where none are heard.
    var descriptor: Int32 { monitor?.descriptor ?? -1 }

    /// How many messages about destroyed sockets were lost, also those that are not yet told.
    var lostCount: UInt64? { monitor?.lostCount }

    /// How many sockets are known.
    var socketCount: Int { tracker.count }

    /// Every known socket's cookie and state.
    func forEach(_ body: (SocketCookie, TCPState) -> Void) { tracker.forEach(body) }

    /// The first dump: sends the sockets that exist. What has ended meanwhile waits in ``events``.
    func begin(_ feed: TraceFeed? = nil, _ send: ([SocketEvent]) -> Void) throws(SockDiagError) {
        let time = EventTime.now()
        var existing: [TCPSocket] = []
        tracker.beginDump()
        // All before the first is told: who holds them is found in one pass.
        try schedule.reconciliation.take { () throws(SockDiagError) in
            try client.forEach(query) { record in
                if tracker.owners != nil || configuration.filter != nil || configuration.tellsExisting {
                    existing.append(TCPSocket(record))
                    tracker.owners?.note(record)
                } else {
                    tracker.observe(record, at: time) { _ in }
                }
            }
        }
        try tracker.owners?.resolve()
        var told: [SocketEvent] = []
        for socket in existing {
            guard tracker.observe(socket, at: time, emit: { _ in }), configuration.tellsExisting,
                configuration.states.contains(socket.state), tracker.isFound(socket.cookie)
            else { continue }
            let owners = configuration.resolvesOwners ? tracker.owners?[socket.cookie] ?? [] : []
            told.append(.socket(WatchedSocket(socket: socket, namespace: namespace, owners: owners)))
        }
        if !told.isEmpty { send(told) }
        // What ended meanwhile, and what the kernel was late to tell of.
        _ = try hear()
        tracker.trace?.shownUntil = EventTime.now().monotonicNanoseconds
        feed?.drain()
        tracker.endFirstDump()
    }

    /// Reads what the kernel tells of destroyed sockets; whether something was lost, so that a dump is due now.
    func hear() throws(SockDiagError) -> Bool {
        let time = EventTime.now()
        let isIncomplete = try monitor?.receive { record throws(SockDiagError) in
            guard configuration.family == nil || record.family == configuration.family else { return }
            configuration.tellsCounters?(record.identity, FinalCounters(record.tcpInfo))
            try tracker.destroyed(record, at: time, lookup: lookUp, emit: append)
        }
        guard isIncomplete == true else { return false }
        tracker.noteGap()
        let total = monitor?.lostCount
        let reason = "the kernel's messages came faster than they were read"
        events.append(
            .gap(Gap(source: .destroy, reason: reason, lost: total.map { $0 - lost }, namespace: namespace))
        )
        if let total { lost = total }
        return true
    }

    /// A dump, and what follows from it.
    func look() throws(SockDiagError) {
        let time = EventTime.now()
        tracker.beginDump()
        // Of these the filter can say nothing before it is known who holds them.
        var undecided: [TCPSocket] = []
        var isComplete = true
        do {
            try client.forEach(query) { record in
                guard tracker.isUndecided(record) else { return _ = tracker.observe(record, at: time, emit: append) }
                undecided.append(TCPSocket(record))
                tracker.owners?.note(record)
            }
        } catch  where error.code == .inconsistentDump {
            isComplete = false  // What it has shown is true; what it has not is no proof. The next one decides.
        }
        if !undecided.isEmpty {
            try tracker.owners?.resolve()
            for socket in undecided { tracker.observe(socket, at: time, emit: append) }
        }
        guard isComplete else { return }
        // Messages first: they tell more of an end than a missing row.
        _ = try hear()
        try tracker.endDump(at: time, lookup: lookUp, emit: append)
    }

    /// Finds out who holds the sockets that are new, for their later transitions: called when all that has happened is
    /// sent, and reads `/proc` for a fifth of the time at most, so that no transition waits long for it.
    func resolveOwners() {
        guard tracker.owners?.isDue == true else { return }
        let begin = EventTime.now().monotonicNanoseconds
        guard begin >= nextResolve else { return }
        // Where /proc is gone by now, later transitions have no owners.
        _ = try? tracker.owners?.resolve()
        let end = EventTime.now().monotonicNanoseconds
        nextResolve = end + 4 * (end - begin)
    }

    /// Whether the namespace is still there. Only its sockets here keep it alive otherwise, and nothing happens in it.
    func isInhabited() throws(SockDiagError) -> Bool {
        guard let known = namespace else { return true }
        namespace = try known.whereNow()
        if namespace == nil { tell(end: known, reason: "the network namespace \(known) has ended") }
        return namespace != nil
    }

    /// Nothing more will come of the lane.
    func tell(end namespace: NetworkNamespace?, reason: String) {
        events.append(.gap(Gap(source: .namespace, reason: reason, lost: nil, namespace: namespace)))
    }

    /// Sends what has happened.
    func flush(_ send: ([SocketEvent]) -> Void) {
        guard !events.isEmpty else { return }
        send(events)
        events.removeAll(keepingCapacity: events.count <= 4096)
    }

    func lookUp(_ identity: SocketIdentity) throws(SockDiagError) -> TCPSocket? {
        try client.socket(identity, extensions: query.extensions)
    }

    func append(_ transition: Transition) {
        let states = configuration.states
        guard
            states.contains(transition.to) || transition.from.map(states.contains) ?? false
                || transition.via.contains(where: states.contains)
        else { return }
        events.append(.transition(transition))
    }
}
