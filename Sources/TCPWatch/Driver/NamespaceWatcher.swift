internal import ConnectionTracking
internal import KernelTrace
internal import LinuxSystem
internal import SockDiag
internal import SocketOwners

/// Carries a tracker's questions to the kernel, and the kernel's answers to the tracker, for one network namespace. Belongs to
/// one thread at a time, and decides nothing about connections.
final class NamespaceWatcher {
    typealias Tracker = ConnectionTracking.ConnectionTracker

    /// The number of the namespace among those of the watcher.
    let number: UInt32
    /// The inode of the namespace, by which tracepoints name it.
    let inode: UInt32
    /// What it is called, to the end; nil where none was named.
    let namespace: NetworkNamespace?
    /// Where it was found last: its name may be gone before it is.
    private var place: NetworkNamespace?
    private let configuration: SocketWatcher.Configuration
    private let stream: WatchStream
    private var client: SockDiagClient
    private var monitor: DestroyMonitor?
    private var lost = CounterDelta()
    private(set) var tracker: Tracker
    private var filter: WatchFilter?
    private var owners: OwnerMemory?
    /// Before this moment `/proc` is not read again, monotonic nanoseconds.
    private var nextOwnerScan: UInt64 = 0
    private(set) var schedule: DumpSchedule
    private var outputs: [Output] = []
    /// Questions that the kernel has not been asked yet, from ``nextLookup`` on.
    private var lookups: [Lookup] = []
    private var nextLookup = 0
    /// The kernel's messages about what exists, until it is reported.
    private var existing = ExistingSockets()
    private var keepsExisting: Bool
    private var isResynchronizing = false
    /// How many messages about destroyed sockets have been read so far.
    private(set) var messageCount: UInt64 = 0

    /// So many lookups are made, or messages read, before the ring is read again.
    private static let batch = 256
    /// Nothing takes longer before the ring is read again, nanoseconds.
    private static let timeLimit: UInt64 = 5_000_000

    /// A watcher of a namespace, or of the calling thread's.
    ///
    /// - Throws: ``/SockDiag/KernelError``.
    init(
        _ configuration: SocketWatcher.Configuration,
        _ number: UInt32 = 0,
        in namespace: NetworkNamespace? = nil,
        trace: TraceReader? = nil,
        stream: WatchStream
    ) throws(KernelError) {
        (self.configuration, self.number, self.namespace, self.stream) = (configuration, number, namespace, stream)
        place = namespace
        schedule = DumpSchedule(configuration, isTraced: trace != nil)
        if trace != nil {
            let here = if let namespace { namespace } else { try NetworkNamespace.current }
            inode = UInt32(truncatingIfNeeded: here.inode)
        } else {
            inode = 0
        }
        if let namespace { client = try SockDiagClient(in: namespace) } else { client = try SockDiagClient() }
        // Before the first dump: what ends meanwhile is queued, and reported after it.
        let hasMonitor = configuration.usesDestroyEvents && trace == nil
        if hasMonitor {
            let size = configuration.receiveBufferSize
            let open = { @Sendable () throws(KernelError) in try DestroyMonitor(receiveBufferSize: size) }
            if let namespace { monitor = try namespace.run(open) } else { monitor = try open() }
        }
        if let wanted = configuration.filter {
            filter = try WatchFilter(wanted, for: &client, in: namespace)
        }
        if configuration.resolvesOwners || filter?.asksOwners == true { owners = OwnerMemory() }
        keepsExisting = configuration.reportsExisting
        var tracking = Tracker.Configuration()
        tracking.reportsTransitions = trace != nil
        tracking.reportsDestroyed = hasMonitor
        tracking.reportsRefusals = trace?.reportsRefusals ?? false
        tracking.resetReasons = trace?.resetReasons ?? [:]
        tracking.reportsExisting = configuration.reportsExisting
        tracking.needsInodes = owners != nil
        tracking.interval = max(configuration.interval.nanoseconds, 1_000_000)
        tracker = Tracker(tracking)
        stream.note(.namespace(watcher: number, namespace, tracking))
    }

    /// Readable while messages wait; -1 where none are received.
    var descriptor: Int32 { monitor?.descriptor ?? -1 }

    /// How many messages about destroyed sockets were lost, also those that are not yet reported.
    var lostCount: UInt64? { monitor?.lostCount }

    /// When there is something to be done, monotonic nanoseconds.
    var nextTurn: UInt64 {
        hasLookups ? 0 : min(tracker.wakeTime, schedule.due)
    }

    /// Whether there is something to be asked.
    var hasLookups: Bool { nextLookup < lookups.count }

    // MARK: Inputs

    /// Hands something that was learned to the tracker, and does what follows at once; questions wait for ``lookUp(_:)``.
    func take(_ fact: Input.Fact, at time: EventTime) {
        let input = Input(fact, at: time)
        stream.note(input, of: number)
        take(input, at: time)
    }

    /// Hands rows of a dump to the tracker.
    private func take(_ rows: [SocketRow], at time: EventTime) {
        stream.note(rows, at: time, of: number)
        tracker.take(rows, at: time, into: &outputs)
        carryOut(at: time)
    }

