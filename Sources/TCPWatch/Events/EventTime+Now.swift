internal import Glibc
public import SocketValues

extension EventTime {
    /// The moment now.
    public static func now() -> EventTime {
        EventTime(
            monotonicNanoseconds: nanoseconds(CLOCK_MONOTONIC),
            realtimeNanoseconds: nanoseconds(CLOCK_REALTIME)
        )
    }

    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}
