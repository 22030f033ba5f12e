internal import SockDiag

/// The times of the dumps: a grid without drift, of which ticks that cannot be kept are left out.
struct TickClock {
    private let interval: UInt64
    private(set) var next: UInt64
    private var hasSlowed = false

    init(interval: Duration) {
        // At most a century: then no sum below overflows.
        self.interval = min(max(interval.nanoseconds, 1_000_000), 1 << 61)
        next = EventTime.now().monotonicNanoseconds + self.interval
    }

    /// Whether the time has come.
    var isDue: Bool { EventTime.now().monotonicNanoseconds >= next }

    /// A dump has been made: sets the next time. The interval that is kept, once, where it is longer than was asked.
    mutating func tick() -> Duration? {
        let now = EventTime.now().monotonicNanoseconds
        let start = next
        if next <= now { next += ((now - next) / interval + 1) * interval }
        guard next - start > interval, start != 0, !hasSlowed else { return nil }
        hasSlowed = true
        return .nanoseconds(Int64(clamping: next - start))
    }
}
