internal import Testing

@testable internal import TCPWatch

@Suite("When sockets are dumped") struct DumpScheduleTests {
    private static let millisecond: UInt64 = 1_000_000

    /// What is said of dumps that begin when they are due, or so much later.
    private func slowed(_ dumps: [(cost: UInt64, duration: UInt64, lateness: UInt64)]) -> [Duration] {
        var schedule = DumpSchedule(SocketWatcher.Configuration(), isTraced: false)
        var now: UInt64 = 1_000_000_000_000
        return dumps.compactMap { dump in
            let end = now + (dump.lateness + dump.duration) * Self.millisecond
            let work = DumpSchedule.Work(
                cost: dump.cost * Self.millisecond,
                duration: dump.duration * Self.millisecond
            )
            defer { now = max(end, schedule.due) }
            return schedule.noteDump(schedule.frequent.scope, work, at: end, failed: false)
        }
    }

    @Test func `A dump that comes late, or is held up once, does not say that dumps take longer than the interval`() {
        #expect(slowed([(1, 1, 0), (1, 1, 5000), (1, 1, 0), (1, 1, 5000), (1, 1, 900), (1, 1, 900)]).isEmpty)
        #expect(slowed([(1, 1, 0), (1, 3000, 0), (1, 1, 0), (1, 3000, 0)]).isEmpty)
    }

    @Test func `Dumps that take longer than the interval say once how often there is one`() {
        #expect(slowed([(1, 1, 0), (600, 610, 0), (600, 610, 0)]) == [.milliseconds(750)])
        #expect(slowed(Array(repeating: (100, 300, 0), count: 9)) == [.milliseconds(500)])
    }
}
