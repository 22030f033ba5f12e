internal import LinuxSystem
internal import SockDiag
public import SocketValues

extension EventTime {
    /// The moment now.
    public static func now() -> EventTime {
        EventTime(
            monotonicNanoseconds: SystemClock.monotonic.nanoseconds,
            realtimeNanoseconds: SystemClock.realtime.nanoseconds
        )
    }
}
