import Foundation
import OTLPReading
import TCPWatch
import Testing

@testable import TCPRecords

/// OpenTelemetry's own decoder, which is made of the protocol's files.
@Suite("What OpenTelemetry's own decoder reads", .timeLimit(.minutes(10)))
struct OTLPFleetTests {
    private static let isThere = Fleet.has(Fleet.python)
    private static let missing: Comment = "opentelemetry-proto is missing: make test-fleet"

    private func decode(_ script: String, _ bytes: [UInt8]) throws -> [String] {
        let answer = try Fleet.run(Fleet.python, ["-c", script], input: Data(bytes).base64EncodedString())
        try #require(answer.status == 0, "\(answer.text)")
        return answer.text.split(separator: "\n").map(String.init)
    }

    @Test(.enabled(if: isThere, missing), arguments: [false, true])
    func `Each value is read as it was written, and no field is unknown`(named: Bool) throws {
        for seed in 0..<3 as Range<UInt64> {
            let groups = FleetTests.groups(seed, named: named)
            let lines = try decode(Self.metrics, OTLPMetricsTests.bytes(groups))
            let expected = groups.flatMap { constants, families in
                families.flatMap { family in
                    family.samples.map { OTLPMetricsTests.line($0, of: family.metric, constants) }
                }
            }
            // A label may have a newline in it.
            let written = expected.map { $0.replacing("\n", with: "\\n") }
            #expect(lines.sorted() == written.sorted())
        }
    }

    @Test(.enabled(if: isThere, missing))
    func `Events are log records`() throws {
        var random = RandomRecords(5)
        var encoder = OTLPEvents()
        let transitions = (0..<200).map { _ in random.transition() }
        for transition in transitions { encoder.append(.transition(transition), at: 99) }
        var bytes = TextBuffer()
        encoder.takeRequest(of: OTLPMetricsTests.source, into: &bytes)
        let lines = try decode(Self.events, bytes.withBytes { Array($0) })
        let expected = transitions.map { transition in
            [
                "tcpstates.transition", "\(transition.time.realtimeNanoseconds)", "99", "SEVERITY_NUMBER_INFO",
                "\(transition.identity.local.port)", transition.to.description,
                transition.via.map(\.description).joined(separator: ","),
            ].joined(separator: " | ")
        }
        #expect(lines == expected)
    }

    private static let check = """
        import base64, struct, sys
        from google.protobuf.unknown_fields import UnknownFieldSet
        def check(message):
            assert len(UnknownFieldSet(message)) == 0, message
            for field, value in message.ListFields():
                if field.message_type is not None:
                    for each in (value if hasattr(value, "__len__") else [value]): check(each)
        def text(value):
            kind = value.WhichOneof("value")
            return f"int {value.int_value}" if kind == "int_value" else value.string_value
        data = base64.b64decode(sys.stdin.read())

        """

    /// A line for each point, as `MetricsRequest.Point.line` is one.
    private static let metrics =
        check + """
            from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
            def bits(number): return format(struct.unpack(">Q", struct.pack(">d", number))[0], "x")
            request = ExportMetricsServiceRequest.FromString(data)
            check(request)
            [resource] = request.resource_metrics
            assert resource.resource.attributes[1].value.string_value == "\u{e9}\\"\\n"
            [scope] = resource.scope_metrics
            assert (scope.scope.name, scope.scope.version) == ("tcpstates", "0.1.0")
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                points = getattr(metric, kind).data_points
                if kind != "gauge": assert getattr(metric, kind).aggregation_temporality == 2
                if kind == "sum" and metric.sum.is_monotonic: kind = "counter"
                for point in points:
                    labels = ",".join(sorted(f"{a.key}={text(a.value)}" for a in point.attributes))
                    counts, bounds = [], []
                    if kind == "histogram":
                        value, counts, bounds = point.sum, list(point.bucket_counts), list(point.explicit_bounds)
                        assert sum(counts) == point.count and len(counts) == len(bounds) + 1
                    else:
                        value = float(getattr(point, point.WhichOneof("value")))
                    shown = f"{counts} [" + ", ".join(f'"{bits(b)}"' for b in bounds) + "]"
                    line = [metric.name, metric.unit, kind, labels, str(point.start_time_unix_nano),
                            str(point.time_unix_nano), bits(value), shown, str(len(point.exemplars) if kind != "histogram" else 0)]
                    print(" | ".join(line).replace("\\n", "\\\\n"))
            """

    private static let events =
        check + """
            from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
            from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber
            request = ExportLogsServiceRequest.FromString(data)
            check(request)
            for record in request.resource_logs[0].scope_logs[0].log_records:
                found = {a.key: a.value for a in record.attributes}
                assert len(found) == len(record.attributes)
                via = ",".join(v.string_value for v in found["via"].array_value.values)
                print(" | ".join([record.event_name, str(record.time_unix_nano), str(record.observed_time_unix_nano),
                    SeverityNumber.Name(record.severity_number), str(found["local_port"].int_value), found["to"].string_value, via]))
            """
}
