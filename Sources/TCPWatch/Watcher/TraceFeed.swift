internal import Glibc
internal import KernelTrace
internal import SockDiag

/// The trace of all the namespaces that are watched: sorts its records to their lanes. Belongs to one thread at a time.
final class TraceFeed {
    private let trace: KernelTrace
    private var lanes: [UInt32: NamespaceLane] = [:]
    private var lost: UInt64 = 0
    private var missed: UInt64 = 0
    private var missesRefusals = false

    /// How long a record that a processor has begun to write is waited for.
    private static let patience = 1000

    /// Attaches to the tracepoints.
    ///
    /// - Throws: ``/SockDiag/SockDiagError``.
    init(_ filter: TraceFilter, ringSize: Int) throws(SockDiagError) {
        trace = try KernelTrace(filter, ringSize: ringSize)
    }

    /// Readable while records wait.
    var descriptor: Int32 { trace.descriptor }

    /// The lanes that the records are for.
    func serve(_ lanes: [NamespaceLane]) {
        self.lanes = Dictionary(lanes.map { ($0.inode, $0) }, uniquingKeysWith: { first, _ in first })
        let reasons = trace.missing[.resetSent] == nil ? trace.resetReasons : [:]
        // Kernels from 6.10 on give reasons for the answers to wrong segments, later ones for all.
        let isComplete = reasons.values.contains(ResetReason.abortOnClose.rawValue)
        let known = (isComplete ? reasons : [:]).filter { $0.value != "NOT_SPECIFIED" }
            .mapValues { ResetReason(rawValue: $0) }
        for lane in lanes { lane.tracker.trace?.resetReasons = known }
    }

    /// Hands over all that the kernel has reported until now; how many records.
    @discardableResult
    func drain() -> Int {
        let now = EventTime.now()
        let refusals = TraceRecord.Event.resetReceived
        let hearsRefusals = trace.missing[refusals] == nil && trace.lostCount(of: refusals) == 0 && !missesRefusals
        for lane in lanes.values { lane.tracker.trace?.hearsRefusals = hearsRefusals }
        var count = 0
        for _ in 0..<Self.patience {
            let isComplete = trace.read { record in
                count += 1
                lanes[record.namespace]?.hear(record, at: now.at(record.time))
            }
            if isComplete { break }
            sched_yield()
        }
        return count
    }

    /// How many records found no room since this was asked last.
    func takeLost() -> UInt64 {
        let total = trace.lostCount
        defer { lost = total }
        return total - lost
    }

    /// How many events the kernel passed over since this was asked last. It takes some system calls.
    func takeMissed() -> UInt64 {
        let counts = TraceRecord.Event.allCases.map { (event: $0, count: trace.missedCount(of: $0)) }
        missesRefusals = counts.contains { $0.event == .resetReceived && $0.count > 0 }
        let total = counts.reduce(0) { $0 + $1.count }
        defer { missed = total }
        return total - missed
    }
}
