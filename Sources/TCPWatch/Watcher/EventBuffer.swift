internal import LinuxSystem
internal import SockDiag
internal import Synchronization

/// What lies between the watcher's thread and its one reader: events that wait, up to a bound; or the reader that waits.
final class EventBuffer: Sendable {
    /// Takes events, once; none at the end.
    typealias Reader = @Sendable ([SocketEvent]) -> Void

    fileprivate struct State {
        var pending: [SocketEvent] = []
        /// Where the gaps are that wait, each source and namespace once.
        var gaps: [GapKey: Int] = [:]
        var dropped: UInt64 = 0
        /// Those that were dropped and reported, and how often that was.
        var reported: (dropped: UInt64, gaps: UInt64) = (0, 0)
        /// When the first of ``pending`` came, monotonic nanoseconds.
        var pendingSince: UInt64 = 0
        /// The one that the stream is read by, until it is let go of.
        var owner: ObjectIdentifier?
        var reader: Reader?
        var isFinished = false
        var failure: KernelError?
    }

    fileprivate struct GapKey: Hashable {
        let source: Gap.Source
        let reason: String
        let namespace: NetworkNamespace?
    }

    private let state = Mutex(State())
    private let capacity: Int
    /// Called where a reader has missed events, when it takes what it has not.
    private let resynchronize = Mutex<(@Sendable () -> Void)?>(nil)
    init(capacity: Int) { self.capacity = capacity }

    /// What is to be done where a reader has missed events: report the state anew.
    func onLoss(_ body: @escaping @Sendable () -> Void) { resynchronize.withLock { $0 = body } }

    /// Hands events to the reader, or keeps them. What passes the bound is dropped, counted, and reported as a gap; the
    /// sockets that are reported together are not, nor what was lost before: of that, gaps that say the same are one.
    func send(_ events: [SocketEvent], isBounded: Bool = true) {
        guard !events.isEmpty else { return }
        let reader = state.withLock { state -> Reader? in
            if let reader = state.reader {
                state.reader = nil
                return reader
            }
            if state.pending.isEmpty { state.pendingSince = SystemClock.monotonic.nanoseconds }
            for event in events {
                if case .gap(let gap) = event {
                    state.keep(gap)
                } else if !isBounded || state.pending.count < capacity {
                    state.pending.append(event)
                } else {
                    state.dropped += 1
                }
            }
            return nil
        }
        reader?(events)
    }

    /// Ends the stream, after what still waits.
    func finish(throwing failure: KernelError? = nil) {
        let reader = state.withLock { state in
            state.isFinished = true
            state.failure = failure
            defer { state.reader = nil }
            return state.reader
        }
        reader?([])
    }

    // MARK: The one reader

    /// Makes somebody the stream's reader; whether it is, and nobody else.
    func claim(_ owner: ObjectIdentifier) -> Bool {
        state.withLock { state in
            if state.owner == nil { state.owner = owner }
            return state.owner == owner
        }
    }

    /// Lets a reader go, with what it was given and has not read; whoever reads next begins with that.
    func release(_ owner: ObjectIdentifier, rest: ArraySlice<SocketEvent>) {
        state.withLock { state in
            guard state.owner == owner else { return }
            state.owner = nil
            guard !rest.isEmpty else { return }
            state.pending.insert(contentsOf: rest, at: 0)
            state.gaps = [:]
        }
    }

    /// Adds what waits for the reader, and what the reader has missed.
    func add(to metrics: inout SocketWatcher.Metrics) {
        let now = SystemClock.monotonic.nanoseconds
        state.withLock { state in
            metrics.waiting = state.pending.count
            if !state.pending.isEmpty {
                metrics.lag = .nanoseconds(Int64(clamping: now - min(now, state.pendingSince)))
            }
            let dropped = state.reported.dropped &+ state.dropped
            if dropped > 0 {
                metrics.lost[.reader] = dropped
                metrics.gaps[.reader] = state.reported.gaps &+ (state.dropped > 0 ? 1 : 0)
            }
        }
    }

    /// The events that wait, or the next that come; empty at the end, and for a reader whose place another one takes.
    func next() async -> [SocketEvent] {
        await withUnsafeContinuation { continuation in next { continuation.resume(returning: $0) } }
    }

    /// Calls the reader with the events that wait, or with the next that come; with none at the end, and where another
    /// takes its place.
    func next(_ reader: @escaping Reader) {
        var other: Reader?
        var hasLost = false
        let ready = state.withLock { state -> [SocketEvent]? in
            var events: [SocketEvent] = []
            swap(&events, &state.pending)
            state.gaps = [:]
            if state.dropped > 0 {
                events.append(.gap(Gap(source: .reader, reason: "the reader was too slow", lost: state.dropped)))
                state.reported.dropped &+= state.dropped
                state.reported.gaps &+= 1
                state.dropped = 0
                hasLost = true
            }
            if !events.isEmpty || state.isFinished { return events }
            swap(&state.reader, &other)
            state.reader = reader
            return nil
        }
        other?([])
        if hasLost { resynchronize.withLock { $0 }?() }
        if let ready { reader(ready) }
    }

    /// What ended the stream, where it was a failure.
    var failure: KernelError? { state.withLock { $0.failure } }
}

extension EventBuffer.State {
    /// Keeps a gap, joined with one that waits and says the same.
    fileprivate mutating func keep(_ gap: Gap) {
        let key = EventBuffer.GapKey(source: gap.source, reason: gap.reason, namespace: gap.namespace)
        guard let index = gaps[key], case .gap(var known) = pending[index] else {
            gaps[key] = pending.count
            return pending.append(.gap(gap))
        }
        if let count = known.lost, let more = gap.lost { known.lost = count &+ more } else { known.lost = nil }
        pending[index] = .gap(known)
    }
}
