internal import LinuxLibC
internal import SockDiag
internal import TCPRecords
internal import TCPWatch

/// Watches until a signal, the time or the limit stops it: what comes is rendered and written at once.
///
/// One thread waits here for events, signals, the time and a reader that goes away; the watcher's own thread only rings.
/// There are no tasks, so that the concurrency runtime is never started.
struct WatchSession<Renderer: EventRenderer & ~Copyable>: ~Copyable {
    private var sink: EventSink<Renderer>
    private let duration: Duration?

    init(_ sink: consuming EventSink<Renderer>, duration: Duration?) {
        self.sink = sink
        self.duration = duration
    }

    /// Watches, and then says on standard error what it was.
    mutating func run(_ configuration: SocketWatcher.Configuration) throws {
        let inbox = try Inbox()
        StopSignal.ring(inbox.bell)
        let start = EventTime.now().monotonicNanoseconds
        let deadline = duration.map { start.later(by: $0) }
        let watcher = try SocketWatcher(configuration)
        if configuration.source == .auto { report(sourceOf: watcher, interval: configuration.interval) }
        sink.begin()
        watcher.receive(inbox.put)
        var (isOver, wantsMore, isReceiving) = (false, true, true)
        while !isOver, sink.isOpen {
            guard inbox.wait(until: deadline, beside: sink.output.descriptor) else {
                // Nobody reads any more: what the next line would do.
                raise(SIGPIPE)
                throw CommandFailure("cannot write to standard output", errno: EPIPE)
            }
            isOver = StopSignal.hasCome || deadline.map { $0 <= EventTime.now().monotonicNanoseconds } ?? false
            guard let events = inbox.take() else { continue }
            wantsMore = sink.write(events)
            if !wantsMore || events.isEmpty { isOver = true }
            isReceiving = !isOver
            if isReceiving { watcher.receive(inbox.put) }
        }
        watcher.stop()
        // Where enough was written, the journal alone goes on to the end.
        if watcher.failure == nil, sink.isOpen && wantsMore || configuration.journal != nil {
            finish(watcher, inbox, isReceiving: isReceiving, wantsMore: wantsMore)
        }
        try sink.close()
        if let failure = watcher.failure { throw failure }
        let time = Duration.nanoseconds(Int64(clamping: EventTime.now().monotonicNanoseconds - start))
        let metrics = watcher.metrics
        var text = TextBuffer()
        // Behind the terminal's own ^C.
        if StopSignal.hasCome, isatty(STDERR_FILENO) == 1 { text.append(.newline) }
        sink.tally.append(to: &text, after: time, sockets: metrics.sockets)
        if watcher.isTracing { text.append(periods: (metrics.dumpPeriod, metrics.frequentDumpPeriod)) }
        sink.tally.appendRetransmissions(to: &text, wereAskedFor: configuration.reportsRetransmissions)
        TCPStates.writeToStandardError(text)
    }

    /// Waits until the watcher's thread has ended, and writes what it has still to report: what happened just before.
    private mutating func finish(
        _ watcher: SocketWatcher,
        _ inbox: Inbox,
        isReceiving: Bool,
        wantsMore: Bool
    ) {
        var (isReceiving, wantsMore) = (isReceiving, wantsMore)
        while true {
            if !isReceiving { watcher.receive(inbox.put) }
            isReceiving = true
            _ = inbox.wait(until: nil, beside: -1)
            guard let events = inbox.take() else { continue }
            if events.isEmpty { return }
            if wantsMore { wantsMore = sink.write(events) }
            isReceiving = false
        }
    }

    /// Says which source it is, and why it does not trace.
    private func report(sourceOf watcher: SocketWatcher, interval: Duration) {
        guard let refusal = watcher.traceRefusal else {
            return TCPStates.complain("watching by the kernel's tracepoints")
        }
        var text = TextBuffer()
        text.append("watching by a dump every ")
        text.append(span: interval.nanoseconds)
        TCPStates.complain(text.string + ", without tracing: \(refusal)")
    }
}
