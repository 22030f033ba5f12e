internal import LinuxSystem
internal import SockDiag

/// The namespaces that are watched, one watcher each: those that were named, or all that there are as they come and go.
/// Belongs to one thread at a time.
struct WatchedNamespaces: ~Copyable {
    private(set) var watchers: [NamespaceWatcher] = []
    private var configuration: SocketWatcher.Configuration
    private let stream: WatchStream
    private var trace: TraceReader?
    private let walks = TableWalks()
    private var nextNumber: UInt32 = 0
    /// The namespace that is watched where none was named.
    private(set) var ownNamespace: NetworkNamespace?
    /// What was done for namespaces that have ended.
    private(set) var endedCounts: (dumps: UInt64, lookups: UInt64) = (0, 0)
    /// Those that could not be watched, as long as they are listed: their numbers are used again.
    private var refused: [NetworkNamespace.ID: Refusal] = [:]
    /// When it is looked next who has come and gone, monotonic nanoseconds.
    private(set) var nextCheck: UInt64 = 0

    private static let period: UInt64 = 1_000_000_000

    /// That a namespace could not be watched.
    private struct Refusal {
        /// When it is tried again, monotonic nanoseconds; the end of time where only another privilege would help.
        var next: UInt64
        private var pause: UInt64 = WatchedNamespaces.period

        init(_ error: KernelError, at now: UInt64) {
            let isFinal = error.code == .permissionDenied || error.code == .missingCapability
            next = isFinal ? .max : now &+ pause
        }

        /// It has failed once more.
        mutating func failAgain(at now: UInt64) {
            pause = min(2 * pause, 60_000_000_000)
            next = now &+ pause
        }
    }

    /// A watcher for each namespace. One that has ended since it was listed is reported, unless it was the only one.
    ///
    /// - Throws: ``/SockDiag/KernelError``.
    init(
        _ configuration: SocketWatcher.Configuration,
        trace: TraceReader?,
        stream: WatchStream
    ) throws(KernelError) {
        (self.configuration, self.trace, self.stream) = (configuration, trace, stream)
        var namespaces = configuration.namespaces
        if configuration.followsAllNamespaces { namespaces += try NetworkNamespace.all() }
        if namespaces.isEmpty {
            ownNamespace = try? NetworkNamespace.current
            watchers.append(try make(nil))
            return
        }
        var known: Set<NetworkNamespace.ID> = []
        var failures: [(namespace: NetworkNamespace, error: KernelError)] = []
        for namespace in namespaces where known.insert(namespace.id).inserted {
            do throws(KernelError) {
                watchers.append(try make(namespace))
            } catch {
                guard configuration.followsAllNamespaces || error.code == .notFound && namespaces.count > 1 else {
                    throw error
                }
                refused[namespace.id] = Refusal(error, at: EventTime.now().monotonicNanoseconds)
                failures.append((namespace, error))
            }
        }
        if watchers.isEmpty, let first = failures.first { throw first.error }
        for failure in failures where refused[failure.namespace.id]?.next != .max {
            report(failure.namespace, failure.error)
        }
    }

    private mutating func make(_ namespace: NetworkNamespace?) throws(KernelError) -> NamespaceWatcher {
        let watcher = try NamespaceWatcher(
            configuration,
            nextNumber,
            in: namespace,
            trace: trace,
            walks: walks,
            stream: stream
        )
        stream.delivery.expectSockets(of: nextNumber)
        nextNumber += 1
        return watcher
    }

    private func report(_ namespace: NetworkNamespace, _ error: KernelError) {
        let gap = Gap(source: .namespace, reason: error.description, lost: nil, namespace: namespace)
        let complete = stream.delivery.complete(gap, of: namespace, at: .now())
        stream.note(.gap(watcher: nil, complete))
        stream.append(.gap(complete))
    }

    /// Makes the first dump of each that has none. One that fails is let go, unless it is the last.
    ///
    /// - Parameters:
    ///   - limit: When to stop, monotonic nanoseconds; the next call goes on.
    ///   - drain: Reads what is reported meanwhile.
    /// - Returns: Whether each has been made.
    /// - Throws: ``/SockDiag/KernelError``: nothing can be seen.
    mutating func begin(until limit: UInt64, _ drain: () -> Void) throws(KernelError) -> Bool {
        for watcher in watchers where !watcher.hasBegun {
            do throws(KernelError) {
                guard try watcher.begin(until: limit, drain) else { return false }
                if let id = watcher.namespace?.id { refused[id] = nil }
            } catch {
                guard watchers.count > 1 else { throw error }
                end(watcher, error.description)
                guard let namespace = watcher.namespace else { continue }
                refuse(namespace, error, at: EventTime.now().monotonicNanoseconds, isReported: true)
            }
        }
        return true
    }

