internal import ConnectionTracking
internal import KernelTrace
internal import LinuxLibC
internal import SockDiag

/// What watches: turns bytes into inputs, and carries out what the trackers want. Who drives it waits for its descriptors
/// and its deadline: the watcher's thread, or the caller's loop. Belongs to one thread at a time.
///
/// The ring comes first: between any two other things, none of which takes long, it is read.
final class WatchEngine {
    private(set) var configuration: SocketWatcher.Configuration
    /// Why there is no trace, where one was wanted.
    let refusal: KernelError?
    private var namespaces: WatchedNamespaces
    private var trace: TraceReader?
    private let stream: WatchStream
    private var hasBegun = false
    private var nextMissed: UInt64 = 0
    private var pace = ReportPace()
    /// What waits for all that has happened to be known; called with nil where it never will be.
    private var visits: [(WatchEngine?) -> Void] = []
    /// Called with what it has done, before the events of that are sent.
    var reportsMetrics: ((SocketWatcher.Metrics) -> Void)?

    /// From one reading of what the kernel passed over to the next, nanoseconds.
    private static let missedPeriod: UInt64 = 1_000_000_000
    /// How long what has happened until the watcher is stopped is read at most, nanoseconds: where the kernel's worker has to
    /// wait for a processor.
    private static let lastTimeLimit: UInt64 = 1_000_000_000
    /// So long no message has come when the kernel's workers on all processors have sent theirs, milliseconds.
    private static let quiet: Int32 = 25

    /// - Parameters:
    ///   - configuration: What is watched.
    ///   - send: Where events go, and whether a bound holds for them.
    /// - Throws: ``/SockDiag/KernelError``.
    init(
        _ configuration: SocketWatcher.Configuration,
        send: @escaping ([SocketEvent], _ isBounded: Bool) -> Void
    ) throws(KernelError) {
        self.configuration = configuration
        // Attached before the first dump: what happens meanwhile waits in the ring.
        let trace: TraceReader?
        (trace, refusal) = try TraceReader.make(configuration)
        self.trace = trace
        let (isTracing, refusal) = (trace != nil, refusal)
        let header = configuration.journal.map {
            JournalHeader(configuration, version: $0.version, isTracing: isTracing, refusal: refusal)
        }
        stream = try WatchStream(configuration, header: header, send: send)
        namespaces = try WatchedNamespaces(configuration, trace: trace, stream: stream)
        trace?.serve(namespaces.watchers)
    }

    /// Whether the kernel reports the transitions.
    var isTracing: Bool { trace != nil }

    /// Whether nothing is left to be watched.
    var isOver: Bool { namespaces.watchers.isEmpty }

    /// Readable while there is something to be read.
    var descriptors: [Int32] {
        (trace.map { [$0.descriptor] } ?? []) + namespaces.watchers.map(\.descriptor).filter { $0 >= 0 }
    }

    /// When there is something to be done, monotonic nanoseconds.
    var deadline: UInt64 {
        guard hasBegun else { return 0 }
        let next = namespaces.watchers.map(\.nextTurn).min() ?? 0
        return min(next, namespaces.nextCheck, trace == nil ? .max : nextMissed)
    }

    /// Whether reports come so fast that they are better read in groups.
    var isStorm: Bool { pace.isStorm }

