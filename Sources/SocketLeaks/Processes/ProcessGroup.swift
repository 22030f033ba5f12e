internal import SockDiag

/// The processes of a scope: those that run, and those that have ended and whose sockets are not settled yet.
///
/// A watcher knows owners by their numbers alone, and may report a socket after its owner has ended. Which process had the
/// number is known by the time: one process has it from some moment after the last snapshot without it to the first
/// snapshot without it again.
package struct ProcessGroup: Sendable {
    private struct Span {
        let process: ProcessIdentity
        /// The last snapshot in which it was not there, monotonic nanoseconds.
        let missingBefore: UInt64
        /// The first snapshot in which it was not there any more.
        var missingAfter: UInt64?
    }

    private var spans: [Int32: [Span]] = [:]
    private var lastSnapshot: UInt64

    /// A group that begins now, monotonic nanoseconds.
    package init(at time: UInt64 = 0) { lastSnapshot = time }

    /// The number of processes that it remembers.
    package var count: Int { spans.values.reduce(0) { $0 + $1.count } }

    /// Takes a snapshot of the processes that run.
    package mutating func update(_ running: Set<ProcessIdentity>, at time: UInt64) {
        for (pid, known) in spans {
            for (index, span) in known.enumerated() {
                if running.contains(span.process) {
                    // A list of children may lack one that is there.
                    if span.missingAfter != nil { spans[pid]?[index].missingAfter = nil }
                } else if span.missingAfter == nil {
                    spans[pid]?[index].missingAfter = time
                }
            }
        }
        for process in running where !contains(process) {
            spans[process.pid, default: []].append(Span(process: process, missingBefore: lastSnapshot))
        }
        lastSnapshot = max(lastSnapshot, time)
    }

    /// Whether it is or was one of the group.
    package func contains(_ process: ProcessIdentity) -> Bool {
        spans[process.pid]?.contains { $0.process == process } ?? false
    }

    /// The process of the group that had the number at a time, monotonic nanoseconds; nil where none of the group did.
    package func process(_ pid: Int32, at time: UInt64) -> ProcessIdentity? {
        spans[pid]?.last { $0.missingBefore <= time && time <= $0.missingAfter ?? .max }?.process
    }

    /// Forgets the processes that had ended by a time, monotonic nanoseconds, and that nothing needs.
    package mutating func forgetEnded(by time: UInt64, unless isNeeded: (ProcessIdentity) -> Bool) {
        spans = spans.compactMapValues { known in
            let kept = known.filter { $0.missingAfter.map { $0 > time } ?? true || isNeeded($0.process) }
            return kept.isEmpty ? nil : kept
        }
    }

    /// Whether there is one that ended by a time, monotonic nanoseconds.
    package func hasEnded(by time: UInt64) -> Bool {
        spans.values.contains { $0.contains { $0.missingAfter.map { $0 <= time } ?? false } }
    }
}
