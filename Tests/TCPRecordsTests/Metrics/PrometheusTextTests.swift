import Foundation
import TCPRecords
import Testing

@Suite("Metrics as text")
struct PrometheusTextTests {
    private func text(
        _ families: [MetricFamily],
        _ format: PrometheusText.Format,
        since: UInt64? = nil,
        constants: [(name: String, value: String)] = []
    ) -> String {
        var buffer = TextBuffer()
        PrometheusText.write(families, as: format, since: since, constants: constants, into: &buffer)
        return buffer.string
    }

    @Test func `A counter has its suffix in the classic text's head, and not in that of OpenMetrics`() {
        let family = MetricFamily(
            Catalogue.transferred,
            [.init(["transmit"], .count(5)), .init(["receive"], .count(0))]
        )
        let help = "Payload of connections that ended. Source: the kernel's last word on a socket."
        #expect(
            text([family], .classic, since: 1_500_000_000) == """
                # HELP tcpstates_closed_connection_bytes_total \(help)
                # TYPE tcpstates_closed_connection_bytes_total counter
                tcpstates_closed_connection_bytes_total{direction="transmit"} 5
                tcpstates_closed_connection_bytes_total{direction="receive"} 0

                """
        )
        #expect(
            text([family], .openMetrics, since: 1_500_000_000) == """
                # HELP tcpstates_closed_connection_bytes \(help)
                # TYPE tcpstates_closed_connection_bytes counter
                # UNIT tcpstates_closed_connection_bytes bytes
                tcpstates_closed_connection_bytes_total{direction="transmit"} 5
                tcpstates_closed_connection_bytes_created{direction="transmit"} 1.5
                tcpstates_closed_connection_bytes_total{direction="receive"} 0
                tcpstates_closed_connection_bytes_created{direction="receive"} 1.5
                # EOF

                """
        )
    }

    @Test func `A histogram counts upwards, to all of them`() {
        var histogram = Catalogue.duration.histogram
        for milliseconds in [1, 5, 5, 90_000_000] { histogram.add(.milliseconds(milliseconds)) }
        let lines = text([MetricFamily(Catalogue.duration, [.init(["client"], .histogram(histogram))])], .classic)
            .split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(lines.count == 13)
        #expect(lines.first == #"tcpstates_connection_duration_seconds_bucket{role="client",le="0.001"} 1"#)
        #expect(lines[1] == #"tcpstates_connection_duration_seconds_bucket{role="client",le="0.01"} 3"#)
        #expect(lines[9] == #"tcpstates_connection_duration_seconds_bucket{role="client",le="86400.0"} 3"#)
        #expect(lines[10] == #"tcpstates_connection_duration_seconds_bucket{role="client",le="+Inf"} 4"#)
        #expect(lines[11] == #"tcpstates_connection_duration_seconds_sum{role="client"} 90000.011"#)
        #expect(lines[12] == #"tcpstates_connection_duration_seconds_count{role="client"} 4"#)
    }

    @Test(arguments: [PrometheusText.Format.classic, .openMetrics])
    func `What others chose ends neither a label nor a line`(format: PrometheusText.Format) {
        let name = "a\"b\\\n# EOF\u{1b}[31m\r"
        let family = MetricFamily(Catalogue.processSockets, [.init([name, "listen"], .count(1))])
        let lines = text([family], format).split(separator: "\n", omittingEmptySubsequences: true)
        #expect(
            lines.contains(
                "tcpstates_process_sockets{process=\"a\\\"b\\\\\\n# EOF\u{1b}[31m\r\",state=\"listen\"} 1"
            )
        )
        #expect(lines.count { $0.hasPrefix("tcpstates_") } == 1)
        #expect(lines.count { $0 == "# EOF" } == (format == .openMetrics ? 1 : 0))
    }

    @Test func `An example stands behind its counter alone, and no longer than a reader takes`() {
        func sample(_ local: String) -> MetricFamily.Sample {
            let labels = [("cookie", "c0"), ("local", local), ("peer", "127.0.0.1:1")]
            return .init(["closed", "bound"], .count(3), exemplar: .init(labels, at: 1_700_000_000_500_000_000))
        }
        let family = MetricFamily(Catalogue.transitions, [sample("127.0.0.2:2")])
        let line = #"tcpstates_transitions_total{from="closed",to="bound"} 3"#
        let example = #" # {cookie="c0",local="127.0.0.2:2",peer="127.0.0.1:1"} 1 1700000000.5"#
        #expect(text([family], .classic).hasSuffix("\n\(line)\n"))
        #expect(text([family], .openMetrics).hasSuffix("\n\(line)\(example)\n# EOF\n"))
        let long = MetricFamily(Catalogue.transitions, [sample(String(repeating: "é", count: 130))])
        #expect(text([long], .openMetrics).contains(#"3 # {cookie="c0",peer="127.0.0.1:1"} 1 1700000000.5"#))
    }

    @Test func `Numbers are written so that they are read as the same`() {
        let numbers: [(Double, String)] = [
            (0, "0"), (-0.0, "0"), (1.5, "1.5"), (-2, "-2"), (1e15, "1000000000000000.0"), (1e17, "1e+17"),
            (.nan, "NaN"), (.infinity, "+Inf"),
            (-.infinity, "-Inf"), (0.00005, "5e-05"),
        ]
        for (number, expected) in numbers {
            let written = text([MetricFamily(Catalogue.memory, .number(number))], .classic)
            #expect(written.hasSuffix("tcpstates_memory_bytes \(expected)\n"))
        }
        let whole = text([MetricFamily(Catalogue.memory, .count(.max))], .classic)
        #expect(whole.hasSuffix("tcpstates_memory_bytes 18446744073709551615\n"))
    }

    @Test func `Values of one metric stand together, whichever namespace they are of`() {
        let families = [MetricFamily(Catalogue.inferred, .count(1)), MetricFamily(Catalogue.orphans, .count(2))]
        let groups: [PrometheusText.Group] = [
            ([(name: "netns", value: "one")], families), ([(name: "netns", value: "two")], families + []),
            ([], [MetricFamily.build(version: "1")]),
        ]
        var buffer = TextBuffer()
        PrometheusText.write(groups, as: .classic, into: &buffer)
        #expect(
            buffer.string.split(separator: "\n").filter { !$0.hasPrefix("# HELP") } == [
                "# TYPE tcpstates_inferred_transitions_total counter",
                #"tcpstates_inferred_transitions_total{netns="one"} 1"#,
                #"tcpstates_inferred_transitions_total{netns="two"} 1"#, "# TYPE tcpstates_orphans gauge",
                #"tcpstates_orphans{netns="one"} 2"#, #"tcpstates_orphans{netns="two"} 2"#,
                "# TYPE tcpstates_build_info gauge", #"tcpstates_build_info{version="1"} 1"#,
            ]
        )
    }

    @Test func `The content types are those that Prometheus takes`() {
        #expect(PrometheusText.Format.classic.contentType == "text/plain; version=0.0.4; charset=utf-8")
        #expect(
            PrometheusText.Format.openMetrics.contentType
                == "application/openmetrics-text; version=1.0.0; charset=utf-8"
        )
    }
}

