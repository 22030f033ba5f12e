internal import Testing

@testable internal import TCPWatch

@Suite("How reports are waited for follows how fast they come")
struct ReportPaceTests {
    /// A millisecond, in nanoseconds.
    private static let millisecond: UInt64 = 1_000_000

    @Test
    func `A few reports are awaited one by one, many are read in groups, and after a storm few are awaited again`() {
        var pace = ReportPace()
        var (count, time): (UInt64, UInt64) = (0, 1_000_000_000_000)
        /// So many reports a millisecond, for so many milliseconds, each read as it comes.
        func report(_ perMillisecond: UInt64, for milliseconds: UInt64) {
            for _ in 0..<milliseconds {
                count += perMillisecond
                time += Self.millisecond
                pace.note(count, at: time)
            }
        }
        report(1, for: 100)
        #expect(!pace.isStorm)
        report(50, for: 20)
        #expect(pace.isStorm)
        report(1, for: 20)
        #expect(!pace.isStorm)
    }

    @Test func `Many reports after a long silence are no storm yet, and counters that begin anew do no harm`() {
        var pace = ReportPace()
        pace.note(1000, at: 3_600_000_000_000)
        #expect(!pace.isStorm)
        pace.note(0, at: 3_601_000_000_000)
        pace.note(1, at: .max)
        pace.note(2, at: 0)
        #expect(!pace.isStorm)
    }
}
