internal import ConnectionTracking
internal import KernelTrace
internal import LinuxLibC
internal import LinuxSystem
internal import SockDiag
internal import Synchronization

/// The watcher's thread. It waits in one `poll(2)` for the kernel's reports and messages, for the time, and for the watcher's
/// wishes; turns bytes into inputs, and carries out what the trackers want.
///
/// The ring comes first: between any two other things, none of which takes long, it is read.
final class WatchLoop: Sendable {
    let buffer: EventBuffer
    /// Why there is no trace, where one was wanted.
    let refusal: KernelError?
    let isTracing: Bool
    /// With tracing, from one dump of all sockets to the next, and of the half-open requests, nanoseconds.
    let periods = Mutex<(all: UInt64, requests: UInt64)>((0, 0))
    let configuration: SocketWatcher.Configuration
    /// A byte wakes the thread for ``wishes``, closing it stops the thread; -1 once closed.
    private let bell: Mutex<Int32>
    private let wantsAnew = Atomic(false)
    /// What the thread takes when it starts.
    private let resources: Mutex<Resources?>

    /// What the thread owns, and closes before the stream ends.
    struct Resources: ~Copyable {
        var namespaces: WatchedNamespaces
        let trace: TraceReader?
        let stream: WatchStream
        /// The end of a pair whose other end is ``bell``.
        let bell: Int32

        deinit { close(bell) }
    }

    /// What the thread is called, as `/proc/PID/task/TID/comm` has it.
    static let threadName = "tcpstates-watch"
    /// From one reading of what the kernel passed over to the next, nanoseconds.
    private static let missedPeriod: UInt64 = 1_000_000_000
    /// How long what has happened until the watcher is stopped is read, nanoseconds.
    private static let lastTimeLimit: UInt64 = 250_000_000
    /// So long no message has come when the kernel has sent all of what has happened, milliseconds.
    private static let quiet: Int32 = 25

    init(_ configuration: SocketWatcher.Configuration) throws(KernelError) {
        self.configuration = configuration
        buffer = EventBuffer(capacity: configuration.bufferCapacity)
        // Attached before the first dump: what happens meanwhile waits in the ring.
        let trace: TraceReader?
        (trace, refusal) = try TraceReader.make(configuration)
        isTracing = trace != nil
        let (isTracing, refusal) = (isTracing, refusal)
        let header = configuration.journal.map {
            JournalHeader(configuration, version: $0.version, isTracing: isTracing, refusal: refusal)
        }
        let buffer = buffer
        let stream = try WatchStream(configuration, header: header) { buffer.send($0, isBounded: $1) }
        let namespaces = try WatchedNamespaces(configuration, trace: trace, stream: stream)
        var pair: [Int32] = [-1, -1]
        let type = SocketType.stream | SocketType.closeOnExec | SocketType.nonBlocking
        guard socketpair(AF_UNIX, type, 0, &pair) == 0 else {
            throw KernelError(.system, errno: errno, operation: "open a pair of sockets")
        }
        resources = Mutex(Resources(namespaces: namespaces, trace: trace, stream: stream, bell: pair[0]))
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

    /// Asks the thread to report the state anew.
    func resynchronize() {
        wantsAnew.store(true, ordering: .relaxed)
        bell.withLock { bell in
            // A full pair rings already.
            if bell >= 0 { _ = send(bell, [1 as UInt8], 1, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)) }
        }
    }

    private func run() {
        var failure: KernelError?
        do throws(KernelError) {
            // Out of the lock and into this scope, which closes all before the stream ends.
            if var owned = resources.withLock({ $0.take() }) {
                defer { owned.stream.finish() }
                try watch(&owned)
            }
        } catch {
            failure = error
        }
        buffer.finish(throwing: failure)
    }

