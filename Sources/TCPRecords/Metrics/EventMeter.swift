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
            case .noPort: self = .noPort
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

        init(_ cause: TCPStep.Trigger?, to state: TCPState) {
            switch cause {
            case .receiveRST: self = .resetReceived
            case .abort, .listenerClosed: self = .resetSent
            case .timeout: self = .timedOut
            case .receiveACK, .receiveFIN, .receiveFINACK: self = .fin
            default: self = state == .timeWait ? .fin : .unknown
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
        func perRole(_ metric: Metric) -> [Histogram] { Role.allCases.map { _ in metric.histogram } }
        (durations, handshakes) = (perRole(Catalogue.duration), perRole(Catalogue.handshake))
        roundTrips = perRole(Catalogue.rtt)
        stateDurations = Dictionary(
            uniqueKeysWithValues: Self.timedStates.map { ($0, Catalogue.stateDuration.histogram) }
        )
        for source in Self.losing { lost[source] = 0 }
    }

    /// What is told of a duration: its metric, the value of the metric's one label, and how long it was.
    package typealias Measured = (Metric, String, Duration) -> Void

    /// Where events can be lost.
    private static let losing: [Gap.Source] = [.destroy, .trace, .reader, .namespace]

    /// Counts an event. Each duration that goes into a histogram is said as well, for whoever has histograms of another kind.
    package mutating func note(_ event: SocketEvent, measured: Measured = { _, _, _ in }) {
        switch event {
        case .transition(let transition): note(transition, measured)
        case .gap(let gap): lost[gap.source, default: 0].add(gap.lost ?? 0)
        default: break
        }
    }

    private mutating func note(_ transition: Transition, _ measured: Measured) {
        if transition.certainty == .inferred { inferred &+= 1 }
        if transition.to == .closed, let final = transition.final { note(final, transition.openedBy, measured) }
        guard let from = transition.from else { return noteUnseenLife(transition) }
        var state = from
        for next in transition.via { take(Step(from: state, to: next), nil, transition, &state) }
        take(Step(from: state, to: transition.to), transition.cause, transition, &state)
        if let duration = transition.timeInState, stateDurations[from] != nil {
            stateDurations[from]?.add(duration)
            measured(Catalogue.stateDuration, from.metricLabel, duration)
        }
        guard let role = Role(transition.openedBy) else { return }
        // An attempt that fails has lasted too, and is no connection.
        let wasOpen = Self.open.contains(from) || transition.via.contains(where: Self.open.contains)
        if wasOpen, transition.endsOpenTime, let duration = transition.timeOpen {
            durations[role.index].add(duration)
            measured(Catalogue.duration, role.rawValue, duration)
        }
        // What a dump has shown of it is as coarse as the interval.
        if Self.opening.contains(from), transition.to == .established, transition.via.isEmpty,
            transition.source == .trace, let duration = transition.timeInState
        {
            handshakes[role.index].add(duration)
            measured(Catalogue.handshake, role.rawValue, duration)
        }
    }

    /// A step of a connection: one that was seen, or one that must have been.
    private mutating func take(
        _ step: Step,
        _ cause: TCPStep.Trigger?,
        _ transition: Transition,
        _ state: inout TCPState
    ) {
        count(step, transition)
        state = step.to
        guard let role = Role(transition.openedBy) else { return }
        if Self.opening.contains(step.from) {
            if Self.open.contains(step.to) {
                note(.success, role)
            } else if step.to == .closed {
                note(Outcome(cause, role), role)
            }
        } else if Self.open.contains(step.from), step.to == .timeWait || step.to == .closed {
            note(Ending(cause, to: step.to), role)
        }
    }

    /// A connection that came and went unseen, and is known by its end alone. It had been open where the kernel has
    /// measured how far the peer is; a listener's was, or its socket would not be there.
    private mutating func noteUnseenLife(_ transition: Transition) {
        guard let role = Role(transition.openedBy) else { return }
        let final = transition.final
        let wasOpen =
            role == .server || final?.rttMicroseconds ?? 0 > 0 || final?.bytesSent ?? 0 > 0
            || final?.bytesReceived ?? 0 > 0
        guard wasOpen else { return note(Outcome(transition.cause, role), role) }
        note(.success, role)
        note(Ending(transition.cause, to: transition.to), role)
    }

    private mutating func note(_ outcome: Outcome, _ role: Role) {
        let index = Outcome.allCases.firstIndex(of: outcome) ?? 0
        connections[role.index * Outcome.allCases.count + index] &+= 1
    }

    private mutating func note(_ ending: Ending, _ role: Role) {
        let index = Ending.allCases.firstIndex(of: ending) ?? 0
        closed[role.index * Ending.allCases.count + index] &+= 1
    }

    private mutating func note(_ final: FinalCounters, _ side: OpeningSide, _ measured: Measured) {
        sent.add(final.bytesSent ?? 0)
        received.add(final.bytesReceived ?? 0)
        if let rtt = final.rttMicroseconds, rtt > 0, let role = Role(side) {
            let duration = Duration.microseconds(Int64(clamping: rtt))
            roundTrips[role.index].add(duration)
            measured(Catalogue.rtt, role.rawValue, duration)
        }
    }

    private mutating func count(_ step: Step, _ transition: Transition) {
        guard transitions[step] != nil else { return }  // no legal step
        transitions[step]?.count &+= 1
        // The first of each second is enough of an example; one that is reported late is none.
        let time = transition.time.realtimeNanoseconds
        if let last = transitions[step]?.last, time / 1_000_000_000 <= last.time / 1_000_000_000 { return }
        let identity = transition.identity
        let labels = [
            ("cookie", "\(identity.cookie)"), ("local", "\(identity.local)"), ("peer", "\(identity.remote)"),
        ]
        transitions[step]?.last = MetricFamily.Exemplar(labels, at: time)
    }

    /// The states of a connection whose handshake is not complete.
    private static let opening: Set<TCPState> = [.synSent, .synReceived]
    /// The states of a connection whose handshake is complete, and that is not closed by both sides.
    private static let open: Set<TCPState> = [.established, .finWait1, .finWait2, .closing, .closeWait, .lastAck]

    /// What was counted so far, as the ``Catalogue`` has it. Handshakes are measured only where the kernel reports
    /// transitions.
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

extension UInt64 {
    /// Adds what the kernel says: a counter stays at its end rather than begin anew.
    fileprivate mutating func add(_ number: UInt64) {
        let (sum, overflows) = addingReportingOverflow(number)
        self = overflows ? .max : sum
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
