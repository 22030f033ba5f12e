internal import LinuxLibC

/// A clock of the kernel's.
///
/// C: `clock_gettime(2)`.
package enum SystemClock: Sendable {
    /// Since the machine was started (`CLOCK_MONOTONIC`).
    case monotonic
    /// Since 1970 UTC (`CLOCK_REALTIME`).
    case realtime
    /// What the calling thread has used of a processor, the kernel's work for it included (`CLOCK_THREAD_CPUTIME_ID`).
    case threadProcessorTime

    /// What it shows, nanoseconds.
    package var nanoseconds: UInt64 {
        var time = timespec()
        clock_gettime(number, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    /// From one tick of the kernel's timers to the next, nanoseconds: a second divided by `CONFIG_HZ`.
    package static var tick: UInt64 {
        var time = timespec()
        // The resolution of a coarse clock is the kernel's `TICK_NSEC` (`kernel/time/posix-timers.c`).
        clock_getres(CLOCK_MONOTONIC_COARSE, &time)
        return UInt64(time.tv_nsec)
    }

    private var number: clockid_t {
        switch self {
        case .monotonic: CLOCK_MONOTONIC
        case .realtime: CLOCK_REALTIME
        case .threadProcessorTime: CLOCK_THREAD_CPUTIME_ID
        }
    }
}