@Suite("The catalogue of metrics")
struct CatalogueTests {
    @Test func `No name is there twice, and each is one that Prometheus and OpenTelemetry take`() {
        let names = Catalogue.all.map(\.text)
        #expect(Set(names).count == names.count)
        #expect(Set(Catalogue.all.map(\.conventionalName)).count == names.count)
        for metric in Catalogue.all {
            #expect(metric.text.wholeMatch(of: /[a-z][a-z0-9_]*/) != nil)
            #expect(metric.conventionalName.wholeMatch(of: /[a-z][a-z0-9_.]*/) != nil)
            #expect(metric.labels.allSatisfy { $0.wholeMatch(of: /[a-z][a-z_]*/) != nil && $0 != "le" })
            #expect(Set(metric.labels).count == metric.labels.count)
            if let convention = metric.convention {
                #expect(Set(convention.attributes.keys).isSubset(of: metric.labels))
            }
        }
    }

    @Test func `Each says what it is in a line, and ends with where it comes from`() {
        for metric in Catalogue.all {
            #expect(metric.help.hasSuffix(".") && !metric.help.contains("\n"), "\(metric.text)")
            if case .info = metric.kind { continue }
            if metric.text == Catalogue.groupsLimited.text { continue }
            #expect(metric.help.contains(" Source: "), "\(metric.text)")
        }
    }

    @Test func `docs/metrics.md has each of them, and no other`() throws {
        let rows = Catalogue.all.map { metric in
            let labels = metric.labels.map { "`\($0)`" }.joined(separator: ", ")
            let convention = metric.convention.map { "`\($0.name)` (\($0.unit))" } ?? ""
            let attributes = metric.convention?.attributes.sorted { $0.key < $1.key }.map { "`\($0.value)`" } ?? []
            let instrument = if case .amount = metric.kind { ["UpDownCounter"] } else { [String]() }
            let name = ([convention] + attributes + instrument).filter { !$0.isEmpty }.joined(separator: ", ")
            let kind =
                switch metric.kind {
                case .gauge, .amount: "gauge"
                case .counter: "counter"
                case .histogram: "histogram"
                case .info: "info"
                }
            let columns = ["`\(metric.text)`", kind, labels, metric.help.replacing("|", with: "\\|"), name]
            return "| " + columns.map { $0.isEmpty ? "–" : $0 }.joined(separator: " | ") + " |"
        }
        let header = [
            "| metric | type | labels | what it is | for OpenTelemetry |", "| --- | --- | --- | --- | --- |",
        ]
        let table = (header + rows).joined(separator: "\n") + "\n"
        let path = Fleet.root.appending(path: "docs/metrics.md")
        let text = try String(contentsOf: path, encoding: .utf8)
        let start = try #require(text.range(of: "--filter CatalogueTests -->\n\n")?.upperBound)
        if ProcessInfo.processInfo.environment["UPDATE_SNAPSHOTS"] == "1" {
            try (text[..<start] + table).write(to: path, atomically: true, encoding: .utf8)
        }
        let written = try String(contentsOf: path, encoding: .utf8)
        #expect(String(written[start...]) == table)
    }

    @Test func `No label is one that has as many values as there are connections`() {
        let labels = Set(Catalogue.all.flatMap(\.labels))
        #expect(labels.isDisjoint(with: ["pid", "cookie", "inode", "client_port", "time"]))
    }
}
