import OTLPReading
import Testing

@testable import TCPRecords

@Suite("Metrics for OpenTelemetry")
struct OTLPMetricsTests {
    static let source = OTLPSource([("service.name", "tcpstates"), ("host.name", "é\"\n")], version: "0.1.0")

    static func bytes(_ groups: [PrometheusText.Group], _ source: OTLPSource = source) -> [UInt8] {
        var buffer = TextBuffer()
        OTLPMetrics.write(groups, of: source, at: 5_000_000_000, since: start, into: &buffer)
        return buffer.withBytes { Array($0) }
    }

    private static func start(_ origin: Metric.Origin) -> UInt64 {
        switch origin {
        case .watch: 3_000_000_000
        case .boot: 1
        case .process: 2_000_000_000
        }
    }

    /// What is expected of a value, as a reader of OTLP says it.
    static func line(_ sample: MetricFamily.Sample, of metric: Metric, _ constants: [(name: String, value: String)])
        -> String
    {
        let kind =
            switch metric.kind {
            case .gauge, .info: "gauge"
            case .amount: "sum"
            case .counter: "counter"
            case .histogram: "histogram"
            }
        let names = metric.labels.map { metric.convention?.attributes[$0] ?? $0 }
        let pairs = zip(names, sample.labels).map { ($0, $1) } + (metric.convention?.constants ?? []) + constants
        let labels = pairs.map { name, value in
            let isPort = ["network.local.port", "network.peer.port"].contains(name) && UInt16(value) != nil
            return "\(name)=\(isPort ? "int " : "")\(value)"
        }
        let units: [Metric.Unit: String] = [.seconds: "s", .bytes: "By"]
        var (value, counts, bounds): (Double, [UInt64], [Double]) = (0, [], [])
        switch sample.value {
        case .count(let count): value = Double(Int64(clamping: count))
        case .number(let number): value = number
        case .histogram(let histogram): (value, counts, bounds) = (histogram.sum, histogram.counts, histogram.bounds)
        }
        return [
            metric.convention?.name ?? metric.text,
            metric.convention?.unit ?? metric.unit.flatMap { units[$0] } ?? "", kind,
            labels.sorted().joined(separator: ","), kind == "gauge" ? "0" : "\(start(metric.origin))", "5000000000",
            String(value.bitPattern, radix: 16), "\(counts) \(bounds.map { String($0.bitPattern, radix: 16) })",
            sample.exemplar == nil ? "0" : "1",
        ].joined(separator: " | ")
    }

    @Test(arguments: [false, true])
    func `Each value is read as it was written, by its name and attributes there`(named: Bool) throws {
        for seed in 0..<3 as Range<UInt64> {
            let groups = FleetTests.groups(seed, named: named)
            let request = try MetricsRequest(Self.bytes(groups))
            let expected = groups.flatMap { constants, families in
                families.flatMap { family in
                    family.samples.map { Self.line($0, of: family.metric, constants) }
                }
            }
            #expect(request.points.map(\.line).sorted() == expected.sorted())
            #expect(request.scope == ("tcpstates", "0.1.0"))
            #expect(request.resource == ["service.name": .text("tcpstates"), "host.name": .text("é\"\n")])
        }
    }

