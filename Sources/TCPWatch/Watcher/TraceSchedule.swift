internal import Glibc
internal import SockDiag

/// When a namespace's sockets are dumped where the kernel reports their steps: as often as is useful, and no more often
/// than the budget allows.
struct TraceSchedule {
    /// One kind of dump.
    struct Turn {
        private let shortest: UInt64
        private let share: Double
        /// From one to the next, nanoseconds.
        private(set) var period: UInt64
        /// When the next is due, monotonic nanoseconds.
        var due: UInt64 = 0
        /// Before this moment there is none even where something was lost: dumps that lose more would never end.
        private var earliest: UInt64 = 0

        fileprivate init(every shortest: Duration, share: Double) {
            self.shortest = min(max(shortest.nanoseconds, 1_000_000), 1 << 61)
            self.share = share
            period = self.shortest
        }

        /// Makes the dump, and sets when the next is due by what this one has cost.
        mutating func take<Failure: Error>(_ body: () throws(Failure) -> Void) throws(Failure) {
            let start = Self.processorTime
            try body()
            let cost = Double(Self.processorTime &- start)
            period = share > 0 ? max(shortest, UInt64(min(cost / share, 1e18))) : .max / 2
            let now = EventTime.now().monotonicNanoseconds
            due = now &+ period
            earliest = now &+ Self.restraint * UInt64(min(cost, 1e18))
        }

        /// Something was lost: the next is due as soon as may be.
        mutating func hasten() { due = min(due, earliest) }

        /// After a dump, this many times as long is left for reading.
        private static var restraint: UInt64 { 4 }

        /// What the calling thread has used of a processor, the kernel's work for it included.
        private static var processorTime: UInt64 {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
        }
    }

    /// All sockets.
    var reconciliation: Turn
    /// Those whose handshake is not done.
    var glance: Turn

    init(_ configuration: SocketWatcher.Configuration) {
        let share = configuration.reconciliationBudget / 2
        reconciliation = Turn(every: configuration.reconciliationInterval, share: share)
        glance = Turn(every: configuration.interval, share: share)
    }
}
