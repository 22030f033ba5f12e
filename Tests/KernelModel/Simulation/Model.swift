internal import ConnectionTracking
package import SocketValues

/// Runs scenarios with a tracker, and makes those in which it fails small.
package enum Model {
    /// What came of a scenario.
    package struct Outcome: Sendable {
        /// What was wrong; nil for nothing.
        package var violation: Violation?
        /// How many lives there were.
        package var lives = 0
        /// How many inputs the tracker took.
        package var inputs = 0
        /// How many transitions it reported.
        package var transitions = 0
        /// What the kernel and the sources did.
        package var features = Features()
        /// Each state that a life was in.
        package var states = TCPStateSet()

        /// Nothing was run.
        package init() {}
    }

    /// Runs a scenario with the tracker of this package; where `reproduces`, the inputs are given to a second one, which must
    /// say the same.
    package static func check(_ scenario: Scenario, reproduces: Bool = false) -> Outcome {
        check(scenario, with: ConnectionTracker.self, reproduces: reproduces)
    }

    /// Runs a scenario with a tracker of a type.
    package static func check<Tracker: Tracking & ~Copyable>(
        _ scenario: Scenario,
        with type: Tracker.Type,
        reproduces: Bool = false
    ) -> Outcome {
        let simulation = Simulation<Tracker>(scenario, keepsJournal: reproduces)
        var outcome = Outcome()
        outcome.violation = simulation.run()
        if outcome.violation == nil, reproduces,
            simulation.journal?.isReproduced(by: type, scenario.configuration) == false
        {
            let text = "the same inputs gave other outputs"
            outcome.violation = Violation(kind: .notReproduced, detail: text, time: 0, cookies: [])
        }
        outcome.lives = simulation.kernel.lives.count
        outcome.inputs = simulation.inputs
        outcome.transitions = simulation.oracle.transitions
        outcome.features = simulation.kernel.features
        for life in simulation.kernel.lives {
            for transition in life.transitions { outcome.states.insert(TCPStateSet(transition.to)) }
        }
        return outcome
    }

    /// A scenario as small as may be in which the same is wrong, with what happened in it, as text.
    package static func explain(_ scenario: Scenario, _ violation: Violation) -> String {
        explain(scenario, violation, with: ConnectionTracker.self)
    }

    /// The same with a tracker of a type.
    package static func explain<Tracker: Tracking & ~Copyable>(
        _ scenario: Scenario,
        _ violation: Violation,
        with type: Tracker.Type
    ) -> String {
        let small = shrink(scenario, violation, with: type)
        let simulation = Simulation<Tracker>(small, keepsJournal: true)
        guard let found = simulation.run() else { return "\(violation)\n\(scenario)" }
        let cookies = found.cookies.filter { $0 != .any }
        return "\(found)\n\(small)\(simulation.journal?.text(about: cookies) ?? "")"
    }

    /// A scenario as small as may be in which the same is wrong.
    package static func shrink<Tracker: Tracking & ~Copyable>(
        _ scenario: Scenario,
        _ violation: Violation,
        with type: Tracker.Type
    ) -> Scenario {
        var small = scenario
        var left = 3000
        func isStillWrong(_ candidate: Scenario) -> Bool {
            left -= 1
            return left > 0 && check(candidate, with: type).violation?.kind == violation.kind
        }
        var hasChanged = true
        while hasChanged, left > 0 {
            hasChanged = false
            // Plays, in ever smaller parts; then acts; then the sources' habits.
            var size = max(small.plays.count / 2, 1)
            while size >= 1 {
                var start = 0
                while start < small.plays.count, small.plays.count > 1 {
                    var candidate = small
                    candidate.plays.removeSubrange(start..<min(start + size, candidate.plays.count))
                    if isStillWrong(candidate) { (small, hasChanged) = (candidate, true) } else { start += size }
                }
                size /= 2
            }
            for play in small.plays.indices {
                var act = small.plays[play].acts.count - 1
                while act >= 0 {
                    var candidate = small
                    let removed = candidate.plays[play].acts.remove(at: act)
                    if act < candidate.plays[play].acts.count { candidate.plays[play].acts[act].delay += removed.delay }
                    if isStillWrong(candidate) { (small, hasChanged) = (candidate, true) }
                    act -= 1
                }
            }
            for path in Habits.switches {
                var candidate = small
                guard candidate.habits[keyPath: path.key] != path.value else { continue }
                candidate.habits[keyPath: path.key] = path.value
                if isStillWrong(candidate) { (small, hasChanged) = (candidate, true) }
            }
            var candidate = small
            candidate.habits.dumpLength = 0
            if small.habits.dumpLength != 0, isStillWrong(candidate) { (small, hasChanged) = (candidate, true) }
        }
        return small
    }
}

extension Habits {
    /// The switches, and how each is where the sources report what is true at once.
    fileprivate static var switches: [(key: WritableKeyPath<Habits, Bool>, value: Bool)] {
        [
            (\.losesReports, false), (\.losesCount, false), (\.failsLookups, false), (\.missesRows, false),
            (\.repeatsRows, false), (\.cutsDumps, false), (\.isSlow, false), (\.stampsRowsAtBeginning, false),
            (\.reportsExisting, true), (\.showsBound, true), (\.reportsReasons, true), (\.reportsRefusals, true),
            (\.reportsTimeWaitLimit, true), (\.resynchronizes, false),
        ]
    }
}
