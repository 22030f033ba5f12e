import Foundation
import SockDiag
import TCPDiagnosis
import TCPRecords
import Testing

@Suite("The alert rules ask for what there is")
struct AlertRuleTests {
    /// A series that a rule asks for: a name, and what it wants of its labels.
    private struct Selector {
        let name: String
        var wanted: [(label: String, value: String)] = []
    }

    private static func selectors(in text: String) -> [Selector] {
        text.matches(of: /[a-z_:]*tcpstates_[a-z_]+[a-z0-9_:]*(?:\{([^}]*)\})?/).map { match in
            let whole = String(match.output.0.prefix { $0 != "{" })
            // A rule's own name has that of the metric in its middle.
            let parts = whole.split(separator: ":")
            let name = parts.count > 2 ? String(parts[1]) : whole
            let wanted = (match.output.1 ?? "").matches(of: /([a-z_]+)!?=~?"([^"]*)"/)
                .map { (label: String($0.output.1), value: String($0.output.2)) }
            return Selector(name: name, wanted: wanted)
        }
    }

    /// The values that are there for each label, by the name of the series.
    private static var known: [String: [String: Set<String>]] {
        var options = SocketGauges.Options()
        (options.hasAges, options.hasQueues) = (true, true)
        let families =
            EventMeter().families(isTraced: true) + SocketGauges(options, settings: .none).families
            + [MetricFamily.findings([])]
        var known: [String: [String: Set<String>]] = [:]
        for family in families {
            for sample in family.samples {
                for (label, value) in zip(family.metric.labels, sample.labels) {
                    known[family.metric.text, default: [:]][label, default: []].insert(value)
                }
            }
        }
        return known
    }

    /// The labels that a scrape adds, and the one that a namespace has.
    private static let added: Set<String> = ["instance", "job", "netns", "severity"]

    @Test(arguments: ["tcpstates-rules.yml", "rules-test.yml"])
    func `Every series of the rules is in the catalogue, with the labels and values that they ask for`(
        file: String
    ) throws {
        let text = try Fleet.example(file)
        let metrics = Dictionary(uniqueKeysWithValues: Catalogue.all.map { ($0.text, $0) })
        let selectors = Self.selectors(in: text).filter { !$0.name.hasPrefix("tcpstates_rules") }
        #expect(selectors.count > 20, "the series are not found")
        let known = Self.known
        for selector in selectors where !metrics.keys.contains(where: { "\($0)_ratio" == selector.name }) {
            // A rule of ours that no metric is behind.
            if selector.name == "tcpstates_retransmit_ratio" { continue }
            let metric = try #require(metrics[selector.name], "\(selector.name) is in no catalogue")
            for (label, value) in selector.wanted where !Self.added.contains(label) {
                #expect(metric.labels.contains(label), "\(selector.name) has no label \(label)")
                guard let values = known[selector.name]?[label], !values.isEmpty else { continue }
                #expect(values.contains(value), "\(selector.name) is never \(label)=\(value)")
            }
        }
    }

    @Test func `Every label that an alert's text names is one of its series`() throws {
        let alerts = try Fleet.example("tcpstates-rules.yml").split(separator: "- alert: ").dropFirst()
        #expect(alerts.count > 10)
        let metrics = Dictionary(uniqueKeysWithValues: Catalogue.all.map { ($0.text, $0) })
        for alert in alerts {
            let own = Set(Self.selectors(in: String(alert)).flatMap { metrics[$0.name]?.labels ?? [] })
            for name in alert.matches(of: /\$labels\.([a-z_]+)/).map({ String($0.output.1) }) {
                #expect(own.contains(name) || Self.added.contains(name), "\(alert.prefix(30)) names \(name)")
            }
        }
    }

    @Test func `A series that is none is found`() {
        let found = Self.selectors(
            in: #"rate(tcpstates_nothing_total{state!="x",role="client"}[5m]) > a:tcpstates_sockets:sum"#
        )
        #expect(found.map(\.name) == ["tcpstates_nothing_total", "tcpstates_sockets"])
        #expect(found.first?.wanted.map(\.label) == ["state", "role"])
    }
}
