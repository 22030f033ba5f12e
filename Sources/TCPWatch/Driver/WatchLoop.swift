internal import LinuxLibC
internal import LinuxSystem
internal import SockDiag
internal import Synchronization

/// The watcher's thread: drives a ``WatchEngine``. It waits in one `poll(2)` for the kernel's reports and messages, for the
/// time, and for the watcher's wishes.
final class WatchLoop: Sendable {
    /// Something to be done by the thread; nil where that has ended.
    private typealias Wish = @Sendable (WatchEngine?) -> Void

    let buffer: EventBuffer
    /// Why there is no trace, where one was wanted.
    let refusal: KernelError?
    let isTracing: Bool
    /// A byte wakes the thread for ``wishes``, closing it stops the thread; -1 once closed.
    private let bell: Mutex<Int32>
    /// Nil when nobody will fulfil any more.
    private let wishes = Mutex<[Wish]?>([])
    private let lastMetrics = Mutex(SocketWatcher.Metrics())
    /// What the thread takes when it starts.
    private let resources: Mutex<Resources?>

    /// What the thread owns, and closes before the stream ends.
    struct Resources: ~Copyable {
        let engine: WatchEngine
        /// The end of a pair whose other end is ``bell``.
        let bell: Int32

        deinit { close(bell) }
    }

    /// What the thread is called, as `/proc/PID/task/TID/comm` has it.
    static let threadName = "tcpstates-watch"

    init(_ configuration: SocketWatcher.Configuration) throws(KernelError) {
        buffer = EventBuffer(capacity: configuration.bufferCapacity)
        let buffer = buffer
        // Before the namespaces, which may take all descriptors that there are.
        var pair: [Int32] = [-1, -1]
        let type = SocketType.stream | SocketType.closeOnExec | SocketType.nonBlocking
        guard socketpair(AF_UNIX, type, 0, &pair) == 0 else {
            throw KernelError(.system, errno: errno, operation: "open a pair of sockets")
        }
        let engine: WatchEngine
        do {
            engine = try WatchEngine(configuration) { buffer.send($0, isBounded: $1) }
        } catch {
            for end in pair { close(end) }
            throw error
        }
        (refusal, isTracing) = (engine.refusal, engine.isTracing)
        resources = Mutex(Resources(engine: engine, bell: pair[0]))
        bell = Mutex(pair[1])
    }

    deinit { stop() }

    /// Starts the thread.
    func start() throws(KernelError) {
        buffer.onLoss { [weak self] in self?.resynchronize() }
        do {
            try JoinedThread.detach { [self] in
                Self.nameThread()
                run()
            }
        } catch {
            throw KernelError(.system, errno: error.rawValue, operation: "start the watcher's thread")
        }
    }

    /// What `pthread_setname_np(3)` does, which Swift's Glibc lacks. For people alone: without `/proc` it has no name.
    private static func nameThread() {
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = write(file, threadName, threadName.utf8.count)
        close(file)
    }

    /// Asks the thread to end; it does within an interval.
    func stop() {
        bell.withLock { bell in
            if bell >= 0 { close(bell) }
            bell = -1
        }
    }

    // MARK: Wishes

    /// Asks the thread to report the state anew.
    func resynchronize() { ask { $0?.resynchronize() } }

    /// Has the thread do something to what watches.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where that fails, and where the watcher has ended.
    func perform(_ body: @escaping @Sendable (WatchEngine) throws(KernelError) -> Void) async throws(KernelError) {
        let failure = await withCheckedContinuation { (continuation: CheckedContinuation<KernelError?, Never>) in
            ask { engine in
                var failure: KernelError?
                do throws(KernelError) {
                    guard let engine else {
                        throw KernelError(.invalidRequest, operation: "change a watcher that has ended")
                    }
                    try body(engine)
                } catch {
                    failure = error
                }
                continuation.resume(returning: failure)
            }
        }
        if let failure { throw failure }
    }

    /// Has the thread do something with what watches, or with nothing where it has ended.
    func ask(_ wish: @escaping @Sendable (WatchEngine?) -> Void) {
        let isOpen = wishes.withLock { wishes in
            wishes?.append(wish)
            return wishes != nil
        }
        guard isOpen else { return wish(nil) }
        bell.withLock { bell in
            // A full pair rings already.
            if bell >= 0 { _ = send(bell, [1 as UInt8], 1, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)) }
        }
    }

    private func takeWishes() -> [Wish] {
        wishes.withLock { wishes in
            defer { if wishes != nil { wishes = [] } }
            return wishes ?? []
        }
    }

    /// What the watcher has done so far.
    var metrics: SocketWatcher.Metrics {
        var metrics = lastMetrics.withLock { $0 }
        buffer.add(to: &metrics)
        return metrics
    }

    // MARK: The thread

    private func run() {
        var failure: KernelError?
        do throws(KernelError) {
            // Out of the lock and into this scope, which closes all before the stream ends.
            if let owned = resources.withLock({ $0.take() }) {
                defer { owned.engine.finish() }
                try watch(owned)
            }
        } catch {
            failure = error
        }
        let rest = wishes.withLock { wishes in
            defer { wishes = nil }
            return wishes ?? []
        }
        for wish in rest { wish(nil) }
        buffer.finish(throwing: failure)
    }

    private func watch(_ owned: borrowing Resources) throws(KernelError) {
        let engine = owned.engine
        engine.reportsMetrics = { [self] in publish($0) }
        while !engine.isOver {
            for wish in takeWishes() { wish(engine) }
            try engine.turn()
            guard wait(for: owned) else { return engine.conclude() }
        }
    }

    private func publish(_ metrics: SocketWatcher.Metrics) {
        var metrics = metrics
        metrics.processorTime = .nanoseconds(Int64(clamping: SystemClock.threadProcessorTime.nanoseconds))
        let published = metrics
        lastMetrics.withLock { $0 = published }
    }

    /// Waits for reports, messages, the time or a wish; false to stop.
    private func wait(for owned: borrowing Resources) -> Bool {
        let engine = owned.engine
        var waited = [pollfd(fd: owned.bell, events: Int16(POLLIN), revents: 0)]
        if !engine.isStorm {
            for descriptor in engine.descriptors {
                waited.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
            }
        }
        let deadline = engine.deadline
        let now = EventTime.now().monotonicNanoseconds
        let rest = Int32(pollingFor: deadline > now ? deadline - now : 0)
        // In a storm what is due waits for the pause too; questions that wait to be asked do not.
        let time = engine.isStorm && deadline > 0 ? Int32(ReportPace.pause / 1_000_000) : rest
        guard poll(&waited, nfds_t(waited.count), time) > 0, waited[0].revents != 0 else { return true }
        var bytes = [UInt8](repeating: 0, count: 64)
        return recv(owned.bell, &bytes, bytes.count, Int32(MSG_DONTWAIT)) > 0
    }
}