    /// Does what there is to be done, each thing once; what is longer, as a dump, until `limit`, monotonic nanoseconds.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where nothing can be seen.
    func turn(until limit: UInt64 = .max) throws(KernelError) {
        for watcher in namespaces.watchers where watcher.isReporting && watcher.hasBegun {
            guard watcher.report(until: limit) else { return flush() }
        }
        let drain = { [trace] in if let trace { trace.drain() } }
        if !namespaces.watchers.contains(where: \.isReporting) { drain() }
        guard try namespaces.begin(until: limit, drain) else { return flush(isBounded: false) }
        if !hasBegun {
            hasBegun = true
            flush(isBounded: false)
        }
        let now = EventTime.now().monotonicNanoseconds
        if let trace, nextMissed <= now {
            trace.noteMissed()
            nextMissed = now + Self.missedPeriod
        }
        for watcher in namespaces.watchers {
            watcher.receive()
            if !watcher.isDumping { watcher.lookUp(drain) }
            if watcher.dumpIfDue(until: limit, drain) { flush(isBounded: false) }
        }
        namespaces.update(at: now)
        flush()
        receiveVisits()
        for watcher in namespaces.watchers { watcher.resolveOwners() }
        pace.note(reportCount, at: EventTime.now().monotonicNanoseconds)
    }

    private var reportCount: UInt64 {
        namespaces.watchers.reduce(trace?.count ?? 0) { $0 &+ $1.messageCount }
    }

    /// Reads what the kernel has reported until now: it may have happened just before the watcher was stopped. What a message
    /// about a destroyed socket leaves open is asked, and what waits for a RST waits no longer.
    func conclude() {
        let watchers = namespaces.watchers
        let drain = { [trace] in if let trace { trace.drain() } }
        let end = EventTime.now().monotonicNanoseconds &+ Self.lastTimeLimit
        var count: UInt64?
        for watcher in watchers { watcher.markMessages() }
        repeat {
            let before = count
            drain()
            for watcher in watchers where !watcher.isDumping {
                watcher.receive()
                watcher.lookUp(drain)
            }
            count = watchers.reduce(0) { $0 &+ $1.messageCount }
            let hasLookups = watchers.contains { $0.hasLookups && !$0.isDumping }
            if count == before, !hasLookups, !hasMessages(watchers), watchers.allSatisfy({ $0.mark == nil }) { break }
        } while EventTime.now().monotonicNanoseconds < end
        drain()
        for watcher in watchers { watcher.takeWaiting() }
        flush()
    }

    private func flush(isBounded: Bool = true) {
        reportsMetrics?(metrics)
        stream.flush(isBounded: isBounded)
    }

    /// Whether a message about a destroyed socket comes within a moment: a worker of the kernel's sends them, and may have to wait.
    private func hasMessages(_ watchers: [NamespaceWatcher]) -> Bool {
        var waited = watchers.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        guard waited.contains(where: { $0.fd >= 0 }) else { return false }
        return poll(&waited, nfds_t(waited.count), Self.quiet) > 0
    }

    /// Nothing follows.
    func finish() {
        stream.finish()
        for visit in visits { visit(nil) }
    }

    /// What it has done so far.
    var metrics: SocketWatcher.Metrics {
        let watchers = namespaces.watchers
        var metrics = stream.metrics
        metrics.sockets = watchers.reduce(0) { $0 + $1.tracker.count }
        metrics.namespaces = watchers.count
        metrics.dumps = watchers.reduce(namespaces.endedCounts.dumps) { $0 &+ $1.dumpCount }
        metrics.lookups = watchers.reduce(namespaces.endedCounts.lookups) { $0 &+ $1.lookupCount }
        metrics.ringFill = trace?.highestFill
        let all = watchers.lazy.map(\.schedule.all.period).max() ?? 0
        let requests = watchers.lazy.map(\.schedule.frequent.period).max() ?? 0
        metrics.dumpPeriod = .nanoseconds(Int64(clamping: all))
        metrics.frequentDumpPeriod = .nanoseconds(Int64(clamping: requests))
        return metrics
    }

    /// Calls `visit` once all is known that has happened until now, and is sent: tracepoints' reports are read, and without them
    /// there is a poll.
    func whenKnown(_ visit: @escaping (WatchEngine?) -> Void) {
        visits.append(visit)
        if trace == nil { for watcher in namespaces.watchers { watcher.poll() } }
    }

