public import SockDiag
internal import Synchronization

/// Watches the TCP sockets of this machine: first those that exist, then every transition of one of them.
///
/// ```swift
/// let watcher = try SocketWatcher()
/// for try await event in watcher {
///     if case .transition(let transition) = event {
///         print(transition)  // "192.0.2.1:443 198.51.100.7:40312 ESTABLISHED → CLOSE_WAIT"
///     }
/// }
/// ```
///
/// It needs no privilege: at an interval it asks the kernel for all sockets, with one dump for both families, and
/// compares; between two dumps the kernel reports each full socket's end at once. A transition then is
/// ``Transition/Certainty/observed`` or ``Transition/Certainty/inferred``. Where ``Configuration/source`` asks for tracing,
/// and the process may trace the kernel, each transition is reported as the kernel makes it,
/// ``Transition/Certainty/exact``. What is lost is reported as a ``SocketEvent/gap(_:)``.
///
/// The stream has one reader at a time: as long as its iterator is there, another one's first call throws. Where the reader
/// is slow, up to ``Configuration/bufferCapacity`` events wait and what comes beyond is dropped and counted. Events of one
/// connection come in order; across connections they are not sorted by their times. Cancelling the reader's task ends the
/// stream, as does releasing the watcher; with the stream's end its thread and descriptors are gone.
///
/// A watcher can be steered while it runs, as by ``update(filter:)``, and measured by ``metrics``. An
/// ``EmbeddedSocketWatcher`` is driven by an event loop of your own, without a thread.
public final class SocketWatcher: AsyncSequence, Sendable {
    /// What is watched, and how.
    public struct Configuration: Sendable {
        /// The network namespaces to watch, all by one thread; none for the calling thread's own.
        ///
        /// Others take CAP_SYS_ADMIN. One that ends is let go of, and reported as a gap of ``Gap/Source/namespace``;
        /// only with the last one the stream ends too.
        public var namespaces: [NetworkNamespace] = []
        /// Whether to watch every network namespace that can be found, beside ``namespaces``, as they come and go.
        ///
        /// One that comes later, as a container's does, is watched within about two seconds: its sockets are reported
        /// as ``SocketEvent/socket(_:)``, then its transitions. Found are those that
        /// ``/SockDiag/NetworkNamespace/all()`` finds. Takes CAP_SYS_ADMIN, and CAP_SYS_PTRACE for those of other
        /// users' processes. The process' own is among them, so that the stream goes on when the others have ended.
        public var followsAllNamespaces = false
        /// Only sockets of this family; nil for both.
        public var family: AddressFamily?
        /// Only transitions that leave, enter or pass one of these states.
        public var states: TCPStateSet = .all
        /// Only transitions of sockets that it finds before the transition, after it or in a state passed through; nil
        /// for all.
        ///
        /// A request and a TIME_WAIT count as their user's, as far as the user was seen. What a filter reads of
        /// queues and measurements is as of the last dump. `pid` and `process` are answered as by
        /// ``resolvesOwners``; what is new is then reported after its owners are found.
        public var filter: SocketFilter?
        /// Whether to find out which processes hold the sockets: ``Transition/owners``.
        ///
        /// Asked once for each new socket, for all new ones of a dump together and after what the dump shows is
        /// reported: the first transition of a socket mostly has no owners yet. A pass costs some 3 µs for each
        /// descriptor of the machine and is made for a fifth of the time at most.
        public var resolvesOwners = false
        /// Where transitions are learned. Tracing loads programs into the kernel: it is asked for, never assumed.
        public var source: Source = .poll
        /// The time between two dumps. Where a dump takes longer, the next one that fits is awaited. With tracing
        /// these are dumps of half-open requests alone, as far as the ``reconciliationBudget`` allows.
        public var interval: Duration = .milliseconds(250)
        /// With tracing, the time between two dumps of all sockets, which find what was lost unnoticed; longer where
        /// the ``reconciliationBudget`` asks for it. After a noticed loss there is one at once.
        public var reconciliationInterval: Duration = .seconds(10)
        /// With tracing, the share of one processor that dumps may take, for each namespace.
        public var reconciliationBudget = 0.005
        /// Without tracing, whether the kernel is to report each socket's end; see ``/SockDiag/DestroyMonitor`` for
        /// what that costs a busy machine. Without it, connections that come and go between two dumps are not seen, and
        /// none has final counters.
        public var usesDestroyEvents = true
        /// The receive buffer for the kernel's messages, bytes; it grants as much of it as it allows.
        public var receiveBufferSize = DestroyMonitor.defaultReceiveBufferSize
        /// Whether the sockets that exist at the beginning are reported.
        public var reportsExisting = true
        /// Whether each segment that is sent again is reported, as ``SocketEvent/retransmission(_:)``: SYNs, SYN+ACKs, data.
        /// Tracepoints alone report them, so where tracing is refused, so is the watcher.
        public var reportsRetransmissions = false
        /// How many events may wait for a slow reader.
        public var bufferCapacity = 65_536

        /// Where every input is written down, for ``JournalReplay``; nil for nowhere.
        public var journal: JournalDestination?
        /// Called by the watcher's thread with what the kernel measured of each full socket that it destroys: where this
        /// side closed first, long before TIME_WAIT and with it the connection ends.
        public var reportsCounters: (@Sendable (SocketIdentity, FinalCounters) -> Void)?

        /// The size of the ring of records, bytes, a power of two: a third of a second of 90,000 records.
        public var traceBufferSize = 4 << 20
        /// In a debug build, the reader drops one record of so many, for tests of what finds it; 0 for none.
        package var dropsOneRecordOf: Int32 = 0

        /// Everything in the calling thread's network namespace, by dumps.
        public init() {}
    }

