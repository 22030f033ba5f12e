internal import Glibc

/// A moment, on both of the kernel's clocks.
public struct EventTime: Hashable, Sendable {
    /// `CLOCK_MONOTONIC`, nanoseconds.
    public var monotonicNanoseconds: UInt64
    /// `CLOCK_REALTIME`, nanoseconds since 1970 UTC.
    public var realtimeNanoseconds: UInt64

    /// The moment now.
    public static func now() -> EventTime {
        EventTime(
            monotonicNanoseconds: nanoseconds(CLOCK_MONOTONIC),
            realtimeNanoseconds: nanoseconds(CLOCK_REALTIME)
        )
    }

    /// The moment of a monotonic time, by how far apart both clocks are now.
    func at(_ monotonicNanoseconds: UInt64) -> EventTime {
        EventTime(
            monotonicNanoseconds: monotonicNanoseconds,
            realtimeNanoseconds: realtimeNanoseconds &- (self.monotonicNanoseconds &- monotonicNanoseconds)
        )
    }

    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}
