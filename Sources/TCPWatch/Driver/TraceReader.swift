internal import BPF
internal import ConnectionTracking
internal import KernelTrace
internal import LinuxLibC
internal import LinuxSystem
internal import SockDiag

/// Reads the records of all the namespaces that are watched, and sorts them. Belongs to one thread at a time.
final class TraceReader {
    private let trace: KernelTrace
    /// The watchers by the number of their namespace.
    private var watchers: [UInt32: NamespaceWatcher] = [:]
    /// The same in their order.
    private var all: [NamespaceWatcher] = []
    private var lost = CounterDelta()
    private var missed = CounterDelta()
    /// Records until this moment were read by another reader, monotonic nanoseconds.
    private let since: UInt64
    /// How full the ring was at most, in this second and in the one before: shares of its size.
    private var (fill, formerFill): (Double, Double) = (0, 0)

    /// How many records have been read so far.
    private(set) var count: UInt64 = 0

    /// How often a record that a processor has begun to write is waited for.
    private static let retryLimit = 1000

    /// What the programs pass on.
    let filter: TraceFilter

    /// Attaches to the tracepoints; with another reader, goes on where that ends.
    ///
    /// - Throws: ``/SockDiag/KernelError``.
    init(_ filter: TraceFilter, ringSize: Int, after former: TraceReader? = nil) throws(KernelError) {
        trace = try KernelTrace(filter, ringSize: ringSize)
        self.filter = filter
        since = former == nil ? 0 : EventTime.now().monotonicNanoseconds
        let reasons = trace.missing[.resetSent] == nil ? trace.resetReasons : [:]
        // Kernels from 6.10 on give reasons for the answers to wrong segments, later ones for all.
        let isComplete = reasons.values.contains(ResetReason.abortOnClose.rawValue)
        resetReasons = (isComplete ? reasons : [:]).filter { $0.value != "NOT_SPECIFIED" }
            .mapValues { ResetReason(rawValue: $0) }
    }

    /// Readable while records wait.
    var descriptor: Int32 { trace.descriptor }

    /// Why RSTs are sent, by the kernel's numbers.
    let resetReasons: [UInt32: ResetReason]

    /// Whether the RSTs that answer a SYN are reported.
    var reportsRefusals: Bool { trace.missing[.resetReceived] == nil }

    /// The watchers that the records are for.
    func serve(_ watchers: [NamespaceWatcher]) {
        all = watchers
        self.watchers = Dictionary(watchers.map { ($0.inode, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The share of the ring that was in use at most, in the last second or two.
    var highestFill: Double { max(fill, formerFill) }

    /// Hands over the last records, before another reader's: those until it was attached.
    func end(before next: TraceReader) {
        drain(until: next.since)
        noteMissed()
    }

    /// Hands over all that the kernel has reported until now. What was lost by now was lost before some of it, and comes first.
    func drain(until end: UInt64 = .max) {
        fill = max(fill, trace.fill)
        note(.overrun, since: &lost) { trace.lostCount(of: $0) }
        let now = EventTime.now()
        for _ in 0..<Self.retryLimit {
            let isComplete = trace.read { record in
                count += 1
                guard record.time > since, record.time <= end else { return }
                watchers[record.namespace]?.take(record, at: now.at(record.time))
            }
            if isComplete { break }
            sched_yield()
        }
    }

    /// Hands over how many events the kernel passed over since this was called last. It takes some system calls.
    func noteMissed() {
        (formerFill, fill) = (fill, 0)
        note(.passedOver, since: &missed) { trace.missedCount(of: $0) }
    }

    /// Hands over what the events' counters have grown by, if they have. It is of no namespace in particular: it is reported
    /// once, and each is dumped.
    private func note(
        _ reason: Loss.Reason,
        since last: inout CounterDelta,
        _ count: (TraceRecord.Event) -> UInt64
    ) {
        var (sum, refusals): (UInt64, UInt64) = (0, 0)
        for event in TraceRecord.Event.allCases {
            let count = count(event)
            sum &+= count
            if event == .resetReceived { refusals = count }
        }
        let grown = last.advance(to: sum)
        guard grown > 0 else { return }
        for (index, watcher) in all.enumerated() {
            let loss = Loss(.trace, reason, count: index > 0 ? 0 : grown, includesRefusals: refusals > 0)
            watcher.take(.lost(loss), at: .now())
        }
    }
}

extension TraceReader {
    /// The reader where tracing was asked for and is to be had, or why not.
    static func make(
        _ configuration: SocketWatcher.Configuration
    ) throws(KernelError) -> (trace: TraceReader?, refusal: KernelError?) {
        guard configuration.source != .poll else {
            guard !configuration.reportsRetransmissions else {
                throw KernelError(
                    .invalidRequest,
                    operation: "report retransmissions by dumps",
                    detail: "tracepoints alone report them",
                    remedy: "leave out the source"
                )
            }
            return (nil, nil)
        }
        do throws(KernelError) {
            let support = BPFSupport.here()
            guard support.isComplete else { throw KernelError(tracing: support) }
            return (try TraceReader(try filter(configuration), ringSize: configuration.traceBufferSize), nil)
        } catch {
            guard configuration.source == .auto, !configuration.reportsRetransmissions else { throw error }
            return (nil, error)
        }
    }

    /// What of the configuration the programs can test.
    static func filter(_ configuration: SocketWatcher.Configuration) throws(KernelError) -> TraceFilter {
        if let filter = configuration.filter, !filter.isTraceable {
            throw KernelError(
                .invalidRequest,
                operation: "answer the filter by tracepoints",
                detail: "dumps alone report what it asks for",
                remedy: "leave out the source, or watch by dumps"
            )
        }
        if configuration.source == .auto, configuration.filter?.asksOwners == true {
            throw KernelError(
                .invalidRequest,
                operation: "answer the filter by tracepoints",
                detail: "dumps show better who holds a socket"
            )
        }
        var filter = TraceFilter()
        // Those that come later are not known yet: then the records of all are read.
        if !configuration.followsAllNamespaces {
            var namespaces = configuration.namespaces
            if namespaces.isEmpty { namespaces = [try NetworkNamespace.current] }
            filter.namespaces = namespaces.map { UInt32(truncatingIfNeeded: $0.inode) }
        }
        filter.pidNamespace = ProcessDirectory.numbering
        filter.family = configuration.family
        if let ports = configuration.filter?.necessaryPorts {
            (filter.localPorts, filter.remotePorts) = (ports.local, ports.remote)
        }
        filter.reportsRetransmissions = configuration.reportsRetransmissions
        filter.dropsOneOf = configuration.dropsOneRecordOf
        return filter
    }
}

extension SocketFilter {
    /// Whether it asks which process holds a socket.
    fileprivate var asksOwners: Bool {
        externals.contains { if case .networkNamespace = $0 { false } else { true } }
    }
}