    /// Lets go of the namespaces that have ended, and finds those that are new.
    mutating func update(at now: UInt64) {
        guard nextCheck <= now else { return }
        for watcher in watchers where !watcher.isInhabited() {
            end(watcher, "the network namespace \(watcher.namespace.map(\.description) ?? "") has ended")
        }
        let start = SystemClock.threadProcessorTime.nanoseconds
        // Without /proc nothing new is found.
        let all = configuration.followsAllNamespaces ? try? NetworkNamespace.all() : nil
        // Where that takes long, as with many processes, it is seldom done. It is the work that counts, not the time: on a
        // busy machine that is others' too, and so it would be found the later, the more there is to see.
        let cost = SystemClock.threadProcessorTime.nanoseconds &- start
        if let all { addNew(all) }
        nextCheck = EventTime.now().monotonicNanoseconds + max(Self.period, 50 * cost)
    }

    private mutating func addNew(_ all: NetworkNamespace.Listing) {
        let known = Set(watchers.compactMap { $0.namespace?.id ?? ownNamespace?.id })
        if !refused.isEmpty {
            let listed = Set(all.map(\.id))
            refused = refused.filter { listed.contains($0.key) }
        }
        for namespace in all where !known.contains(namespace.id) {
            let now = EventTime.now().monotonicNanoseconds
            if let refusal = refused[namespace.id], now < refusal.next { continue }
            do throws(KernelError) {
                watchers.append(try make(namespace))
                trace?.serve(watchers)
            } catch {
                refuse(namespace, error, at: now, isReported: false)
            }
        }
    }

    // MARK: Steering

    /// Watches one more, unless it is watched; it is dumped next.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where it cannot be entered.
    mutating func add(_ namespace: NetworkNamespace, _ changed: SocketWatcher.Configuration) throws(KernelError) {
        if !watchers.contains(where: { isWatcher($0, of: namespace) }) {
            watchers.append(try make(namespace))
            trace?.serve(watchers)
        }
        configuration = changed
    }

    /// Lets go of one, and reports that nothing more comes of it.
    mutating func remove(_ namespace: NetworkNamespace, _ changed: SocketWatcher.Configuration) {
        configuration = changed
        guard let watcher = watchers.first(where: { isWatcher($0, of: namespace) }) else { return }
        end(watcher, "\(namespace) is watched no more")
    }

    private func isWatcher(_ watcher: NamespaceWatcher, of namespace: NetworkNamespace) -> Bool {
        (watcher.namespace?.id ?? ownNamespace?.id) == namespace.id
    }

    /// Uses another configuration from now on, whose filter was made ready for each.
    mutating func use(_ changed: SocketWatcher.Configuration, _ filters: [WatchFilter?]) {
        configuration = changed
        for (watcher, filter) in zip(watchers, filters) { watcher.use(filter, changed) }
    }

    /// Reads the records of another reader from now on.
    mutating func use(_ trace: TraceReader?) {
        self.trace = trace
        trace?.serve(watchers)
    }

    /// Dumps at another interval from now on.
    mutating func use(interval: Duration) {
        configuration.interval = interval
        for watcher in watchers { watcher.use(interval: interval) }
    }

    /// Finds those that are new with the next ``update(at:)``, or does not any more.
    mutating func follow(_ changed: SocketWatcher.Configuration) {
        configuration = changed
        nextCheck = 0
    }

    /// A namespace cannot be watched now. That is reported once, but for one that has ended meanwhile or that may not be entered.
    private mutating func refuse(_ namespace: NetworkNamespace, _ error: KernelError, at now: UInt64, isReported: Bool)
    {
        if refused[namespace.id] != nil {
            refused[namespace.id]?.failAgain(at: now)
            return
        }
        let refusal = Refusal(error, at: now)
        refused[namespace.id] = refusal
        if !isReported, refusal.next != .max, error.code != .notFound { report(namespace, error) }
    }

    private mutating func end(_ watcher: NamespaceWatcher, _ reason: String) {
        watcher.end(reason)
        endedCounts.dumps &+= watcher.dumpCount
        endedCounts.lookups &+= watcher.lookupCount
        watchers.removeAll { $0 === watcher }
        trace?.serve(watchers)
    }
}
