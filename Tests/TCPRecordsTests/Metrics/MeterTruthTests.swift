import SockDiag
import TCPRecords
import TCPStateLab
import TCPWatch
import Testing

@Suite("What is counted of real connections", .timeLimit(.minutes(10)))
struct MeterTruthTests {
    /// What the meter says, and the events that it was given.
    private func watch(
        _ lab: Lab,
        by source: SocketWatcher.Source,
        until isDone: (Samples) -> Bool,
        _ traffic: @escaping @Sendable () throws -> Void
    ) async throws -> Samples {
        var configuration = SocketWatcher.Configuration()
        configuration.source = source
        configuration.interval = .milliseconds(50)
        let settings = configuration
        let watcher = try lab.run { () throws(KernelError) in try SocketWatcher(settings) }
        defer { watcher.stop() }
        var meter = EventMeter()
        for try await event in watcher {
            meter.note(event)
            if case .ready = event { try traffic() }
            let samples = Samples(meter.families(isTraced: source == .trace))
            if isDone(samples) { return samples }
        }
        return Samples([])
    }

    private static let count = 40

    /// Connections that the client closes first, and as many that are refused.
    private func traffic(_ lab: Lab, on listener: KernelSocket) throws {
        for _ in 0..<Self.count {
            let client = try lab.unconnected()
            try client.connect(to: listener.local)
            let server = try lab.accepted(from: listener)
            client.close()
            #expect(try server.receive(1) == 0)
            server.close()
            let refused = try lab.unconnected()
            #expect(try refused.connect(to: SocketEndpoint(.loopbackIPv4, port: 9)) != 0)
            refused.close()
        }
    }

    @Test func `With tracepoints every connection is ten steps until TIME_WAIT, and every attempt has its outcome`()
        async throws
    {
        guard WatchAccess.current().canTrace else { try Test.cancel("the kernel may not be traced") }
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listener = try lab.loopbackListener(port: 80)
        let count = Double(Self.count)
        let samples = try await watch(
            lab,
            by: .trace,
            until: {
                $0.sum("tcpstates_connections_closed_total") == 2 * count
                    && $0.sum("tcpstates_connections_total") == 3 * count
            },
            { try traffic(lab, on: listener) }
        )
        #expect(samples["tcpstates_connections_total{role=client,outcome=success}"] == count)
        #expect(samples["tcpstates_connections_total{role=server,outcome=success}"] == count)
        #expect(samples["tcpstates_connections_total{role=client,outcome=refused}"] == count)
        #expect(samples["tcpstates_connections_closed_total{role=client,how=fin}"] == count)
        #expect(samples["tcpstates_connections_closed_total{role=server,how=fin}"] == count)
        // Of each refused one CLOSED to SYN_SENT, and back.
        #expect(samples.sum("tcpstates_transitions_total") == (10 + 2) * count)
        #expect(samples["tcpstates_transitions_total{from=closed,to=syn_received}"] == count)
        #expect(samples["tcpstates_transitions_total{from=fin_wait_2,to=time_wait}"] == count)
        #expect(samples["tcpstates_handshake_duration_seconds_count{role=client}"] == count)
        #expect(samples["tcpstates_handshake_duration_seconds_count{role=server}"] == count)
        #expect(samples["tcpstates_connection_duration_seconds_count{role=client}"] == count)
        #expect(samples["tcpstates_connection_duration_seconds_count{role=server}"] == count)
        #expect(samples.sum("tcpstates_events_lost_total") == 0)
    }

    @Test func `Polled, connections that no dump has shown are counted too`() async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listener = try lab.loopbackListener(port: 80)
        let count = Double(Self.count)
        let samples = try await watch(
            lab,
            by: .poll,
            until: {
                $0.sum("tcpstates_connections_total", "role=client", "outcome=success") == count
                    && $0.sum("tcpstates_connections_closed_total") == 2 * count
            },
            { try traffic(lab, on: listener) }
        )
        #expect(samples.sum("tcpstates_connections_total", "role=server", "outcome=success") == count)
        #expect(samples.sum("tcpstates_connections_closed_total", "role=client") == count)
        #expect(samples.sum("tcpstates_connections_closed_total", "role=server") == count)
        // Never more outcomes than there were attempts.
        #expect(samples.sum("tcpstates_connections_total", "role=client") <= 2 * count)
    }
}
