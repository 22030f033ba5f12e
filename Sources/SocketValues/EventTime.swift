/// A moment, on both of the kernel's clocks.
public struct EventTime: Hashable, Sendable {
    /// `CLOCK_MONOTONIC`, nanoseconds.
    public var monotonicNanoseconds: UInt64
    /// `CLOCK_REALTIME`, nanoseconds since 1970 UTC.
    public var realtimeNanoseconds: UInt64

    /// A moment.
    public init(monotonicNanoseconds: UInt64, realtimeNanoseconds: UInt64) {
        self.monotonicNanoseconds = monotonicNanoseconds
        self.realtimeNanoseconds = realtimeNanoseconds
    }

    /// The moment of a monotonic time, by how far apart both clocks are now.
    package func at(_ monotonicNanoseconds: UInt64) -> EventTime {
        EventTime(
            monotonicNanoseconds: monotonicNanoseconds,
            realtimeNanoseconds: realtimeNanoseconds &- (self.monotonicNanoseconds &- monotonicNanoseconds)
        )
    }
}
