internal import LinuxSystem
public import SockDiag

/// Watches as a ``SocketWatcher`` does, without a thread: an event loop of your own drives it.
///
/// ```swift
/// let watcher = try EmbeddedSocketWatcher()
/// // Add watcher.descriptor to epoll(7), kqueue-like selectors or poll(2); whenever it is readable:
/// try watcher.drain { event in print(event) }
/// ```
///
/// It belongs to one thread at a time. Nothing happens between two calls: what the kernel reports meanwhile waits in its
/// buffers, and what these cannot hold is reported as a gap.
public final class EmbeddedSocketWatcher {
    private let engine: WatchEngine
    private let queue: Queue
    private var waited: WaitSet
    private var processorTime: UInt64 = 0

    /// How long a call of ``drain(_:)`` takes, nanoseconds.
    private static let limit: UInt64 = 5_000_000

    /// What has happened and is not delivered.
    private final class Queue {
        var events: ArraySlice<SocketEvent> = []
    }

    /// Begins to watch: the first call of ``drain(_:)`` reads what exists.
    ///
    /// - Throws: ``/SockDiag/KernelError``, as ``SocketWatcher/init(_:)`` does.
    public init(_ configuration: SocketWatcher.Configuration = SocketWatcher.Configuration()) throws(KernelError) {
        let queue = Queue()
        self.queue = queue
        engine = try WatchEngine(configuration) { events, _ in queue.events += events }
        waited = try WaitSet()
        register()
    }

    deinit { engine.finish() }

    /// Readable when ``drain(_:)`` has something to do. It stays the same, and is closed with the watcher.
    public var descriptor: Int32 { waited.descriptor }

    /// Reads what the kernel has reported, makes the dumps and lookups that are due, and calls `body` with the events, for about
    /// 5 ms; what is left to be done leaves ``descriptor`` readable.
    ///
    /// A dump is read in parts, and what it has shown is reported in parts. Not divided are the end of a dump, when it is
    /// compared with what is known, and the growth of the tables: 0.1 to 0.2 µs a socket, so that a single call takes longer
    /// than 5 ms where there are more than some 25,000. With owners, neither is a pass over `/proc`.
    ///
    /// - Returns: Whether there may be more to come; false at the end, when the last namespace is gone.
    /// - Throws: ``/SockDiag/KernelError`` where watching cannot go on.
    @discardableResult
    public func drain(_ body: (SocketEvent) -> Void) throws(KernelError) -> Bool {
        let start = SystemClock.threadProcessorTime.nanoseconds
        defer {
            processorTime &+= SystemClock.threadProcessorTime.nanoseconds &- start
            register()
        }
        let end = SystemClock.monotonic.nanoseconds &+ Self.limit
        guard deliver(until: end, body) else { return true }
        guard !engine.isOver else { return false }
        var time: UInt64
        repeat {
            try engine.turn(until: end)
            guard deliver(until: end, body) else { return true }
            time = SystemClock.monotonic.nanoseconds
        } while !engine.isOver && engine.deadline <= time && time < end
        return !engine.isOver
    }

    /// Delivers what waits; whether all of it.
    private func deliver(until end: UInt64, _ body: (SocketEvent) -> Void) -> Bool {
        var count = 0
        while let event = queue.events.popFirst() {
            body(event)
            count += 1
            if count % 64 == 0, SystemClock.monotonic.nanoseconds >= end { break }
        }
        return queue.events.isEmpty
    }

    /// Waits for what there is to wait for now.
    private func register() {
        let isIdle = queue.events.isEmpty && (engine.isOver || engine.deadline == .max)
        waited.wait(for: engine.descriptors, until: isIdle ? nil : queue.events.isEmpty ? engine.deadline : 0)
    }

    // MARK: What a SocketWatcher has too

    /// Why the kernel is not traced; nil where it is, and where that was not asked for.
    public var traceRefusal: KernelError? { engine.refusal }

    /// Whether the kernel reports the transitions.
    public var isTracing: Bool { engine.isTracing }

    /// What it has done since it began, and how it stands.
    public var metrics: SocketWatcher.Metrics {
        var metrics = engine.metrics
        metrics.processorTime = .nanoseconds(Int64(clamping: processorTime))
        metrics.waiting = queue.events.count
        return metrics
    }

    /// Reports the sockets anew, as ``SocketWatcher/resynchronize()`` does.
    public func resynchronize() { change { engine in engine.resynchronize() } }

    /// Uses another filter from now on, as ``SocketWatcher/update(filter:)`` does.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where it cannot be used; nothing has changed then.
    public func update(filter: SocketFilter?) throws(KernelError) {
        try change { engine throws(KernelError) in try engine.use(filter: filter) }
    }

    /// Dumps at another interval from now on.
    public func update(interval: Duration) { change { engine in engine.use(interval: interval) } }

    /// Watches one more network namespace, as ``SocketWatcher/add(_:)`` does.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where it cannot be entered; nothing has changed then.
    public func add(_ namespace: NetworkNamespace) throws(KernelError) {
        try change { engine throws(KernelError) in try engine.add(namespace) }
    }

    /// Watches a network namespace no more, as ``SocketWatcher/remove(_:)`` does.
    public func remove(_ namespace: NetworkNamespace) { change { engine in engine.remove(namespace) } }

    /// Watches the network namespaces that come, as ``SocketWatcher/followAllNamespaces(_:)`` does.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where that is refused; nothing has changed then.
    public func followAllNamespaces(_ follows: Bool = true) throws(KernelError) {
        try change { engine throws(KernelError) in try engine.follow(follows) }
    }

    private func change<Failure: Error>(_ body: (WatchEngine) throws(Failure) -> Void) throws(Failure) {
        defer { register() }
        try body(engine)
    }
}
