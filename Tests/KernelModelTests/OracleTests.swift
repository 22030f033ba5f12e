internal import ConnectionTracking
internal import KernelModel
internal import SocketValues
internal import Testing

/// The oracle notices what a tracker does wrong: one that is right but for one thing fails, and the failure is made small.
struct OracleTests {
    private static func kinds<Tracker: WrongTracker & ~Copyable>(_ type: Tracker.Type) -> Set<Violation.Kind> {
        var kinds: Set<Violation.Kind> = []
        for seed in 1...12 as ClosedRange<UInt64> {
            if let violation = Model.check(Scenario(seed: seed, mode: .trace), with: type).violation {
                kinds.insert(violation.kind)
            }
        }
        return kinds
    }

    @Test("A tracker that says nothing of what was reported is found out")
    func silent() {
        let outcome = Model.check(Scenario(seed: 3, mode: .trace), with: SilentTracker.self)
        #expect(outcome.violation != nil)
    }

    @Test("A lost transition, a wrong time, a wrong cause, a wrong pid, and a wrong certainty are found out")
    func wrong() {
        #expect(Self.kinds(Forgetful.self).contains(.doesNotFollow))
        #expect(!Self.kinds(Late.self).isDisjoint(with: [.exactAtWrongTime, .timeGoesBack, .wrongTimeInState]))
        #expect(Self.kinds(Confused.self).contains(.wrongCause))
        #expect(Self.kinds(Accusing.self).contains(.wrongPid))
        #expect(!Self.kinds(Certain.self).isDisjoint(with: [.exactUnreported, .exactWithVia, .exactAtWrongTime]))
    }

    @Test("What fails is made small")
    func shrinks() throws {
        for seed in 1...12 as ClosedRange<UInt64> {
            let scenario = Scenario(seed: seed, mode: .trace)
            guard let violation = Model.check(scenario, with: Confused.self).violation else { continue }
            let small = Model.shrink(scenario, violation, with: Confused.self)
            #expect(small.plays.count == 1)
            #expect(Model.check(small, with: Confused.self).violation?.kind == violation.kind)
            return
        }
        Issue.record("no scenario fails")
    }
}

/// A tracker that is right but for one thing.
protocol WrongTracker: Tracking, ~Copyable {
    var right: ConnectionTracker { get set }
    static func change(_ transition: inout Transition) -> Bool
}

extension WrongTracker where Self: ~Copyable {
    mutating func take(_ input: Input, into outputs: inout [Output]) {
        right.take(input, into: &outputs)
        for index in outputs.indices.reversed() {
            guard case .transition(var transition) = outputs[index] else { continue }
            if Self.change(&transition) { outputs[index] = .transition(transition) } else { outputs.remove(at: index) }
        }
    }
    var wakeTime: UInt64 { right.wakeTime }
    var count: Int { right.count }
    func forEach(_ body: (TrackedSocket) -> Void) { right.forEach(body) }
    var isEmpty: Bool { right.isEmpty }
}

/// It does not report FIN_WAIT_1.
struct Forgetful: WrongTracker, ~Copyable {
    var right: ConnectionTracker
    init(_ configuration: ConnectionTracker.Configuration) { right = ConnectionTracker(configuration) }
    static func change(_ transition: inout Transition) -> Bool { transition.to != .finWait1 }
}

/// It reports exact transitions a nanosecond too early.
struct Late: WrongTracker, ~Copyable {
    var right: ConnectionTracker
    init(_ configuration: ConnectionTracker.Configuration) { right = ConnectionTracker(configuration) }
    static func change(_ transition: inout Transition) -> Bool {
        transition.time.monotonicNanoseconds -= 1
        return true
    }
}

/// It takes each end of an established connection for a RST of the peer.
struct Confused: WrongTracker, ~Copyable {
    var right: ConnectionTracker
    init(_ configuration: ConnectionTracker.Configuration) { right = ConnectionTracker(configuration) }
    static func change(_ transition: inout Transition) -> Bool {
        if transition.to == .closed, transition.from != .listen { transition.cause = .receiveRST }
        return true
    }
}

/// It names a process for each transition.
struct Accusing: WrongTracker, ~Copyable {
    var right: ConnectionTracker
    init(_ configuration: ConnectionTracker.Configuration) { right = ConnectionTracker(configuration) }
    static func change(_ transition: inout Transition) -> Bool {
        transition.pid = transition.pid ?? 1
        return true
    }
}

/// It is sure of everything.
struct Certain: WrongTracker, ~Copyable {
    var right: ConnectionTracker
    init(_ configuration: ConnectionTracker.Configuration) { right = ConnectionTracker(configuration) }
    static func change(_ transition: inout Transition) -> Bool {
        transition.certainty = .exact
        return true
    }
}
