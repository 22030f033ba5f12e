/// A moment, on both of the kernel's clocks.
///
/// How long something lasted is the difference of monotonic times, which nobody sets: ``duration(to:)``. That clock
/// stands still while the machine is suspended, and so does every duration that a watcher reports: a connection that
/// was open for a minute, of which the machine slept half, has lasted 30 seconds. The wall time goes on, but is set by
/// people and by NTP.
///
/// Of Swift's clocks, `SuspendingClock` is the monotonic clock, so that a conversion is exact: `SuspendingClock.Instant(time)`.
/// `ContinuousClock` is `CLOCK_BOOTTIME`, which counts suspends too: see `ContinuousClock.Instant(time)`.
///
/// Source: `clock_gettime(2)`; `swift_get_time()` of Swift's runtime.
public struct EventTime: Hashable, Sendable {
    /// `CLOCK_MONOTONIC`, nanoseconds: since the boot, suspends left out.
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

extension EventTime {
    /// A moment by the time since the boot and since 1970 UTC, to the nanosecond; what is negative counts as 0.
    public init(monotonic: Duration, realtime: Duration) {
        self.init(monotonicNanoseconds: monotonic.nanoseconds, realtimeNanoseconds: realtime.nanoseconds)
    }

    /// The time since the boot, suspends left out (`CLOCK_MONOTONIC`).
    public var monotonic: Duration { Duration(nanoseconds: monotonicNanoseconds) }

    /// The wall time: the time since 1970 UTC (`CLOCK_REALTIME`). Its `components` are seconds and attoseconds.
    public var realtime: Duration { Duration(nanoseconds: realtimeNanoseconds) }

    /// Returns how long it is from this moment to another, suspends left out; negative where that was before.
    public func duration(to other: EventTime) -> Duration { other.monotonic - monotonic }

    /// Returns the moment that is so much later, by both clocks; earlier where the duration is negative.
    public func advanced(by duration: Duration) -> EventTime {
        EventTime(monotonic: monotonic + duration, realtime: realtime + duration)
    }
}

extension SuspendingClock.Instant {
    /// The instant of an event's time: exactly that, as both are `CLOCK_MONOTONIC` on Linux.
    public init(_ time: EventTime) { self = SuspendingClock().systemEpoch.advanced(by: time.monotonic) }
}