    private func receiveVisits() {
        guard !visits.isEmpty, trace != nil || !namespaces.watchers.contains(where: \.isPolling) else { return }
        var waiting: [(WatchEngine?) -> Void] = []
        swap(&waiting, &visits)
        for visit in waiting { visit(self) }
    }

    /// Every socket that is known, namespace by namespace: nil where none was named.
    func forEachKnown(in namespace: (NetworkNamespace?) -> Void, _ body: (KnownSocket) -> Void) {
        for watcher in namespaces.watchers {
            namespace(watcher.namespace)
            watcher.tracker.forEachKnown(body)
        }
    }

    // MARK: Steering

    /// Reports the state anew, after a dump.
    func resynchronize() {
        for watcher in namespaces.watchers { watcher.resynchronize() }
    }

    /// Uses another filter from now on, or none.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where it cannot be used; nothing has changed then.
    func use(filter: SocketFilter?) throws(KernelError) {
        var changed = configuration
        changed.filter = filter
        var filters: [WatchFilter?] = []
        for watcher in namespaces.watchers { filters.append(try watcher.prepare(filter)) }
        exchange(try replacement(for: changed))
        configuration = changed
        namespaces.use(changed, filters)
    }

    /// Dumps at another interval from now on.
    func use(interval: Duration) {
        configuration.interval = interval
        namespaces.use(interval: interval)
    }

    /// Watches one more namespace.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where it cannot be entered; nothing has changed then.
    func add(_ namespace: NetworkNamespace) throws(KernelError) {
        var changed = configuration
        // Beside those that are named, the one that is watched where none is.
        if changed.namespaces.isEmpty, !changed.followsAllNamespaces, let own = namespaces.ownNamespace {
            changed.namespaces.append(own)
        }
        changed.namespaces.append(namespace)
        let replacement = try replacement(for: changed)
        try namespaces.add(namespace, changed)
        configuration = changed
        exchange(replacement)
    }

    /// Watches a namespace no more; with the last one it is over.
    func remove(_ namespace: NetworkNamespace) {
        configuration.namespaces.removeAll { $0.id == namespace.id }
        namespaces.remove(namespace, configuration)
    }

    /// Watches the namespaces that come from now on, or does not any more.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where tracing all of them is refused; nothing has changed then.
    func follow(_ follows: Bool) throws(KernelError) {
        var changed = configuration
        changed.followsAllNamespaces = follows
        let replacement = follows ? try replacement(for: changed) : nil
        configuration = changed
        namespaces.follow(changed)
        exchange(replacement)
    }

    /// A reader for another configuration, where the kernel's programs do not do; nil where they do.
    private func replacement(for changed: SocketWatcher.Configuration) throws(KernelError) -> TraceReader? {
        guard let trace else { return nil }
        let filter = try TraceReader.filter(changed)
        guard filter != trace.filter else { return nil }
        return try TraceReader(filter, ringSize: configuration.traceBufferSize, after: trace)
    }

    private func exchange(_ replacement: TraceReader?) {
        guard let replacement else { return }
        trace?.end(before: replacement)
        trace = replacement
        namespaces.use(replacement)
    }
}

/// How fast reports come, by which it is decided how they are waited for.
struct ReportPace {
    /// In a storm reports are read in groups, from one moment to the next, nanoseconds: a wake-up for each would cost more than
    /// to read it.
    static let pause: UInt64 = 4_000_000
    /// So many in a ``pause`` are a storm.
    private static let limit: UInt64 = 16

    private(set) var isStorm = false
    private var count: UInt64 = 0
    private var since: UInt64 = 0

    /// So many have been read until now, monotonic nanoseconds.
    mutating func note(_ total: UInt64, at now: UInt64) {
        let elapsed = now &- since
        guard elapsed >= Self.pause else { return }
        isStorm = Double(total &- count) * Double(Self.pause) >= Double(Self.limit) * Double(elapsed)
        (count, since) = (total, now)
    }
}
