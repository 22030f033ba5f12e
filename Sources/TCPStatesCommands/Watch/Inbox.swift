internal import LinuxLibC
internal import SockDiag
internal import Synchronization
internal import TCPRecords
internal import TCPWatch

/// A queue of a watcher's events, for a thread that waits for other things too.
final class Inbox: Sendable {
    let bell: Bell
    private let events = Mutex<[SocketEvent]?>(nil)
    private let measured = Mutex<[(identity: SocketIdentity, counters: FinalCounters)]>([])

    /// What is to be done when the events are taken that have come before it; nil where nobody takes any more.
    private let work = Mutex<[@Sendable () -> Void]?>([])

    init() throws(CommandFailure) { bell = try Bell() }

    /// Takes what the watcher hands over.
    func put(_ new: [SocketEvent]) {
        events.withLock { $0 = new }
        bell.ring()
    }

    /// Keeps what the kernel measured of a socket, for the next ``takeCounters()``.
    func put(_ identity: SocketIdentity, _ counters: FinalCounters) {
        measured.withLock { $0.append((identity, counters)) }
    }

    /// What was measured since.
    func takeCounters() -> [(identity: SocketIdentity, counters: FinalCounters)] {
        measured.withLock { measured in
            defer { measured.removeAll(keepingCapacity: true) }
            return measured
        }
    }

    /// Keeps what is to be done when the events are taken that have come before it.
    func put(work new: @escaping @Sendable () -> Void) {
        let isKept = work.withLock { work in
            work?.append(new)
            return work != nil
        }
        if isKept { bell.ring() } else { new() }
    }

    /// What is to be done after the events that can be taken now. Once it is closed, what comes is done at once.
    func takeWork(closing isLast: Bool = false) -> [@Sendable () -> Void] {
        work.withLock { work in
            defer { work = isLast ? nil : [] }
            return work ?? []
        }
    }

    /// What was put in since; nil for nothing, and empty at the stream's end.
    func take() -> [SocketEvent]? {
        events.withLock { events in
            defer { events = nil }
            return events
        }
    }

    /// Waits until the bell rings or the time has come; false where nobody reads from the descriptor any more.
    func wait(until deadline: UInt64?, beside descriptor: Int32) -> Bool {
        var waited = [
            pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: descriptor, events: 0, revents: 0),
        ]
        let now = EventTime.now().monotonicNanoseconds
        let rest = deadline.map { Int32(pollingFor: $0 > now ? $0 - now : 0) } ?? -1
        // A signal has rung as well.
        guard poll(&waited, nfds_t(waited.count), rest) > 0 else { return true }
        bell.clear()
        return Int32(waited[1].revents) & (POLLERR | POLLHUP) == 0
    }
}
