#if Metrics
    import CoreMetrics
    import MetricsTestKit
    import SockDiag
    import TCPRecords
    import TCPStateLab
    import TCPWatch
    import Testing

    @testable import TCPMetrics

    @Suite("What a watcher's events come to, for swift-metrics", .timeLimit(.minutes(10)))
    struct TCPMetricsRecorderTests {
        private let backend = TestMetrics()

        private static func connection(_ state: TCPState, family: String = "ipv4") -> [(String, String)] {
            [("network.type", family), ("network.connection.state", state.metricLabel), ("network.transport", "tcp")]
        }

        private func sockets(_ state: TCPState, family: String = "ipv4") throws -> Double? {
            try backend.expectMeter("system.network.connection.count", Self.connection(state, family: family)).lastValue
        }

        private func transition(
            _ from: TCPState?,
            _ to: TCPState,
            cookie: UInt64 = 1,
            via: [TCPState] = [],
            _ change: (inout Transition) -> Void = { _ in }
        ) -> SocketEvent {
            let identity = SocketIdentity(
                family: .ipv4,
                local: SocketEndpoint(IPAddress(ipv4: 0x7f00_0001), port: 50_000),
                remote: SocketEndpoint(IPAddress(ipv4: 0x7f00_0002), port: 443),
                cookie: SocketCookie(rawValue: cookie)
            )
            var transition = Transition(
                identity,
                from: from,
                to: to,
                via: via,
                certainty: .exact,
                source: .trace,
                time: .now(),
                openedBy: .active
            )
            change(&transition)
            return .transition(transition)
        }

        @Test func `Every counter and gauge is there from the first moment on, at 0`() throws {
            let recorder = TCPMetricsRecorder(factory: backend)
            #expect(try sockets(.closeWait) == 0)
            #expect(try sockets(.bound, family: "ipv6") == 0)
            #expect(backend.meters(label: "system.network.connection.count").count == 24)
            #expect(backend.meters(label: "tcpstates_state_oldest_seconds").count == 9)
            #expect(backend.counters(label: "tcpstates_events_lost_total").count == 4)
            #expect(backend.counters.allSatisfy { $0.totalValue == 0 })
            #expect(backend.timers.isEmpty)
            let names = Set(Catalogue.all.map(\.conventionalName))
            #expect(names.isSuperset(of: backend.counters.map(\.label) + backend.meters.map(\.label)))
            withExtendedLifetime(recorder) {}
        }

        @Test func `A counter is told once what came of it, however often it is asked`() throws {
            var recorder = TCPMetricsRecorder(factory: backend)
            recorder.record(transition(.closed, .synSent))
            recorder.record(transition(.synSent, .established) { $0.timeInState = .milliseconds(3) })
            let success = try backend.expectCounter(
                "tcpstates_connections_total",
                [("role", "client"), ("outcome", "success")]
            )
            #expect(success.totalValue == 0)
            for _ in 0..<3 { recorder.tick() }
            #expect(success.totalValue == 1)
            #expect(success.values == [1])
            recorder.record(transition(.closed, .established, cookie: 2, via: [.synSent]))
            recorder.tick()
            #expect(success.totalValue == 2)
            #expect(backend.counterTotal(label: "tcpstates_transitions_total") == 4)
            #expect(try sockets(.established) == 2)
        }

        @Test func `Durations are told one by one`() throws {
            var recorder = TCPMetricsRecorder(factory: backend)
            recorder.record(transition(.synSent, .established) { $0.timeInState = .milliseconds(3) })
            recorder.record(transition(.closeWait, .lastAck) { $0.timeInState = .seconds(60) })
            recorder.record(
                transition(.lastAck, .closed) {
                    $0.timeOpen = .seconds(61)
                    $0.final = FinalCounters(bytesSent: 7, bytesReceived: 8, rttMicroseconds: 250)
                }
            )
            func values(_ label: String, _ dimension: (String, String)) throws -> [Int64] {
                try backend.expectTimer(label, [dimension]).values
            }
            #expect(try values("tcpstates_handshake_duration_seconds", ("role", "client")) == [3_000_000])
            #expect(try values("tcpstates_state_duration_seconds", ("state", "close_wait")) == [60_000_000_000])
            #expect(try values("tcpstates_connection_duration_seconds", ("role", "client")) == [61_000_000_000])
            #expect(try values("tcpstates_connection_rtt_seconds", ("role", "client")) == [250_000])
            recorder.tick()
            let bytes = try backend.expectCounter(
                "tcpstates.closed_connection.io",
                [("network.io.direction", "transmit")]
            )
            #expect(bytes.totalValue == 7)
        }

        @Test func `After a reader's gap the gauges are those of what is reported anew`() throws {
            var recorder = TCPMetricsRecorder(factory: backend)
            for cookie in 1...5 { recorder.record(transition(.established, .closeWait, cookie: UInt64(cookie))) }
            recorder.record(transition(.closeWait, .closed, cookie: 5))
            recorder.tick()
            #expect(try sockets(.closeWait) == 4)
            recorder.record(.gap(Gap(source: .reader, reason: "slow", lost: 9)))
            recorder.record(transition(.established, .closeWait, cookie: 8))
            recorder.tick()
            #expect(try sockets(.closeWait) == 1)
            let lost = try backend.expectCounter("tcpstates_events_lost_total", [("source", "reader")])
            #expect(lost.totalValue == 9)
            let steps = try backend.expectCounter(
                "tcpstates_transitions_total",
                [("from", "established"), ("to", "close_wait")]
            )
            #expect(steps.totalValue == 6)
        }

        @Test func `Of a real watcher's sockets as many are in each state as a dump shows`() async throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            // Those that no timer ends: the test may have to wait for its turn.
            for state in [TCPState.established, .finWait2, .closeWait] {
                try lab.client(in: state)
                try lab.server(in: state, over: .ipv6)
            }
            var configuration = SocketWatcher.Configuration()
            configuration.interval = .milliseconds(20)
            let settings = configuration
            let watcher = try lab.run { () throws(KernelError) in try SocketWatcher(settings) }
            defer { watcher.stop() }
            var recorder = TCPMetricsRecorder(factory: backend)
            var isReady = false
            for try await event in watcher {
                recorder.record(event)
                if case .ready = event {
                    isReady = true
                    _ = try lab.loopbackListener()
                }
                if case .transition(let transition) = event, transition.to == .listen { break }
            }
            recorder.tick()
            #expect(isReady)
            let dump = try lab.run { () throws(KernelError) in
                var client = try SockDiagClient()
                return try client.sockets()
            }
            for family in [AddressFamily.ipv4, .ipv6] {
                for state in TCPState.allCases {
                    let count = dump.count { $0.family == family && $0.state == state }
                    #expect(try sockets(state, family: "\(family)") == Double(count), "\(family) \(state)")
                }
            }
            let oldest = try backend.expectMeter("tcpstates_state_oldest_seconds", [("state", "close_wait")])
            #expect(oldest.lastValue ?? 0 > 0)
            #expect(try sockets(.closeWait) == 1)
        }
    }
#endif
