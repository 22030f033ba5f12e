internal import Glibc
internal import SockDiag
internal import Synchronization

/// The watcher's thread: waits for the next tick, for the kernel's messages, or to be stopped.
final class WatchLoop: Sendable {
    let buffer: EventBuffer
    private let configuration: SocketWatcher.Configuration
    /// A pipe: the thread waits for the one end; closing the other stops it.
    private let stopped: Int32
    private let stopEnd: Mutex<Int32>
    private let lane: Mutex<NamespaceLane?>

    init(_ configuration: SocketWatcher.Configuration) throws(SockDiagError) {
        self.configuration = configuration
        buffer = EventBuffer(capacity: configuration.bufferCapacity)
        lane = Mutex(try NamespaceLane(configuration))
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SockDiagError(errno: errno, operation: "make a pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        stopped = ends[0]
        stopEnd = Mutex(ends[1])
    }

    deinit {
        stop()
        close(stopped)
    }

    /// Starts the thread.
    func start() throws(SockDiagError) {
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let retained = Unmanaged.passRetained(self)
        // Signals are for the program's own threads.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        let failure = pthread_create(
            &thread,
            &attributes,
            { argument in
                if let argument { Unmanaged<WatchLoop>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            },
            retained.toOpaque()
        )
        pthread_sigmask(SIG_SETMASK, &before, nil)
        guard failure == 0 else {
            retained.release()
            throw SockDiagError(errno: failure, operation: "start the watcher's thread")
        }
    }

    /// Asks the thread to end; it does within an interval.
    func stop() {
        stopEnd.withLock { end in
            if end >= 0 { close(end) }
            end = -1
        }
    }

    private func run() {
        // Out of the lock and into this thread alone, which closes what it owns before the stream ends.
        var owned = lane.withLock { lane -> NamespaceLane? in
            defer { lane = nil }
            return lane
        }
        var failure: SockDiagError?
        do throws(SockDiagError) {
            if let lane = owned { try watch(lane) }
        } catch {
            failure = error
        }
        owned = nil
        buffer.finish(throwing: failure)
    }

    private func watch(_ lane: NamespaceLane) throws(SockDiagError) {
        try lane.begin { buffer.send($0, isBounded: false) }
        var clock = TickClock(interval: configuration.interval)
        while true {
            buffer.socketCount.store(lane.socketCount, ordering: .relaxed)
            guard !wait(for: lane, until: clock.next) else { return }
            if try lane.hear() || clock.isDue {
                try lane.look()
                if let slower = clock.tick() { lane.events.append(.slowed(slower)) }
            }
            lane.flush { buffer.send($0) }
        }
    }

    /// Waits for messages, for the time, or to be stopped; whether it was the last.
    private func wait(for lane: NamespaceLane, until deadline: UInt64) -> Bool {
        let now = EventTime.now().monotonicNanoseconds
        let rest = deadline > now ? deadline - now : 0
        let milliseconds = Int32(clamping: (rest + 999_999) / 1_000_000)
        var waited = [
            pollfd(fd: stopped, events: Int16(POLLIN), revents: 0),
            pollfd(fd: lane.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        guard poll(&waited, nfds_t(waited.count), milliseconds) > 0 else { return false }
        return waited[0].revents != 0
    }
}
