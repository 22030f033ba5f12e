import ConnectionTracking
import SeededRandom
import SockDiag
import TCPRecords
import TCPWatch
import Testing

@Suite("What is counted of events")
struct EventMeterTests {
    private static let identity = SocketIdentity(
        family: .ipv4,
        local: SocketEndpoint(IPAddress(ipv4: 0x7f00_0001), port: 443),
        remote: SocketEndpoint(IPAddress(ipv4: 0x7f00_0002), port: 40_000),
        cookie: SocketCookie(rawValue: 0xc0)
    )

    /// Transitions of one connection after the other.
    private struct Life {
        var side: OpeningSide = .active
        private(set) var events: [SocketEvent] = []

        mutating func step(
            _ from: TCPState?,
            _ to: TCPState,
            via: [TCPState] = [],
            cause: TCPStep.Trigger? = nil,
            _ change: (inout Transition) -> Void = { _ in }
        ) {
            var transition = Transition(
                EventMeterTests.identity,
                from: from,
                to: to,
                via: via,
                certainty: via.isEmpty ? .exact : .inferred,
                source: .trace,
                time: EventTime(monotonicNanoseconds: 1, realtimeNanoseconds: 1_700_000_000_000_000_000),
                cause: cause,
                openedBy: side
            )
            change(&transition)
            events.append(.transition(transition))
        }
    }

    private func samples(_ side: OpeningSide = .active, _ make: (inout Life) -> Void) -> Samples {
        var life = Life(side: side)
        make(&life)
        var meter = EventMeter()
        for event in life.events { meter.note(event) }
        return Samples(meter.families(isTraced: true))
    }

    @Test func `Every label of every counter is there before anything has happened, at 0`() {
        let samples = Samples(EventMeter().families(isTraced: true))
        #expect(samples.repeated == [] && samples.mislabelled == [])
        #expect(samples.values.values.allSatisfy { $0 == 0 })
        #expect(samples.series(of: "tcpstates_transitions_total").count == TCPStateMachine.steps.count)
        #expect(samples["tcpstates_connections_total{role=server,outcome=timed_out}"] == 0)
        #expect(samples["tcpstates_connections_closed_total{role=client,how=reset_sent}"] == 0)
        #expect(samples["tcpstates_events_lost_total{source=namespace}"] == 0)
        #expect(samples["tcpstates_state_duration_seconds_count{state=close_wait}"] == 0)
    }

    @Test func `Handshakes are measured where the kernel reports them, else they are not there`() {
        let polled = EventMeter().families(isTraced: false).map(\.metric.text)
        #expect(!polled.contains("tcpstates_handshake_duration_seconds"))
        #expect(EventMeter().families(isTraced: true).count == polled.count + 1)
    }

    @Test func `A client that closes first is one success and one end by FINs`() {
        let samples = samples { life in
            life.step(.closed, .synSent, cause: .connect)
            life.step(.synSent, .established, cause: .receiveSYNACK) { $0.timeInState = .milliseconds(3) }
            life.step(.established, .finWait1, cause: .close)
            life.step(.finWait1, .finWait2, cause: .receiveACK)
            life.step(.finWait2, .timeWait, cause: .receiveFIN) { $0.timeOpen = .seconds(2) }
            life.step(.timeWait, .closed, cause: .timeWaitTimeout) {
                $0.final = FinalCounters(bytesSent: 10, bytesReceived: 20, rttMicroseconds: 700)
            }
        }
        #expect(samples.sum("tcpstates_transitions_total") == 6)
        #expect(samples.sum("tcpstates_connections_total") == 1)
        #expect(samples["tcpstates_connections_total{role=client,outcome=success}"] == 1)
        #expect(samples.sum("tcpstates_connections_closed_total") == 1)
        #expect(samples["tcpstates_connections_closed_total{role=client,how=fin}"] == 1)
        #expect(samples["tcpstates_connection_duration_seconds_sum{role=client}"] == 2)
        #expect(samples["tcpstates_handshake_duration_seconds_count{role=client}"] == 1)
        #expect(samples["tcpstates_handshake_duration_seconds_bucket{role=client,3}"] == 1)
        #expect(samples["tcpstates_connection_rtt_seconds_bucket{role=client,3}"] == 1)
        #expect(samples["tcpstates_closed_connection_bytes_total{direction=transmit}"] == 10)
        #expect(samples["tcpstates_closed_connection_bytes_total{direction=receive}"] == 20)
    }

    @Test(
        arguments: [
            (.active, .receiveRST, "role=client,outcome=refused"), (.active, .timeout, "role=client,outcome=timed_out"),
            (.active, .unreachable, "role=client,outcome=host_unreachable"),
            (.active, .close, "role=client,outcome=other"),
            (.active, nil, "role=client,outcome=other"), (.passive, .receiveRST, "role=server,outcome=reset"),
            (.passive, .timeout, "role=server,outcome=timed_out"),
        ] as [(OpeningSide, TCPStep.Trigger?, String)]
    )
    func `An attempt that fails is counted by its cause, and is no connection that has closed`(
        side: OpeningSide,
        cause: TCPStep.Trigger?,
        series: String
    ) {
        let opening: TCPState = side == .active ? .synSent : .synReceived
        let samples = samples(side) { life in
            life.step(.closed, opening)
            life.step(opening, .closed, cause: cause) { $0.timeOpen = .seconds(1) }
        }
        #expect(samples.sum("tcpstates_connection_duration_seconds_count") == 0)
        #expect(samples["tcpstates_connections_total{\(series)}"] == 1)
        #expect(samples.sum("tcpstates_connections_total") == 1)
        #expect(samples.sum("tcpstates_connections_closed_total") == 0)
    }

