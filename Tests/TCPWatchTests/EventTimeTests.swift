import SocketValues
import TCPWatch
import Testing

@Suite struct EventTimeTests {
    @Test func `Durations carry every nanosecond, also of numbers that pass 63 bits`() {
        for nanoseconds in [0, 1, 999_999_999, 1_000_000_001, UInt64(Int64.max) + 1, .max] {
            let time = EventTime(monotonicNanoseconds: nanoseconds, realtimeNanoseconds: nanoseconds)
            #expect(EventTime(monotonic: time.monotonic, realtime: time.realtime) == time)
        }
        let time = EventTime(monotonic: .seconds(5), realtime: .seconds(1_767_225_600) + .nanoseconds(7))
        #expect(time.realtime.components.seconds == 1_767_225_600)
        #expect(time.realtime.components.attoseconds == 7_000_000_000)
    }

    @Test func `A moment that is so much later is that far away, and back again`() {
        let time = EventTime(monotonic: .seconds(90), realtime: .seconds(1_767_225_600))
        let later = time.advanced(by: .milliseconds(1500))
        #expect(time.duration(to: later) == .milliseconds(1500))
        #expect(later.duration(to: time) == .milliseconds(-1500))
        #expect(later.advanced(by: .milliseconds(-1500)) == time)
    }

    @Test func `A watcher's clock is SuspendingClock, and a conversion there and back is exact`() {
        let before = SuspendingClock.now
        let time = EventTime.now()
        let after = SuspendingClock.now
        let instant = SuspendingClock.Instant(time)
        #expect((before...after).contains(instant))
        #expect(EventTime(instant).monotonicNanoseconds == time.monotonicNanoseconds)
    }

    @Test func `An event's time is the instant of ContinuousClock at which it was, and back again`() {
        // How far apart the clocks are is read between two steps of a busy machine.
        let slack = Duration.seconds(1)
        let before = ContinuousClock.now
        let time = EventTime.now()
        let after = ContinuousClock.now
        let instant = ContinuousClock.Instant(time)
        #expect((before.advanced(by: .zero - slack)...after.advanced(by: slack)).contains(instant))
        let back = EventTime(instant)
        let differences = [time.duration(to: back), back.realtime - time.realtime]
        for difference in differences { #expect(difference < slack && difference > .zero - slack) }
    }

    @Test func `A minute ago is a minute ago on every clock`() {
        let slack = Duration.seconds(1)
        let past = EventTime.now().advanced(by: .seconds(-60))
        let ages = [
            ContinuousClock.Instant(past).duration(to: .now), SuspendingClock.Instant(past).duration(to: .now),
            past.duration(to: .now()),
        ]
        for age in ages { #expect((.seconds(60)...(.seconds(60) + slack)).contains(age + .milliseconds(1))) }
    }
}