    private func take(_ input: Input, at time: EventTime) {
        tracker.take(input, into: &outputs)
        carryOut(at: time)
    }

    private func carryOut(at time: EventTime) {
        guard !outputs.isEmpty else { return }
        for output in outputs { carryOut(output, at: time) }
        outputs.removeAll(keepingCapacity: outputs.count <= 4096)
    }

    /// A record of a tracepoint.
    func take(_ record: borrowing TraceRecord, at time: EventTime) {
        take(Input.Fact(record) { name, uid in mask(name, uid) }, at: time)
    }

    private func carryOut(_ output: Output, at time: EventTime) {
        switch output {
        case .lookUp(let lookup): lookups.append(lookup)
        case .dump(let scope): schedule.want(scope)
        default:
            let event = stream.delivery.event(
                for: output,
                of: number,
                in: namespace,
                at: time,
                owners: { cookie in owners?[cookie] ?? [] },
                sockets: existing
            )
            if case .ready = output { existing.removeAll() }
            if let event { stream.append(event) }
            if owners != nil, case .transition(let transition) = output, transition.to == .closed {
                owners?.forget(transition.identity.cookie)
            }
        }
    }

    // MARK: Messages

    /// Reads the kernel's messages about destroyed sockets.
    func receive() {
        do throws(KernelError) {
            let time = EventTime.now()
            let isIncomplete = try monitor?.receive(atMost: Self.batch) { record throws(KernelError) in
                messageCount &+= 1
                guard configuration.family == nil || record.family == configuration.family else { return }
                configuration.reportsCounters?(record.identity, FinalCounters(record.tcpInfo))
                take(.destroyed(DestroyedSocket(record, verdict(onEnd: record))), at: time)
            }
            guard isIncomplete == true else { return }
            let count = monitor?.lostCount.map { lost.advance(to: $0) }
            take(.lost(Loss(.destroy, .overrun, count: count)), at: .now())
        } catch {
            // What one that cannot be read would have said, a dump shows.
            take(.lost(Loss(.destroy, .overrun, count: nil)), at: .now())
        }
    }

    // MARK: Dumps

    /// The first dump: what exists.
    ///
    /// - Throws: ``/SockDiag/KernelError``: nothing can be seen.
    func begin(_ drain: () -> Void = {}) throws(KernelError) {
        if let failure = dump(.all, drain) { throw failure }
        existing.removeAll()
        keepsExisting = false
        drain()
        receive()
    }

    /// The dump that is due, if any; whether it has reported the state anew.
    func dumpIfDue(_ drain: () -> Void) -> Bool {
        guard let scope = schedule.next(at: EventTime.now().monotonicNanoseconds) else { return false }
        if let failure = dump(scope, drain) {
            let gap = Gap(source: .poll, reason: failure.description, lost: nil)
            let complete = stream.delivery.complete(gap, of: namespace, at: .now())
            stream.note(.gap(watcher: number, complete))
            stream.append(.gap(complete))
        }
        guard isResynchronizing, scope == .all else { return false }
        isResynchronizing = false
        keepsExisting = false
        stream.flush()
        take(.resynchronize, at: .now())
        return true
    }

    /// A dump. What is reported meanwhile is read between two of its datagrams by `drain`.
    ///
    /// - Returns: why it could not be made.
    @discardableResult
    func dump(_ scope: DumpScope, _ drain: () -> Void = {}) -> KernelError? {
        drain()
        let start = SystemClock.threadProcessorTime.nanoseconds
        let time = EventTime.now()
        take(.dumpBegan(scope), at: time)
        let query = SocketQuery(
            family: configuration.family,
            states: scope.states,
            extensions: filter?.extensions ?? []
        )
        // Of these the filter can say nothing before it is known who holds them.
        var undecided: [InetSocket] = []
        // Those of one datagram.
        var rows: [SocketRow] = []
        func takeRows() {
            take(rows, at: time)
            rows.removeAll(keepingCapacity: true)
        }
        var failure: KernelError?
        do throws(KernelError) {
            let betweenReplies = {
                takeRows()
                drain()
            }
            try client.forEach(query, betweenReplies: betweenReplies) { record in
                note(record)
                if filter?.asksOwners == true, record.inode != nil, owners?.knows(record.cookie) != true {
                    undecided.append(InetSocket(record))
                } else {
                    rows.append(SocketRow(record, matching: mask(record)))
                }
            }
        } catch {
            failure = error
        }
        takeRows()
        if !undecided.isEmpty || keepsExisting { findOwners() }
        take(undecided.map { SocketRow($0, matching: mask($0)) }, at: time)
        drain()
        take(.dumpEnded(isComplete: failure == nil), at: .now())
        let now = EventTime.now()
        let work = DumpSchedule.Work(
            cost: SystemClock.threadProcessorTime.nanoseconds &- start,
            duration: now.monotonicNanoseconds &- time.monotonicNanoseconds
        )
        let isInconsistent = failure?.code == .inconsistentDump
        let failed = failure != nil && !isInconsistent
        if let slower = schedule.noteDump(scope, work, at: now.monotonicNanoseconds, failed: failed) {
            stream.note(.slowed(slower, at: now))
            stream.append(.slowed(slower, at: now))
        }
        return isInconsistent ? nil : failure
    }

