internal import ConnectionTracking
internal import Glibc
internal import KernelTrace
internal import SockDiag

/// Reads the trace of all the namespaces that are watched, and sorts its records. Belongs to one thread at a time.
final class TraceReader {
    private let trace: KernelTrace
    /// The watchers by the number of their namespace.
    private var watchers: [UInt32: NamespaceWatcher] = [:]
    /// The same in their order.
    private var all: [NamespaceWatcher] = []
    private var lost = CounterDelta()
    private var missed = CounterDelta()

    /// How many records have been read so far.
    private(set) var count: UInt64 = 0

    /// How often a record that a processor has begun to write is waited for.
    private static let patience = 1000

    /// Attaches to the tracepoints.
    ///
    /// - Throws: ``/SockDiag/KernelError``.
    init(_ filter: TraceFilter, ringSize: Int) throws(KernelError) {
        trace = try KernelTrace(filter, ringSize: ringSize)
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

    /// Hands over all that the kernel has reported until now. What was lost by now was lost before some of it, and comes first.
    func drain() {
        if let loss = takeLost() { note(loss) }
        let now = EventTime.now()
        for _ in 0..<Self.patience {
            let isComplete = trace.read { record in
                count += 1
                watchers[record.namespace]?.take(record, at: now.at(record.time))
            }
            if isComplete { break }
            sched_yield()
        }
    }

    /// The records that found no room since this was asked last; nil for none.
    private func takeLost() -> Loss? {
        let count = lost.advance(to: trace.lostCount)
        guard count > 0 else { return nil }
        return Loss(.trace, .overrun, count: count, includesRefusals: trace.lostCount(of: .resetReceived) > 0)
    }

    /// Hands over how many events the kernel passed over since this was called last. It takes some system calls.
    func noteMissed() {
        if let loss = takeMissed() { note(loss) }
    }

    /// Something was lost, of no namespace in particular: it is reported once, and each is dumped.
    private func note(_ loss: Loss) {
        for (index, watcher) in all.enumerated() {
            var loss = loss
            if index > 0 { loss.count = 0 }
            watcher.take(.lost(loss), at: .now())
        }
    }

    private func takeMissed() -> Loss? {
        let counts = TraceRecord.Event.allCases.map { (event: $0, count: trace.missedCount(of: $0)) }
        let count = missed.advance(to: counts.reduce(0) { $0 &+ $1.count })
        guard count > 0 else { return nil }
        let refusals = counts.contains { $0.event == .resetReceived && $0.count > 0 }
        return Loss(.trace, .passedOver, count: count, includesRefusals: refusals)
    }
}