    @Test(
        arguments: [
            (.receiveRST, .established, "reset_received"), (.abort, .closeWait, "reset_sent"),
            (.timeout, .finWait1, "timed_out"), (.receiveACK, .lastAck, "fin"), (nil, .established, "unknown"),
        ] as [(TCPStep.Trigger?, TCPState, String)]
    )
    func `An end is counted by its cause`(cause: TCPStep.Trigger?, from: TCPState, how: String) {
        let samples = samples(.passive) { $0.step(from, .closed, cause: cause) }
        #expect(samples["tcpstates_connections_closed_total{role=server,how=\(how)}"] == 1)
        #expect(samples.sum("tcpstates_connections_closed_total") == 1)
        #expect(samples.sum("tcpstates_connections_total") == 0)
    }

    @Test func `A connection that came and went between two dumps is counted as one that did`() {
        let open = FinalCounters(bytesSent: 1, rttMicroseconds: 30)
        let client = samples { $0.step(nil, .closed) { $0.final = open } }
        #expect(client["tcpstates_connections_total{role=client,outcome=success}"] == 1)
        #expect(client["tcpstates_connections_closed_total{role=client,how=unknown}"] == 1)
        #expect(client.sum("tcpstates_transitions_total") == 0)
        let refused = samples { $0.step(nil, .closed) { $0.final = FinalCounters(bytesSent: 0, segmentsOut: 1) } }
        #expect(refused["tcpstates_connections_total{role=client,outcome=other}"] == 1)
        #expect(refused.sum("tcpstates_connections_closed_total") == 0)
        let server = samples(.passive) { $0.step(nil, .closed) }
        #expect(server["tcpstates_connections_total{role=server,outcome=success}"] == 1)
    }

    @Test func `Two connections of one socket, the end of the first unseen, are two`() {
        let samples = samples { life in
            life.step(.established, .synSent, via: [.closeWait, .lastAck, .closed])
            life.step(.synSent, .closed, cause: .receiveRST)
        }
        #expect(samples["tcpstates_connections_closed_total{role=client,how=unknown}"] == 1)
        #expect(samples["tcpstates_connections_total{role=client,outcome=refused}"] == 1)
        #expect(samples["tcpstates_inferred_transitions_total"] == 1)
        #expect(samples.sum("tcpstates_transitions_total") == 5)
    }

    @Test func `What is lost is counted where a number is known`() {
        var meter = EventMeter()
        meter.note(.gap(Gap(source: .reader, reason: "slow", lost: 7)))
        meter.note(.gap(Gap(source: .reader, reason: "slow", lost: 5)))
        meter.note(.gap(Gap(source: .trace, reason: "unknown", lost: nil)))
        let samples = Samples(meter.families(isTraced: true))
        #expect(samples["tcpstates_events_lost_total{source=reader}"] == 12)
        #expect(samples.sum("tcpstates_events_lost_total") == 12)
    }

    @Test func `The last connection of each second is an example, under its cookie`() {
        var life = Life()
        life.step(.closed, .synSent)
        var meter = EventMeter()
        for event in life.events { meter.note(event) }
        let family = meter.families(isTraced: true).first { $0.metric.text == "tcpstates_transitions_total" }
        let examples = (family?.samples ?? []).compactMap(\.exemplar)
        #expect(examples.count == 1)
        #expect(examples.first?.labels.map(\.value) == ["c0", "127.0.0.1:443", "127.0.0.2:40000"])
        #expect(examples.first?.time == 1_700_000_000_000_000_000)
    }

    /// The steps of a life from CLOSED to CLOSED, each a legal one.
    private func life(_ random: inout SplitMix64) -> [TCPState] {
        var states: [TCPState] = [.closed]
        repeat {
            let next = TCPStateMachine.steps(from: states[states.count - 1]).map(\.to)
            states.append(random.one(of: next))
        } while states.last != .closed
        return states
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `Steps are counted the same whether each is reported or several at once`(seed: UInt64) {
        var random = SplitMix64(seed)
        var (each, several) = (Life(), Life())
        for _ in 0..<50 {
            let states = life(&random)
            let side: OpeningSide = random.happens(500) ? .active : .passive
            (each.side, several.side) = (side, side)
            for (from, to) in zip(states, states.dropFirst()) { each.step(from, to) }
            var start = 0
            while start < states.count - 1 {
                let end = min(start + 1 + random.below(3), states.count - 1)
                several.step(states[start], states[end], via: Array(states[(start + 1)..<end]))
                start = end
            }
        }
        func samples(_ life: Life) -> Samples {
            var meter = EventMeter()
            for event in life.events { meter.note(event) }
            return Samples(meter.families(isTraced: false))
        }
        let (first, second) = (samples(each), samples(several))
        #expect(first.sum("tcpstates_transitions_total") > 100)
        for name in ["transitions", "connections", "connections_closed"] {
            for series in first.series(of: "tcpstates_\(name)_total") {
                #expect(first[series] == second[series], "\(series)")
            }
        }
        #expect(
            first.sum("tcpstates_connections_closed_total")
                == first.sum("tcpstates_connections_total", "outcome=success")
        )
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `Nothing that is reported makes a counter go back, or another series appear`(seed: UInt64) {
        var random = RandomRecords(seed)
        var meter = EventMeter()
        var last = Samples(meter.families(isTraced: true))
        for _ in 0..<200 {
            meter.note(.transition(random.transition()))
            let now = Samples(meter.families(isTraced: true))
            #expect(Set(now.values.keys) == Set(last.values.keys))
            let fallen = last.values.filter { (now[$0.key] ?? -1) < $0.value }
            #expect(fallen == [:])
            last = now
        }
        #expect(last.values.values.contains { $0 > 0 })
    }
}