    /// Where transitions are learned. New sources may come: let an `@unknown default` take them.
    @nonexhaustive
    public enum Source: String, Hashable, Sendable, CaseIterable {
        /// By tracepoints where the kernel allows it, else by dumps: ``SocketWatcher/traceRefusal`` says why.
        case auto
        /// By the kernel's tracepoints: each transition as the kernel makes it. Takes CAP_BPF and CAP_PERFMON, or root,
        /// and Linux 5.12 with BTF.
        case trace
        /// By dumps, and by the kernel's messages about destroyed sockets. Takes no privilege.
        case poll
    }

    let loop: WatchLoop

    /// Begins to watch the network namespaces of the configuration, or the calling thread's own.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where the kernel refuses, also tracing where that alone was asked for; where a namespace may not be entered, and where the filter
    ///   names what is not there; what fails later is thrown to the reader.
    public convenience init(_ configuration: Configuration = Configuration()) throws(KernelError) {
        try self.init(configuration, beforeStart: {})
    }

    /// Begins to watch, and before that lets the calling thread let go of what it does not need any more.
    ///
    /// When `beforeStart` is called, the kernel's programs are loaded and the namespaces are open. What the calling thread
    /// lets go of then, as capabilities by `capset(2)`, the watcher's thread is started without. Whoever changes a filter or adds a
    /// namespace later may need them again.
    ///
    /// - Throws: ``/SockDiag/KernelError``, as ``init(_:)`` does.
    public init(_ configuration: Configuration, beforeStart: () -> Void) throws(KernelError) {
        loop = try WatchLoop(configuration)
        beforeStart()
        try loop.start()
    }

    deinit { loop.stop() }

    /// Why the kernel is not traced; nil where it is, and where that was not asked for.
    public var traceRefusal: KernelError? { loop.refusal }

    /// Whether the kernel reports the transitions.
    public var isTracing: Bool { loop.isTracing }

    /// The events for one reader.
    public func makeAsyncIterator() -> Iterator { Iterator(watcher: self) }

    /// Ends the stream within an interval.
    public func stop() { loop.stop() }

    /// Calls `body`, once and on any thread, with the events that wait or with the next that come; with none at the end.
    ///
    /// For a reader that waits for other things too, and without a task. Where another reader waits in the same way, that
    /// one's closure is called with none.
    public func receive(_ body: @escaping @Sendable ([SocketEvent]) -> Void) { loop.buffer.next(body) }

    /// What it has done since it began, and how it stands.
    public var metrics: Metrics { loop.metrics }

    /// What ended the stream, where it was a failure.
    public var failure: KernelError? { loop.buffer.failure }

    // MARK: Steering

    /// Reports the sockets anew: those that there are as ``SocketEvent/socket(_:)``, then ``SocketEvent/ready``.
    public func resynchronize() { loop.resynchronize() }

    /// Uses another filter from now on, or none. What it finds is reported as by ``resynchronize()``.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where it cannot be used, as where tracepoints cannot answer it; nothing has changed
    ///   then.
    public func update(filter: SocketFilter?) async throws(KernelError) {
        try await loop.perform { engine throws(KernelError) in try engine.use(filter: filter) }
    }

    /// Dumps at another interval from now on, beginning at once.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where the watcher has ended.
    public func update(interval: Duration) async throws(KernelError) {
        try await loop.perform { engine in engine.use(interval: interval) }
    }

    /// Watches one more network namespace: its sockets are reported as ``SocketEvent/socket(_:)``, then its transitions.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where it cannot be entered; nothing has changed then.
    public func add(_ namespace: NetworkNamespace) async throws(KernelError) {
        try await loop.perform { engine throws(KernelError) in try engine.add(namespace) }
    }

    /// Watches a network namespace no more, which is reported as a gap of ``Gap/Source/namespace``. With the last one the
    /// stream ends.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where the watcher has ended.
    public func remove(_ namespace: NetworkNamespace) async throws(KernelError) {
        try await loop.perform { engine in engine.remove(namespace) }
    }

    /// Watches the network namespaces that there are and that come, as ``Configuration/followsAllNamespaces`` does, or those
    /// that come no more.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where that is refused; nothing has changed then.
    public func followAllNamespaces(_ follows: Bool = true) async throws(KernelError) {
        try await loop.perform { engine throws(KernelError) in try engine.follow(follows) }
    }

    /// The reader's end of the stream.
    public struct Iterator: AsyncIteratorProtocol {
        private let reader: Reader

        init(watcher: SocketWatcher) { reader = Reader(watcher) }

        /// The next event; nil after ``SocketWatcher/stop()`` and after cancellation.
        ///
        /// - Throws: ``/SockDiag/KernelError`` where watching cannot go on, and where another iterator reads the stream.
        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(KernelError) -> SocketEvent? {
            if let event = reader.events.popFirst() { return event }
            let loop = reader.watcher.loop
            guard loop.buffer.claim(ObjectIdentifier(reader)) else {
                throw KernelError(
                    .invalidRequest,
                    operation: "read the events of a watcher",
                    detail: "another iterator reads them",
                    remedy: "make a watcher for each reader"
                )
            }
            reader.events = await withTaskCancellationHandler {
                await loop.buffer.next()[...]
            } onCancel: {
                loop.stop()
            }
            if let event = reader.events.popFirst() { return event }
            if let failure = loop.buffer.failure { throw failure }
            return nil
        }
    }

    /// Whoever reads the stream, as long as its iterator is there: the next one begins with what it leaves.
    private final class Reader {
        let watcher: SocketWatcher
        var events: ArraySlice<SocketEvent> = []

        init(_ watcher: SocketWatcher) { self.watcher = watcher }

        deinit { watcher.loop.buffer.release(ObjectIdentifier(self), rest: events) }
    }
}