    private func note(_ record: borrowing SocketRecord) {
        owners?.note(record)
        guard keepsExisting else { return }
        let socket = InetSocket(record)
        existing.note(socket)
        stream.note(.message(watcher: number, socket.withMessage { $0.array() }))
    }

    /// The state is to be reported anew, after a dump.
    func resynchronize() {
        stream.delivery.expectSockets(of: number, anew: true)
        stream.note(.socketsExpected(watcher: number))
        isResynchronizing = true
        keepsExisting = true
        schedule.want(.all)
    }

    // MARK: Lookups

    /// Asks what waits to be asked, for a while; then reads what was reported meanwhile, and hands over the answers.
    func lookUp(_ drain: () -> Void) {
        let now = EventTime.now()
        if tracker.wakeTime <= now.monotonicNanoseconds {
            // What was reported until now may be what is waited for.
            drain()
            take(.wake, at: now)
        }
        guard nextLookup < lookups.count else { return }
        var answers: [LookupAnswer] = []
        let start = EventTime.now().monotonicNanoseconds
        var time = start
        while nextLookup < lookups.count, answers.count < Self.batch, time - start < Self.timeLimit {
            let lookup = lookups[nextLookup]
            nextLookup += 1
            answers.append(LookupAnswer(lookup, askedAt: time, answer(lookup)))
            time = EventTime.now().monotonicNanoseconds
        }
        if nextLookup == lookups.count {
            lookups.removeAll(keepingCapacity: lookups.count <= 4096)
            nextLookup = 0
        }
        drain()
        for answer in answers { take(.answer(answer), at: .now()) }
    }

    private func answer(_ lookup: Lookup) -> LookupAnswer.Result {
        do throws(KernelError) {
            let found = try client.socket(lookup.name.identity, extensions: filter?.extensions ?? [])
            guard let found else { return .gone }
            owners?.note(found)
            return .found(SocketRow(found, matching: mask(found)))
        } catch {
            return .failed
        }
    }

    // MARK: Filter and owners

    private func mask(_ record: borrowing some SocketFields & ~Escapable) -> StateMask {
        guard let filter else { return .all }
        return filter.mask(record, owners: filter.asksOwners ? owners?[record.cookie] ?? [] : [])
    }

    private func mask(_ name: SocketName, _ uid: UInt32) -> StateMask {
        guard let filter else { return .all }
        // In the kernel's message a uid of 0 is root's only where there is an inode, which tracepoints do not report.
        let socket = InetSocket(name.identity, state: .established, uid: uid, inode: uid == 0 ? .max : nil)
        return filter.mask(socket, owners: filter.asksOwners ? owners?[name.cookie] ?? [] : [])
    }

    private func verdict(onEnd record: borrowing some SocketFields & ~Escapable) -> FilterVerdict {
        guard let filter else { return .finds }
        let cookie = record.cookie
        return filter.verdict(onEnd: record, owners: owners.flatMap { $0.knows(cookie) ? $0[cookie] : nil })
    }

    /// Finds out who holds the sockets that are new, for their later transitions: called when all that has happened is
    /// sent, and reads `/proc` for a fifth of the time at most, so that no transition waits long for it.
    func resolveOwners() {
        guard owners?.isDue == true else { return }
        let begin = EventTime.now().monotonicNanoseconds
        guard begin >= nextOwnerScan else { return }
        findOwners()
        let end = EventTime.now().monotonicNanoseconds
        nextOwnerScan = end + 4 * (end - begin)
    }

    /// One pass over `/proc` for all that is new. Where that is gone by now, later transitions have no owners.
    private func findOwners() {
        guard (try? owners?.resolve()) != nil, let owners else { return }
        for cookie in owners.latest { stream.note(.owners(watcher: number, cookie, owners[cookie])) }
    }

    // MARK: The namespace

    /// Whether the namespace is still there. Only its sockets here keep it alive otherwise, and nothing happens in it.
    func isInhabited() -> Bool {
        guard let known = place else { return true }
        // One that cannot be looked for now is looked for again.
        guard let found = try? Optional(known.whereNow()) else { return true }
        place = found ?? known
        return found != nil
    }

    /// What waits for a RST waits no longer: all that was reported has been read.
    func takeWaiting() {
        let now = EventTime.now()
        take(.wake, at: now.at(now.monotonicNanoseconds + 1_000_000_000))
    }

    /// Nothing more will come of it, for this reason.
    func end(_ reason: String) {
        takeWaiting()
        let gap = stream.delivery.complete(
            Gap(source: .namespace, reason: reason, lost: nil),
            of: namespace,
            at: .now()
        )
        stream.note(.gap(watcher: number, gap))
        stream.append(.gap(gap))
        stream.note(.namespaceEnded(watcher: number))
        if let ready = stream.delivery.end(number) { stream.append(ready) }
    }
}
