internal import ConnectionTracking
internal import SockDiag

/// When a namespace's sockets are dumped: as often as is useful, and no more often than the budget allows.
struct DumpSchedule {
    /// A dump that comes again and again.
    struct Turn {
        let scope: DumpScope
        private var shortest: UInt64
        /// The share of a processor that it may take; nil for any.
        private let share: Double?
        /// From one to the next, nanoseconds.
        private(set) var period: UInt64
        /// When the next is due, monotonic nanoseconds.
        fileprivate(set) var due: UInt64 = 0
        private var hasSlowed = false
        /// How many in a row were too long.
        private var longOnes = 0

        /// So many in a row that are too long are no accident.
        private static let evidence = 4

        fileprivate init(_ scope: DumpScope, every shortest: Duration, share: Double?) {
            self.scope = scope
            self.shortest = Self.nanoseconds(shortest)
            self.share = share
            period = self.shortest
        }

        /// At least a millisecond. At most a century: then no sum below overflows.
        private static func nanoseconds(_ shortest: Duration) -> UInt64 {
            min(max(shortest.nanoseconds, 1_000_000), 1 << 61)
        }

        /// From now on there is another interval, and a dump at once.
        fileprivate mutating func change(_ interval: Duration) {
            shortest = Self.nanoseconds(interval)
            (period, due, hasSlowed, longOnes) = (shortest, 0, false, 0)
        }

        /// A dump was made. The interval that is kept, once, where it is longer than was asked and there is no budget that
        /// asks for it. That a dump comes late, or is held up once, is the machine's doing: it has to take that much of a
        /// processor, or as long several times in a row.
        fileprivate mutating func note(_ work: Work, at now: UInt64) -> Duration? {
            if let share {
                period = share > 0 ? max(shortest, UInt64(min(Double(work.cost) / share, 1e18))) : .max / 2
                due = now &+ period
                return nil
            }
            // A grid without drift, of which ticks that cannot be kept are left out.
            let start = due
            due = start == 0 ? now + shortest : start + shortest
            if due <= now { due += ((now - due) / shortest + 1) * shortest }
            longOnes = work.duration > shortest ? longOnes + 1 : 0
            guard start != 0, work.cost > shortest || longOnes >= Self.evidence, !hasSlowed else { return nil }
            hasSlowed = true
            let length = work.cost > shortest ? work.cost : work.duration
            return .nanoseconds(Int64(clamping: (length / shortest + 1) * shortest))
        }
    }

    /// What a dump took.
    struct Work {
        /// Of a processor, nanoseconds.
        let cost: UInt64
        /// From its beginning to its end, nanoseconds.
        let duration: UInt64
    }

    /// All sockets: finds what was lost unnoticed.
    private(set) var all: Turn
    /// What no other source reports: the half-open requests, and without the tracepoints all but TIME_WAITs.
    private(set) var frequent: Turn
    /// What a tracker has asked for.
    private var wanted: DumpScope?
    /// Before this moment there is none even where something was lost: dumps that lose more would never end.
    private var earliest: UInt64 = 0
    /// How often a dump has failed in a row.
    private var failures = 0

    /// After a dump, this many times as long is left for reading.
    private static let restraint: UInt64 = 4
    /// What was lost is looked for after this time at most, whatever a dump costs.
    private static let longestDoubt: UInt64 = 15_000_000_000

    init(_ configuration: SocketWatcher.Configuration, isTraced: Bool) {
        let share = configuration.reconciliationBudget / 2
        all = Turn(.all, every: configuration.reconciliationInterval, share: isTraced ? share : 0.05)
        let scope: DumpScope = isTraced ? .handshakes : configuration.usesDestroyEvents ? .allButTimeWait : .all
        frequent = Turn(scope, every: configuration.interval, share: isTraced ? share : nil)
    }

    /// When the next dump is due, monotonic nanoseconds.
    var due: UInt64 { min(all.due, frequent.due, wanted == nil ? .max : earliest) }

    /// Another interval was asked for.
    mutating func change(interval: Duration) { frequent.change(interval) }

    /// The next poll is due at once, and from then on the others.
    mutating func hasten() { frequent.due = 0 }

    /// Whether a poll is due at once.
    var isHastened: Bool { frequent.due == 0 }

    /// A tracker wants a dump as soon as may be.
    mutating func want(_ scope: DumpScope) { wanted = wanted == nil || wanted == scope ? scope : .all }

    /// The dump that is due, nil for none.
    func next(at now: UInt64) -> DumpScope? {
        if let wanted, earliest <= now { return wanted }
        if all.due <= now { return .all }
        return frequent.due <= now ? frequent.scope : nil
    }

    /// A dump was made. The interval that is kept, once, where it is longer than was asked.
    mutating func noteDump(_ scope: DumpScope, _ work: Work, at now: UInt64, failed: Bool) -> Duration? {
        earliest = now &+ min(Self.restraint * min(work.cost, 1 << 60), Self.longestDoubt)
        guard !failed else {
            failures += 1
            let pause = (1_000_000 as UInt64) << UInt64(min(3 + failures, 13))
            (all.due, frequent.due, earliest) = (max(all.due, now + pause), max(frequent.due, now + pause), now + pause)
            return nil
        }
        failures = 0
        if wanted == scope || scope == .all { wanted = nil }
        var slowed: Duration?
        if scope == .all { slowed = all.note(work, at: now) }
        if scope == frequent.scope || scope == .all && frequent.due <= now {
            slowed = frequent.note(work, at: now) ?? slowed
        }
        return slowed
    }
}
