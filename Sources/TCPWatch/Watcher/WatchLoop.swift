internal import Glibc
internal import KernelTrace
internal import SockDiag
internal import Synchronization

/// The watcher's thread: waits for the next tick, for the kernel's messages, or to be stopped.
final class WatchLoop: Sendable {
    let buffer: EventBuffer
    /// Why there is no trace, where one was wanted.
    let refusal: SockDiagError?
    let isTracing: Bool
    /// With the trace, from one dump of all sockets to the next, and of the half-open requests, nanoseconds.
    let periods = Mutex<(all: UInt64, requests: UInt64)>((0, 0))
    let configuration: SocketWatcher.Configuration
    /// Closing it stops the thread; -1 once closed.
    private let stopEnd: Mutex<Int32>
    /// What the thread takes when it starts.
    private let belongings: Mutex<Belongings?>

    /// What the thread owns, and closes before the stream ends.
    struct Belongings: ~Copyable {
        var lanes: [NamespaceLane]
        var feed: TraceFeed?
        /// The end of a pair whose other end is closed to stop the thread.
        let stopped: Int32

        deinit { close(stopped) }
    }

    /// What the thread is called, as `/proc/PID/task/TID/comm` has it.
    static let threadName = "tcpstates-watch"

    init(_ configuration: SocketWatcher.Configuration) throws(SockDiagError) {
        self.configuration = configuration
        buffer = EventBuffer(capacity: configuration.bufferCapacity)
        // Attached before the first dump: what happens meanwhile waits in the ring.
        let feed: TraceFeed?
        (feed, refusal) = try Self.feed(configuration)
        isTracing = feed != nil
        let lanes = try Self.lanes(configuration, isTraced: isTracing)
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw SockDiagError(errno: errno, operation: "open a pair of sockets", remedy: "")
        }
        belongings = Mutex(Belongings(lanes: lanes, feed: feed, stopped: ends[0]))
        stopEnd = Mutex(ends[1])
    }

    deinit { stop() }

    /// A lane for each namespace. One that has ended since it was listed is told of, unless it was the only one.
    private static func lanes(
        _ configuration: SocketWatcher.Configuration,
        isTraced: Bool
    ) throws(SockDiagError) -> [NamespaceLane] {
        let namespaces = configuration.namespaces
        if namespaces.isEmpty { return [try NamespaceLane(configuration, isTraced: isTraced)] }
        var lanes: [NamespaceLane] = []
        var endings: [(namespace: NetworkNamespace, error: SockDiagError)] = []
        for namespace in namespaces {
            do throws(SockDiagError) {
                lanes.append(try NamespaceLane(configuration, in: namespace, isTraced: isTraced))
            } catch {
                guard error.code == .notFound, namespaces.count > 1 else { throw error }
                endings.append((namespace, error))
            }
        }
        if lanes.isEmpty, let first = endings.first { throw first.error }
        for ending in endings { lanes.first?.tell(end: ending.namespace, reason: ending.error.description) }
        return lanes
    }

    /// Starts the thread.
    func start() throws(SockDiagError) {
        do {
            try JoinedThread.detach { [self] in
                Self.nameThread()
                run()
            }
        } catch {
            throw SockDiagError(errno: error.rawValue, operation: "start the watcher's thread")
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
        stopEnd.withLock { end in
            if end >= 0 { close(end) }
            end = -1
        }
    }

    private func run() {
        var failure: SockDiagError?
        do throws(SockDiagError) {
            // Out of the lock and into this scope, which closes all before the stream ends.
            if var owned = belongings.withLock({ $0.take() }) { try watch(&owned) }
        } catch {
            failure = error
        }
        buffer.finish(throwing: failure)
    }

    private func watch(_ owned: inout Belongings) throws(SockDiagError) {
        let feed = owned.feed
        feed?.serve(owned.lanes)
        try forEach(&owned.lanes) { lane throws(SockDiagError) in
            try lane.begin(feed) { buffer.send($0, isBounded: false) }
            return true
        }
        buffer.send([.ready], isBounded: false)
        if let feed { try watch(&owned, by: feed) } else { try poll(&owned) }
    }

    /// Watches by dumps and the kernel's messages about destroyed sockets.
    private func poll(_ owned: inout Belongings) throws(SockDiagError) {
        var clock = TickClock(interval: configuration.interval)
        while !owned.lanes.isEmpty {
            flush(owned)
            if clock.isDue {
                try forEach(&owned.lanes) { lane throws(SockDiagError) in
                    try lane.look()
                    return try lane.isInhabited()
                }
                if let slower = clock.tick() { buffer.send([.slowed(slower, at: .now())]) }
                flush(owned)
                for lane in owned.lanes { lane.resolveOwners() }
            }
            guard let heard = wait(for: owned, until: clock.next) else { return }
            try forEach(&owned.lanes, in: heard) { lane throws(SockDiagError) in
                if try lane.hear() { try lane.look() }
                return true
            }
        }
    }

    /// Sends what has happened.
    func flush(_ owned: borrowing Belongings) {
        buffer.socketCount.store(owned.lanes.reduce(0) { $0 + $1.socketCount }, ordering: .relaxed)
        for lane in owned.lanes { lane.flush { buffer.send($0) } }
    }

    /// Lets lanes work. One that answers false is let go; so is one that fails, unless it is the last.
    func forEach(
        _ lanes: inout [NamespaceLane],
        in chosen: Set<Int>? = nil,
        _ body: (NamespaceLane) throws(SockDiagError) -> Bool
    ) throws(SockDiagError) {
        for index in lanes.indices.reversed() where chosen?.contains(index) != false {
            let lane = lanes[index]
            do throws(SockDiagError) {
                if try body(lane) { continue }
            } catch {
                guard lanes.count > 1 else { throw error }
                lane.tell(end: lane.namespace, reason: error.description)
            }
            lane.tellLastSteps(until: .max)
            lanes.remove(at: index)
            // What it still has to tell another one does, so that nothing comes between the sockets that exist.
            if let heir = lanes.first { heir.events += lane.events } else { lane.flush { buffer.send($0) } }
        }
    }

    /// Waits for messages, for the time, or to be stopped: the lanes that have messages, or nil if it was the last time.
    private func wait(for owned: borrowing Belongings, until deadline: UInt64) -> Set<Int>? {
        let now = EventTime.now().monotonicNanoseconds
        let rest = deadline > now ? deadline - now : 0
        let milliseconds = Int32(pollingFor: rest)
        var waited = owned.lanes.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        waited.append(pollfd(fd: owned.stopped, events: Int16(POLLIN), revents: 0))
        guard Glibc.poll(&waited, nfds_t(waited.count), milliseconds) > 0 else { return [] }
        guard waited.last?.revents == 0 else { return nil }
        return Set(waited.indices.dropLast().filter { waited[$0].revents != 0 })
    }
}
