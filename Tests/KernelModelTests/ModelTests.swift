internal import ConnectionTracking
internal import KernelModel
internal import SocketValues
internal import Testing

/// The tracker against the model, in each way of watching; `make model` runs a million lives.
struct ModelTests {
    @Test("What the tracker reports is what was true", arguments: Scenario.Mode.allCases, [false, true])
    func reportsWhatIsTrue(mode: Scenario.Mode, hasLosses: Bool) {
        for seed in 1...40 as ClosedRange<UInt64> {
            let scenario = Scenario(seed: seed, mode: mode, losses: hasLosses)
            let outcome = Model.check(scenario, reproduces: seed % 4 == 0)
            guard let violation = outcome.violation else { continue }
            Issue.record("seed \(seed): \(Model.explain(scenario, violation))")
            return
        }
    }

    @Test("A scenario is the same for the same seed, on every run")
    func isDeterministic() {
        let first = Model.check(Scenario(seed: 7, mode: .trace))
        let second = Model.check(Scenario(seed: 7, mode: .trace))
        #expect(first.inputs == second.inputs)
        #expect(first.transitions == second.transitions)
        #expect(Scenario(seed: 7, mode: .poll).description == Scenario(seed: 7, mode: .poll).description)
    }

    @Test("The model's kernel comes to every state and does every odd thing")
    func reachesAll() {
        var features = Features()
        var states = TCPStateSet()
        for seed in 1...160 as ClosedRange<UInt64> {
            for mode in Scenario.Mode.allCases {
                // A tracker that says nothing fails no check but the last, so that all of each scenario is played.
                let scenario = Scenario(seed: seed, mode: mode, losses: seed % 4 == 0)
                let outcome = Model.check(scenario, with: SilentTracker.self)
                features.formUnion(outcome.features)
                states.formUnion(outcome.states)
            }
        }
        // Who asks nothing gets no answers.
        let ofAnswers: [Feature] = [.lookupFailed, .listenerAnswered, .transitionUnread, .oldStateAnswered, .lateWake]
        for feature in Feature.allCases where !ofAnswers.contains(feature) {
            #expect(features.contains(feature), "\(feature)")
        }
        #expect(TCPState.allCases.allSatisfy(states.contains))
    }

    @Test("The driver answers late, with the old state, or not at all")
    func answersBadly() {
        var features = Features()
        for seed in 1...60 as ClosedRange<UInt64> {
            for mode in Scenario.Mode.allCases {
                features.formUnion(Model.check(Scenario(seed: seed, mode: mode)).features)
            }
        }
        for feature in [Feature.lookupFailed, .listenerAnswered, .transitionUnread, .oldStateAnswered, .lateWake] {
            #expect(features.contains(feature), "\(feature)")
        }
    }
}

/// A tracker that says nothing.
struct SilentTracker: Tracking, ~Copyable {
    init(_ configuration: ConnectionTracker.Configuration) {}
    mutating func take(_ input: Input, into outputs: inout [Output]) {}
    var wakeTime: UInt64 { .max }
    var count: Int { 0 }
    func forEach(_ body: (TrackedSocket) -> Void) {}
    var isEmpty: Bool { true }
}
