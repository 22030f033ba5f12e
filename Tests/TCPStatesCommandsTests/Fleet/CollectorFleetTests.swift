#if Serve
    import Foundation
    import Glibc
    import SockDiag
    import TCPStateLab
    import Testing

    /// A real collector, which writes what it was sent.
    private final class Rotel {
        /// In the virtual environment that the Makefile makes.
        static let path = {
            let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent()
            let libraries = root.appending(path: ".build/fleet/lib")
            let versions = (try? FileManager.default.contentsOfDirectory(atPath: libraries.path)) ?? []
            let version = versions.first { $0.hasPrefix("python") } ?? "python"
            return libraries.appending(path: "\(version)/site-packages/rotel/rotel-agent").path
        }()

        /// Whether it is there, or has to be: then its absence is a failure.
        static var isThere: Bool {
            ProcessInfo.processInfo.environment["FLEET"] == "required"
                || FileManager.default.isExecutableFile(atPath: path)
        }

        let process: ChildProcess

        init(in lab: Lab, logging signals: [String]) throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).pid").path
            let signals = signals.flatMap { ["--debug-log", $0] }
            process = try lab.start(
                "/bin/sh",
                [
                    "-c", "exec \"$0\" \"$@\" 2>&1", Self.path, "start", "--otlp-http-endpoint", "127.0.0.1:4318",
                    "--otlp-grpc-endpoint", "127.0.0.1:4317", "--exporter", "blackhole", "--debug-log-verbosity",
                    "detailed", "--disable-batching", "--pid-file", folder,
                ] + signals,
                environment: [:]
            )
        }

        /// Waits until what it was sent last has a text, whole.
        @discardableResult
        func wait(for awaited: String, where isWanted: (Substring) -> Bool) throws -> String {
            let text = try process.output(awaited) { text in
                // The last but one is whole.
                let exports = text.split(separator: "ResourceMetrics #0")
                return exports.dropFirst().dropLast().last.map(isWanted) ?? false
            }
            return String(text.split(separator: "ResourceMetrics #0").dropLast().last ?? "")
        }

        func end() throws {
            process.signal(SIGTERM)
            _ = try process.wait()
        }
    }

    /// A point of the collector's text: its attributes, and what follows them.
    private func points(_ name: String, in export: String) -> (
        head: String, points: [(attributes: Set<String>, rest: String)]
    ) {
        let metric = export.components(separatedBy: "\nMetric #").first { $0.contains("-> Name: \(name)\n") } ?? ""
        let parts = metric.components(separatedBy: "DataPoints #")
        return (
            parts[0],
            parts.dropFirst().map { part in
                let lines = part.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
                let attributes = lines.filter { $0.hasPrefix("-> ") }.map { String($0.dropFirst(3)) }
                return (Set(attributes), lines.filter { !$0.hasPrefix("->") }.joined(separator: "\n"))
            }
        )
    }

    @Suite("What a real collector reads", .timeLimit(.minutes(10)))
    struct CollectorFleetTests {
        private static let missing: Comment = "rotel is missing: make test-fleet"

        private func value(_ name: String, _ attributes: Set<String>, in export: String) -> Int? {
            let found = points(name, in: export).points.filter { $0.attributes.isSuperset(of: attributes) }
            guard found.count == 1, let rest = found.first?.rest else { return nil }
            return rest.split(separator: "\n").first { $0.hasPrefix("Value: ") }.flatMap { Int($0.dropFirst(7)) }
        }

        @Test(.enabled(if: Rotel.isThere, missing))
        func `It has the sockets by the conventions, sums as sums and histograms with their bounds`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let held = try [
                lab.server(in: .closeWait), lab.server(in: .closeWait), lab.server(in: .finWait2, over: .ipv6),
            ]
            let rotel = try Rotel(in: lab, logging: ["metrics"])
            let exporting = try Exporting(in: lab, ["--otlp", "http://localhost:4318", "--otlp-interval", "200ms"])
            let export = try rotel.wait(for: "an export") { $0.contains("system.network.connection.count") }
            let sockets = points("system.network.connection.count", in: export)
            for line in [
                "DataType: Sum", "IsMonotonic: false", "AggregationTemporality: AGGREGATION_TEMPORALITY_CUMULATIVE",
                "Unit: {connection}",
            ] {
                #expect(sockets.head.contains(line), "\(sockets.head)")
            }
            #expect(sockets.points.count == 24)
            func count(_ family: String, _ state: String) -> Int? {
                value(
                    "system.network.connection.count",
                    [
                        "network.type: Str(\(family))", "network.connection.state: Str(\(state))",
                        "network.transport: Str(tcp)",
                    ],
                    in: export
                )
            }
            #expect(count("ipv4", "close_wait") == 2 && count("ipv6", "fin_wait_2") == 1)
            #expect(count("ipv6", "close_wait") == 0 && count("ipv4", "closed") == 0)
            let durations = points("tcpstates_connection_duration_seconds", in: export)
            #expect(durations.head.contains("DataType: Histogram") && durations.head.contains("Unit: s"))
            #expect(durations.head.contains("AGGREGATION_TEMPORALITY_CUMULATIVE"))
            let bounds = durations.points.first?.rest.split(separator: "\n").filter { $0.hasPrefix("ExplicitBounds") }
                .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }
            #expect(bounds == [0.001, 0.01, 0.1, 1, 10, 60, 300, 1800, 3600, 86400])
            #expect(export.contains("-> service.name: Str(tcpstates)") && export.contains("-> host.name: Str("))
            _ = try exporting.end()
            try rotel.end()
            withExtendedLifetime(held) {}
        }

        @Test(.enabled(if: Rotel.isThere, missing))
        func `It has each transition as a log record`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let rotel = try Rotel(in: lab, logging: ["logs"])
            let options = ["--otlp", "http://localhost:4318", "--otlp-events", "--interval", "100ms"]
            let exporting = try Exporting(in: lab, options)
            try exporting.wait(forLine: "sending each transition")
            let held = try lab.server(in: .closeWait)
            let text = try rotel.process.output("a transition") { $0.contains("-> to: Str(CLOSE_WAIT)") }
            #expect(text.contains("EventName: tcpstates.transition"))
            #expect(text.contains("SeverityNumber: SEVERITY_NUMBER_INFO(9)"))
            #expect(text.contains("-> local_port: Int(\(held.local.port))"))
            _ = try exporting.end()
            try rotel.end()
        }

        @Test(.enabled(if: Rotel.isThere, missing))
        func `Stopped and started it costs a line and no memory, and has the right counters`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let listener = try lab.loopbackListener()
            let first = try Rotel(in: lab, logging: ["metrics"])
            // Those of the exports are no part of it.
            let own = "sport = :\(listener.local.port)"
            let exporting = try Exporting(in: lab, ["--otlp", "http://127.0.0.1:4318", "--otlp-interval", "1s", own])
            try first.wait(for: "an export") { _ in true }
            try first.end()
            try exporting.wait(forLine: "cannot reach the collector")
            let before = try exporting.residentBytes
            let made = 50
            for _ in 0..<made {
                let client = try lab.unconnected()
                try client.connect(to: listener.local)
                try lab.accepted(from: listener).close()
                client.close()
            }
            // It is away for three intervals, in each of which it is tried once at least.
            try lab.awaitRefusals(3)
            // What was kept would be tens of kilobytes for each attempt, and more for each connection.
            #expect(try exporting.residentBytes - before < 4 << 20)
            let second = try Rotel(in: lab, logging: ["metrics"])
            let attributes: Set<String> = ["role: Str(server)", "outcome: Str(success)"]
            try second.wait(for: "\(made) connections") { export in
                value("tcpstates_connections_total", attributes, in: String(export)) == made
            }
            let said = try exporting.wait(forLine: "is there again").split(separator: "\n")
            #expect(
                said.count { $0.contains("cannot reach") } == 1 && said.count { $0.contains("again") } == 2,
                "\(said)"
            )
            _ = try exporting.end()
            try second.end()
        }
    }
#endif