    @Test func `Sockets have the name, the unit and the attributes of the conventions`() throws {
        let family = MetricFamily(Catalogue.sockets, [.init(["ipv6", "close_wait"], .count(7))])
        let point = try #require(try MetricsRequest(Self.bytes([([], [family])])).points.first)
        #expect(point.name == "system.network.connection.count" && point.unit == "{connection}")
        #expect(point.kind == "sum" && point.value == 7)
        #expect(
            point.attributes == [
                "network.type": .text("ipv6"), "network.connection.state": .text("close_wait"),
                "network.transport": .text("tcp"),
            ]
        )
    }

    @Test func `What may be added up is no gauge, and what may not is none of the sums`() {
        // Limits and ages of two namespaces come to nothing that there is.
        for metric in Catalogue.all where metric.text.contains("limit") && metric.text != Catalogue.groupsLimited.text {
            if case .gauge = metric.kind { continue }
            Issue.record("\(metric.text)")
        }
        for metric in Catalogue.all where metric.convention?.name.hasSuffix(".count") == true {
            if case .amount = metric.kind { continue }
            Issue.record("\(metric.text)")
        }
    }

    @Test(arguments: [0, 1, 126, 127, 128, 129, 16_250, 16_383, 16_384, 2_097_151, 2_097_152])
    func `A field of any length is read whole, and what follows it`(length: Int) throws {
        var buffer = TextBuffer()
        let text = String(repeating: "x", count: length)
        buffer.append(1) { outer in
            outer.append(2) { $0.append(3, text: text) }
            outer.append(4, varint: .max)
        }
        buffer.append(5, double: -0.5)
        let message = try WireMessage(buffer.withBytes { Array($0) })
        let outer = try message.message(1)
        #expect(try outer.message(2).text(3) == text)
        #expect(outer.number(4) == .max)
        #expect(message.number(5) == (-0.5).bitPattern)
        #expect(message.fields.count == 2)
    }

    @Test func `A field that ends where the memory does is whole`() throws {
        for capacity in 1...64 {
            for length in 0...40 {
                var buffer = TextBuffer(capacity: capacity)
                let text = String(repeating: "x", count: length)
                buffer.append(1) { $0.append(2) { $0.append(3, text: text) } }
                let message = try WireMessage(buffer.withBytes { Array($0) })
                #expect(try message.message(1).message(2).text(3) == text, "\(length) bytes in \(capacity)")
            }
        }
    }

    @Test func `An answer is read, and one that is none says nothing`() {
        var buffer = TextBuffer()
        buffer.append(1) {
            $0.append(1, varint: 3)
            $0.append(2, text: "too old")
        }
        let bytes = buffer.withBytes { Array($0) }
        #expect(OTLPAnswer(taken: bytes).rejected == 3)
        #expect(OTLPAnswer(taken: bytes).message == "too old")
        #expect(OTLPAnswer(taken: []).rejected == 0)
        for length in 0..<bytes.count { #expect(OTLPAnswer(taken: bytes.prefix(length)).rejected <= 3) }
        var random = RandomRecords(1)
        for _ in 0..<10_000 {
            let noise = random.noise()
            _ = OTLPAnswer(taken: noise)
            _ = OTLPAnswer(refused: noise, isText: false)
            _ = OTLPAnswer(refused: noise, isText: true)
        }
        var status = TextBuffer()
        status.append(1, varint: 3)
        status.append(2, text: "no\nsuch  metric")
        #expect(OTLPAnswer(refused: status.withBytes { Array($0) }, isText: false).message == "no such metric")
        #expect(OTLPAnswer(refused: "bad request\r\n".utf8, isText: true).message == "bad request")
        var negative = TextBuffer()
        negative.append(1) { $0.append(1, varint: .max) }
        #expect(OTLPAnswer(taken: negative.withBytes { Array($0) }).rejected == 0)
    }

    @Test(
        arguments: [
            ("0", 0), ("120", 120), (" 7 ", 7), ("99999999999999999999", UInt64.max),
            // RFC 9110's own example is a second after the time.
            ("Sun, 06 Nov 1994 08:49:37 GMT", 1), ("Sun, 06 Nov 1994 08:50:37 GMT", 61),
            ("Sat, 05 Nov 1994 08:49:37 GMT", 0), ("", nil), ("-1", nil), ("1.5", nil), ("soon", nil),
            ("Sun, 06 Nov 1994 08:49:37 UTC", nil), ("Sun, 06 Nvo 1994 08:49:37 GMT", nil),
            ("Sun, 99 Nov 1994 08:49:37 GMT", nil), ("é, 06 Nov 1994 08:49:37 GMT", nil),
        ] as [(String, UInt64?)]
    )
    func `Retry-After has two forms`(text: String, seconds: UInt64?) {
        #expect(OTLPAnswer.seconds(retryAfter: text, at: 784_111_776_000_000_000) == seconds)
    }
}
