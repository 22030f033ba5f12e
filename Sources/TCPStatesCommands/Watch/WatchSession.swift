internal import Glibc
internal import SockDiag
internal import TCPWatch

/// Watches until it is told to stop: what comes is rendered and written at once.
///
/// One thread waits here for events, signals, the time and a reader that goes away; the watcher's own thread only rings.
/// There are no tasks, so that the concurrency runtime is never started.
struct WatchSession<Renderer: EventRenderer & ~Copyable>: ~Copyable {
    /// What ends it, beside a signal.
    struct Limits {
        var duration: Duration?
        var transitions: Int?
    }

    private var renderer: Renderer
    private var output: Output
    private let limits: Limits
    /// Whether losses are told on standard error.
    private let complains: Bool
    private var tally = WatchTally()

    init(_ renderer: consuming Renderer, to output: consuming Output, limits: Limits, complains: Bool) {
        self.renderer = renderer
        self.output = output
        self.limits = limits
        self.complains = complains
    }

    /// Watches, and then says on standard error what it was.
    mutating func run(_ configuration: SocketWatcher.Configuration) throws {
        let inbox = try Inbox()
        StopSignal.ring(inbox.bell)
        let start = EventTime.now().monotonicNanoseconds
        let deadline = limits.duration.map { start.later(by: $0) }
        let watcher = try SocketWatcher(configuration)
        if configuration.source == .auto { tell(sourceOf: watcher, interval: configuration.interval) }
        renderer.begin()
        renderer.flush(to: &output)
        watcher.receive(inbox.put)
        var isOver = false
        while !isOver, output.isOpen {
            guard inbox.wait(until: deadline, beside: output.descriptor) else {
                // Nobody reads any more: what the next line would do.
                raise(SIGPIPE)
                throw CommandFailure("cannot write to standard output", errno: EPIPE)
            }
            isOver = StopSignal.hasCome || deadline.map { $0 <= EventTime.now().monotonicNanoseconds } ?? false
            guard let events = inbox.take() else { continue }
            if !write(events) || events.isEmpty { isOver = true }
            if !isOver { watcher.receive(inbox.put) }
        }
        watcher.stop()
        try output.close()
        if let failure = watcher.failure { throw failure }
        let time = Duration.nanoseconds(Int64(clamping: EventTime.now().monotonicNanoseconds - start))
        var text = TextBuffer()
        // Behind the terminal's own ^C.
        if StopSignal.hasCome, isatty(STDERR_FILENO) == 1 { text.append(.newline) }
        tally.append(to: &text, after: time, sockets: watcher.socketCount)
        if watcher.isTracing { text.append(periods: watcher.periods) }
        TCPStates.tell(text)
    }

    /// Writes the events; whether more are wanted.
    private mutating func write(_ events: [SocketEvent]) -> Bool {
        renderer.prepare(events)
        defer { renderer.flush(to: &output) }
        for event in events {
            tally.count(event)
            renderer.render(event)
            renderer.drain(to: &output)
            switch event {
            case .transition where tally.transitions == limits.transitions: return false
            case .gap(let gap) where complains: complain(gap)
            case .slowed(let interval, _) where complains: TCPStates.complain(slowedMessage(interval))
            default: break
            }
        }
        return true
    }

    /// Says which source it is, and why it is not the trace.
    private func tell(sourceOf watcher: SocketWatcher, interval: Duration) {
        guard let refusal = watcher.traceRefusal else { return TCPStates.complain("watching by the kernel's trace") }
        var text = TextBuffer()
        text.append("watching by a dump every ")
        text.append(span: interval.nanoseconds)
        TCPStates.complain(text.withBytes { String(decoding: $0, as: UTF8.self) } + ", without the trace: \(refusal)")
    }

    private func complain(_ gap: Gap) {
        let count = gap.lost.map { "\($0) lost" } ?? "some lost"
        TCPStates.complain("gap: \(gap.reason) (\(gap.source.rawValue): \(count))")
    }
}
