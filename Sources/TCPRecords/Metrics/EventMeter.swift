internal import ConnectionTracking
package import SocketValues
package import TCPWatch

/// Counts what a watcher reports: the counters and histograms of the ``Catalogue``. None of them ever goes back, whatever
/// is reported anew.
package struct EventMeter: Sendable {
    private var transitions: [Step: Counted] = [:]
    private var inferred: UInt64 = 0
    private var connections: [UInt64]
    private var closed: [UInt64]
    private var durations: [Histogram]
    private var handshakes: [Histogram]
    private var roundTrips: [Histogram]
    private var stateDurations: [TCPState: Histogram]
    private var (sent, received): (UInt64, UInt64) = (0, 0)
    private var lost: [Gap.Source: UInt64] = [:]

    private struct Step: Hashable {
        let from: TCPState
        let to: TCPState
    }

    private struct Counted: Sendable {
        var count: UInt64 = 0
        var last: MetricFamily.Exemplar?
    }

    /// Which side opened a connection.
    private enum Role: String, CaseIterable {
        case client, server

        init?(_ side: OpeningSide) {
            switch side {
            case .active: self = .client
            case .passive: self = .server
            default: return nil
            }
        }

        var index: Int { self == .client ? 0 : 1 }
    }

    /// What came of an attempt to open a connection.
    private enum Outcome: String, CaseIterable {
        case success, refused, reset
        case timedOut = "timed_out"
        case hostUnreachable = "host_unreachable"
        case noPort = "no_port"
        case other

        init(_ cause: TCPStep.Trigger?, _ role: Role) {
            switch cause {
            case .receiveRST: self = role == .client ? .refused : .reset
            case .timeout: self = .timedOut
            case .unreachable: self = .hostUnreachable
            default: self = .other
            }
        }
    }

    /// What ended a connection.
    private enum Ending: String, CaseIterable {
        case fin
        case resetSent = "reset_sent"
        case resetReceived = "reset_received"
        case timedOut = "timed_out"
        case unknown

        init(_ transition: Transition) {
            switch transition.cause {
            case .receiveRST: self = .resetReceived
            case .abort: self = .resetSent
            case .timeout: self = .timedOut
            case .receiveACK, .receiveFIN, .receiveFINACK: self = .fin
            default: self = transition.to == .timeWait ? .fin : .unknown
            }
        }
    }

    /// The states of which it is counted how long they last.
    private static let timedStates: [TCPState] = [.closeWait, .finWait2, .synReceived, .synSent, .lastAck]

    /// Nothing has happened.
    package init() {
        for step in TCPStateMachine.steps { transitions[Step(from: step.from, to: step.to)] = Counted() }
        connections = Array(repeating: 0, count: Role.allCases.count * Outcome.allCases.count)
        closed = Array(repeating: 0, count: Role.allCases.count * Ending.allCases.count)
        func perRole(_ metric: Metric) -> [Histogram] { Role.allCases.map { _ in metric.empty } }
        (durations, handshakes) = (perRole(Catalogue.duration), perRole(Catalogue.handshake))
        roundTrips = perRole(Catalogue.rtt)
        stateDurations = Dictionary(
            uniqueKeysWithValues: Self.timedStates.map { ($0, Catalogue.stateDuration.empty) }
        )
        for source in Self.losing { lost[source] = 0 }
    }

    /// Where events can be lost.
    private static let losing: [Gap.Source] = [.destroy, .trace, .reader, .namespace]

    /// Counts an event.
    package mutating func note(_ event: SocketEvent) {
        switch event {
        case .transition(let transition): note(transition)
        case .gap(let gap): if let number = gap.lost { lost[gap.source, default: 0] &+= number }
        default: break
        }
    }

    private mutating func note(_ transition: Transition) {
        if transition.certainty == .inferred { inferred &+= 1 }
        guard let from = transition.from else { return noteEnd(transition, from: nil) }
        var state = from
        for next in transition.via + [transition.to] {
            count(Step(from: state, to: next), transition)
            if next == .established { noteOutcome(.success, transition) }
            state = next
        }
        if let duration = transition.timeInState, stateDurations[from] != nil {
            stateDurations[from]?.add(duration)
        }
        noteHandshake(transition, from: from)
        noteEnd(transition, from: from)
    }

    private mutating func count(_ step: Step, _ transition: Transition) {
        transitions[step, default: Counted()].count &+= 1
        // The first of each second is enough of an example.
        let time = transition.time.realtimeNanoseconds
        if let last = transitions[step]?.last, time / 1_000_000_000 == last.time / 1_000_000_000 { return }
        let identity = transition.identity
        let labels = [
            ("cookie", "\(identity.cookie)"), ("local", "\(identity.local)"), ("peer", "\(identity.remote)"),
        ]
        transitions[step]?.last = MetricFamily.Exemplar(labels, at: time)
    }

    private mutating func noteOutcome(_ outcome: Outcome, _ transition: Transition) {
        guard let role = Role(transition.openedBy) else { return }
        let index = Outcome.allCases.firstIndex(of: outcome) ?? 0
        connections[role.index * Outcome.allCases.count + index] &+= 1
    }

    private mutating func noteHandshake(_ transition: Transition, from: TCPState) {
        guard let role = Role(transition.openedBy) else { return }
        let isOpening = from == .synSent || from == .synReceived
        if isOpening, transition.to == .closed, transition.via.isEmpty {
            return noteOutcome(Outcome(transition.cause, role), transition)
        }
        // What a dump has shown of it is as coarse as the interval.
        if isOpening, transition.to == .established, transition.certainty == .exact,
            let duration = transition.timeInState
        {
            handshakes[role.index].add(duration)
        }
    }

    /// A connection that was open is closed by both sides, or gone.
    private mutating func noteEnd(_ transition: Transition, from: TCPState?) {
        if let final = transition.final, transition.to == .closed {
            sent &+= final.bytesSent ?? 0
            received &+= final.bytesReceived ?? 0
            if let rtt = final.rttMicroseconds, rtt > 0, let role = Role(transition.openedBy) {
                roundTrips[role.index].add(.microseconds(Int64(clamping: rtt)))
            }
        }
        guard let role = Role(transition.openedBy) else { return }
        let isOver = transition.to == .timeWait || transition.to == .closed && from != .timeWait
        let wasOpen =
            from == nil || transition.via.contains(.established) || from.map(Self.open.contains) == true
        guard isOver, wasOpen else { return }
        let ending = Ending(transition)
        let index = Ending.allCases.firstIndex(of: ending) ?? 0
        closed[role.index * Ending.allCases.count + index] &+= 1
        if let duration = transition.timeOpen { durations[role.index].add(duration) }
    }

    /// The states of a connection whose handshake is complete, and that is not closed by both sides.
    private static let open: Set<TCPState> = [.established, .finWait1, .finWait2, .closing, .closeWait, .lastAck]

    /// What was counted so far, as the ``Catalogue`` has it.
    ///
    /// - Parameter isTraced: Whether the kernel reports transitions; only then handshakes are measured.
    package func families(isTraced: Bool) -> [MetricFamily] {
        typealias Sample = MetricFamily.Sample
        var families = [
            MetricFamily(
                Catalogue.transitions,
                TCPStateMachine.steps.compactMap { step in
                    guard let counted = transitions[Step(from: step.from, to: step.to)] else { return nil }
                    let labels = [step.from.metricLabel, step.to.metricLabel]
                    return Sample(labels, .count(counted.count), exemplar: counted.last)
                }
            ),
            MetricFamily(Catalogue.inferred, .count(inferred)),
            MetricFamily(
                Catalogue.connections,
                Self.pairs(Outcome.allCases.map(\.rawValue), connections)
            ),
            MetricFamily(Catalogue.closed, Self.pairs(Ending.allCases.map(\.rawValue), closed)),
            MetricFamily(Catalogue.duration, Self.perRole(durations)),
        ]
        if isTraced { families.append(MetricFamily(Catalogue.handshake, Self.perRole(handshakes))) }
        families += [
            MetricFamily(
                Catalogue.stateDuration,
                Self.timedStates.compactMap { state in
                    stateDurations[state].map { Sample([state.metricLabel], .histogram($0)) }
                }
            ),
            MetricFamily(Catalogue.rtt, Self.perRole(roundTrips)),
            MetricFamily(
                Catalogue.transferred,
                [Sample(["transmit"], .count(sent)), Sample(["receive"], .count(received))]
            ),
            MetricFamily(
                Catalogue.eventsLost,
                Self.losing.map { Sample([$0.rawValue], .count(lost[$0] ?? 0)) }
            ),
        ]
        return families
    }

    private static func pairs(_ second: [String], _ counts: [UInt64]) -> [MetricFamily.Sample] {
        var samples: [MetricFamily.Sample] = []
        for role in Role.allCases {
            for (index, label) in second.enumerated() {
                samples.append(.init([role.rawValue, label], .count(counts[role.index * second.count + index])))
            }
        }
        return samples
    }

    private static func perRole(_ histograms: [Histogram]) -> [MetricFamily.Sample] {
        Role.allCases.map { .init([$0.rawValue], .histogram(histograms[$0.index])) }
    }
}

extension Metric {
    /// A histogram with its bounds and nothing in it.
    fileprivate var empty: Histogram {
        if case .histogram(let bounds) = kind { Histogram(bounds) } else { Histogram([]) }
    }
}

extension TCPState {
    /// As OpenTelemetry's `network.connection.state` has it; Linux's own BOUND is a value of ours.
    package var metricLabel: String {
        switch self {
        case .established: "established"
        case .synSent: "syn_sent"
        case .synReceived: "syn_received"
        case .finWait1: "fin_wait_1"
        case .finWait2: "fin_wait_2"
        case .timeWait: "time_wait"
        case .closed: "closed"
        case .closeWait: "close_wait"
        case .lastAck: "last_ack"
        case .listen: "listen"
        case .closing: "closing"
        case .bound: "bound"
        default: "unknown"
        }
    }
}