    private func watch(_ owned: inout Resources) throws(KernelError) {
        let (trace, stream) = (owned.trace, owned.stream)
        let drain = { if let trace { trace.drain() } }
        try owned.namespaces.begin(drain)
        stream.flush(isBounded: false)
        var nextMissed: UInt64 = 0
        var pace = ReportPace()
        while !owned.namespaces.watchers.isEmpty {
            drain()
            let now = EventTime.now().monotonicNanoseconds
            if let trace, nextMissed <= now {
                trace.noteMissed()
                nextMissed = now + Self.missedPeriod
            }
            if wantsAnew.exchange(false, ordering: .relaxed) {
                for watcher in owned.namespaces.watchers { watcher.resynchronize() }
            }
            for watcher in owned.namespaces.watchers {
                watcher.receive()
                watcher.lookUp(drain)
                if watcher.dumpIfDue(drain) { stream.flush(isBounded: false) }
            }
            owned.namespaces.update(at: now, drain)
            note(owned.namespaces.watchers)
            stream.flush()
            for watcher in owned.namespaces.watchers { watcher.resolveOwners() }
            let next = owned.namespaces.watchers.map(\.nextTurn).min() ?? 0
            let deadline = min(next, owned.namespaces.nextCheck, trace == nil ? .max : nextMissed)
            let count = owned.namespaces.watchers.reduce(trace?.count ?? 0) { $0 &+ $1.messageCount }
            pace.note(count, at: EventTime.now().monotonicNanoseconds)
            guard wait(for: owned, until: deadline, isStorm: pace.isStorm) else { return conclude(owned, drain) }
        }
    }

    /// Reads what the kernel has reported until now: it may have happened just before the watcher was stopped. What a message
    /// about a destroyed socket leaves open is asked, and what waits for a RST waits no longer. Takes an interval at most.
    private func conclude(_ owned: borrowing Resources, _ drain: () -> Void) {
        let watchers = owned.namespaces.watchers
        let end = EventTime.now().monotonicNanoseconds &+ Self.lastTimeLimit
        var count: UInt64?
        repeat {
            let before = count
            drain()
            for watcher in watchers {
                watcher.receive()
                watcher.lookUp(drain)
            }
            count = watchers.reduce(0) { $0 &+ $1.messageCount }
            if count == before, !watchers.contains(where: \.hasLookups), !hasMessages(watchers) { break }
        } while EventTime.now().monotonicNanoseconds < end
        drain()
        for watcher in watchers { watcher.takeWaiting() }
        note(watchers)
        owned.stream.flush()
    }

    /// Whether a message about a destroyed socket comes within a moment: a worker of the kernel's sends them, and may have to wait.
    private func hasMessages(_ watchers: [NamespaceWatcher]) -> Bool {
        var waited = watchers.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        guard waited.contains(where: { $0.fd >= 0 }) else { return false }
        return poll(&waited, nfds_t(waited.count), Self.quiet) > 0
    }

    private func note(_ watchers: [NamespaceWatcher]) {
        buffer.socketCount.store(watchers.reduce(0) { $0 + $1.tracker.count }, ordering: .relaxed)
        let all = watchers.map(\.schedule.all.period).max() ?? 0
        let requests = watchers.map(\.schedule.frequent.period).max() ?? 0
        periods.withLock { $0 = (all, requests) }
    }

    /// Waits for reports, messages, the time or a wish; false to stop.
    private func wait(for owned: borrowing Resources, until deadline: UInt64, isStorm: Bool) -> Bool {
        var waited = [pollfd(fd: owned.bell, events: Int16(POLLIN), revents: 0)]
        if !isStorm {
            if let trace = owned.trace {
                waited.append(pollfd(fd: trace.descriptor, events: Int16(POLLIN), revents: 0))
            }
            for watcher in owned.namespaces.watchers where watcher.descriptor >= 0 {
                waited.append(pollfd(fd: watcher.descriptor, events: Int16(POLLIN), revents: 0))
            }
        }
        let now = EventTime.now().monotonicNanoseconds
        let rest = Int32(pollingFor: deadline > now ? deadline - now : 0)
        // In a storm what is due waits for the pause too; questions that wait to be asked do not.
        let time = isStorm && deadline > 0 ? Int32(ReportPace.pause / 1_000_000) : rest
        guard poll(&waited, nfds_t(waited.count), time) > 0 else { return true }
        guard waited[0].revents != 0 else { return true }
        var byte: UInt8 = 0
        return recv(owned.bell, &byte, 1, Int32(MSG_DONTWAIT)) > 0
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
