/// What happens in a simulated network namespace, and what the sources do to the reports of it.
package struct Scenario: Sendable {
    /// How the namespace is watched.
    package enum Mode: String, Sendable, CaseIterable { case trace, poll }

    /// What it was made from.
    package var seed: UInt64
    /// How it is watched.
    package var mode: Mode
    /// What the sources do.
    package var habits: Habits
    /// What happens.
    package var plays: [Play]

    /// A scenario of its parts.
    package init(seed: UInt64, mode: Mode, habits: Habits, plays: [Play]) {
        (self.seed, self.mode, self.habits, self.plays) = (seed, mode, habits, plays)
    }
}

/// A few sockets that have to do with each other, and with those of no other play: a listener in slot 0 where there is
/// one, and connections. Each play has its own addresses and ports.
package struct Play: Sendable {
    /// What it is about.
    package var plot: Plot
    /// Of its addresses, ports and counters.
    package var seed: UInt64
    /// Which it was when the scenario was made: its ports stay when others are left out.
    package var number: Int
    /// When it begins, nanoseconds.
    package var start: UInt64
    /// What happens, in order.
    package var acts: [Act]
}

/// One operation of a play.
package struct Act: Sendable {
    /// After the one before, nanoseconds.
    package var delay: UInt64
    /// Which of the play's sockets.
    package var slot: Int
    /// What happens.
    package var operation: Operation
}

/// What the sources do, beside reporting what is true at once.
package struct Habits: Sendable {
    /// Records of the ring, or messages, are lost and counted.
    package var losesReports = false
    /// The kernel does not say how many messages were lost.
    package var losesCount = false
    /// Lookups fail now and then.
    package var failsLookups = false
    /// Dumps miss rows that are there.
    package var missesRows = false
    /// Dumps show rows twice.
    package var repeatsRows = false
    /// Dumps end before their end.
    package var cutsDumps = false
    /// The driver is late: reports wait, lookups wait, wakes come late.
    package var isSlow = false
    /// Dumps are not over at once.
    package var dumpLength: UInt64 = 0
    /// The rows of a dump have the time when it was asked for, not when their buffer was.
    package var stampsRowsAtBeginning = false
    /// The kernel's messages about destroyed sockets are received; in the mode poll.
    package var reportsDestroyed = false
    /// Existing sockets are reported.
    package var reportsExisting = true
    /// Dumps show bound sockets (6.8 and later).
    package var showsBound = true
    /// The kernel reports why RSTs are sent (6.12 and later).
    package var reportsReasons = true
    /// Each RST that answers a SYN is reported.
    package var reportsRefusals = true
    /// The kernel's types report the limit of TIME_WAITs.
    package var reportsTimeWaitLimit = true
    /// The reader asks for the state anew.
    package var resynchronizes = false
    /// From one dump to the next.
    package var interval: UInt64 = 250_000_000
    /// When watching begins.
    package var start: UInt64 = 0

    /// Sources that report what is true at once.
    package init() {}
}

extension Scenario: CustomStringConvertible {
    /// What happens, for people.
    package var description: String {
        var text = "\(mode.rawValue), seed \(seed), watched from \(habits.start / 1000)µs\n"
        text += "  \(habits)\n"
        for play in plays {
            text += "  play \(play.number) (\(play.plot.rawValue)) from \(play.start / 1000)µs:"
            for act in play.acts { text += " +\(act.delay / 1000)µs \(act.slot).\(act.operation.rawValue)" }
            text += "\n"
        }
        return text
    }
}
