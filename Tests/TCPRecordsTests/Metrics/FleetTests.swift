import Foundation
import SeededRandom
import SockDiag
import TCPDiagnosis
import TCPRecords
import TCPWatch
import Testing

@Suite("What Prometheus' own programs read", .timeLimit(.minutes(10)))
struct FleetTests {
    /// Everything that there is to report, with names that others chose.
    private static func everything(_ seed: UInt64) -> [MetricFamily] {
        var random = RandomRecords(seed)
        var meter = EventMeter()
        for _ in 0..<300 { meter.note(.transition(random.transition())) }
        meter.note(.gap(Gap(source: .destroy, reason: "full", lost: 3)))
        var options = SocketGauges.Options()
        options.groupings = Set(SocketGauges.Grouping.allCases)
        (options.hasAges, options.hasQueues, options.cap) = (true, true, 20)
        var gauges = SocketGauges(options, settings: KernelSettings(), at: 1 << 40)
        var numbers = SplitMix64(seed)
        let names: [ProcessName?] = [
            ProcessName("a\"b\nc\u{1b}[31m"), ProcessName("\\"), ProcessName(bytes: [0xff, 0x22]), nil,
            ProcessName("\u{2028}\r# EOF"), ProcessName(""),
        ]
        for _ in 0..<500 {
            let identity = random.transition().identity
            let state = numbers.one(of: TCPState.allCases)
            let side: OpeningSide = numbers.one(of: [.active, .passive, .unknown])
            gauges.count(
                SocketGauges.Visit(
                    identity,
                    in: state,
                    openedBy: side,
                    since: numbers.among(0...(1 << 41)),
                    receiveQueue: UInt32(numbers.below(100)),
                    sendQueue: UInt32(numbers.below(100)),
                    process: numbers.one(of: names)
                )
            )
        }
        let finding = Finding(kind: .closeWait, title: "", evidence: [], meaning: "", remedies: [])
        let access = [AccessRecord("ipv4", isAvailable: true), AccessRecord("counters", isAvailable: false)]
        var families = gauges.families + meter.families(isTraced: true)
        families += MetricFamily.kernel(KernelCounters(), KernelSettings())
        families += [
            MetricFamily.findings([finding]), MetricFamily.access(access), MetricFamily.watch(isTraced: true),
            MetricFamily.build(version: "0.1.0"), MetricFamily(Catalogue.scrapeDuration, .number(0.0004)),
            MetricFamily(Catalogue.scrapes, [.init(["200"], .count(4)), .init(["503"], .count(0))]),
        ]
        return families + MetricFamily.ownProcess()
    }

    private func text(_ groups: [PrometheusText.Group], _ format: PrometheusText.Format) -> String {
        var buffer = TextBuffer()
        PrometheusText.write(groups, as: format, since: 1_700_000_000_123_456_789, into: &buffer)
        return buffer.string
    }

    /// Of one namespace, and of two that have names.
    static func groups(_ seed: UInt64, named: Bool) -> [PrometheusText.Group] {
        guard named else { return [([], everything(seed))] }
        return ["one", "t\"w\\o"].map { ([(name: "netns", value: $0)], everything(seed)) }
    }

    @Test(.enabled(if: Fleet.has(Fleet.promtool), "promtool is missing: make test-fleet"), arguments: [false, true])
    func `promtool has nothing to say about the classic text`(named: Bool) throws {
        for seed in 0..<3 as Range<UInt64> {
            let text = text(Self.groups(seed, named: named), .classic)
            let answer = try Fleet.run(Fleet.promtool, ["check", "metrics"], input: text)
            #expect(answer.text == "")
            #expect(answer.status == 0)
        }
    }

    @Test(.enabled(if: Fleet.has(Fleet.promtool), "promtool is missing: make test-fleet"))
    func `promtool would have something to say about a damaged text`() throws {
        let text = text(Self.groups(0, named: false), .classic)
        let damaged = text.replacing("process_threads", with: "tcpstates_sockets")
        #expect(try Fleet.run(Fleet.promtool, ["check", "metrics"], input: damaged).status != 0)
    }

    @Test(
        .enabled(if: Fleet.has(Fleet.python), "prometheus-client is missing: make test-fleet"),
        arguments: [PrometheusText.Format.classic, .openMetrics],
        [false, true]
    )
    func `The library's parsers read every value as it was written`(
        format: PrometheusText.Format,
        named: Bool
    ) throws {
        for seed in 0..<3 as Range<UInt64> {
            let groups = Self.groups(seed, named: named)
            let answer = try Fleet.run(
                Fleet.python,
                [
                    "-c", Self.parser,
                    format == .classic ? "prometheus_client.parser" : "prometheus_client.openmetrics.parser",
                ],
                input: text(groups, format)
            )
            try #require(answer.status == 0, "\(answer.text)")
            let read = answer.text.split(separator: "\n").map(String.init)
            let (families, samples, examples) = (read.first, read.dropFirst().first, read.last)
            let names = Set(groups.flatMap { $0.families.map(\.metric.text) })
            #expect(families == "\(names.count)")
            let written = groups.flatMap { $0.families }.map { family in
                family.samples.reduce(0) { $0 + self.lines(of: $1, family.metric, format) }
            }
            #expect(samples == "\(written.reduce(0, +))")
            #expect((examples == "0") == (format == .classic))
        }
    }

    /// How many samples a value is, its `_created` one of them.
    private func lines(of sample: MetricFamily.Sample, _ metric: Metric, _ format: PrometheusText.Format) -> Int {
        let created = format == .openMetrics && metric.origin == .watch ? 1 : 0
        switch metric.kind {
        case .gauge, .amount, .info: return 1
        case .counter: return 1 + created
        case .histogram(let bounds): return bounds.count + 3 + created
        }
    }

    /// Says how many families, samples and exemplars there are; it fails where the parser does.
    private static let parser = """
        import importlib, sys
        text = sys.stdin.buffer.read().decode("utf-8", "strict")
        families = list(importlib.import_module(sys.argv[1]).text_string_to_metric_families(text))
        samples = [sample for family in families for sample in family.samples]
        assert all(family.documentation and family.type != "unknown" for family in families)
        print(len(families))
        print(len(samples))
        print(sum(1 for sample in samples if sample.exemplar))
        """

    @Test(.enabled(if: Fleet.has(Fleet.promtool), "promtool is missing: make test-fleet"))
    func `The alert rules have no fault, and fire and resolve as their tests say`() throws {
        let check = try Fleet.run(
            Fleet.promtool,
            ["check", "rules", "--lint=all", "--lint-fatal", "\(Fleet.examples)/tcpstates-rules.yml"]
        )
        #expect(check.status == 0, "\(check.text)")
        let test = try Fleet.run(Fleet.promtool, ["test", "rules", "\(Fleet.examples)/rules-test.yml"])
        #expect(test.status == 0, "\(test.text)")
        #expect(test.text.contains("SUCCESS"))
    }
}
