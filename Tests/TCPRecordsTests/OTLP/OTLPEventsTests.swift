import Foundation
import OTLPReading
import SockDiag
import TCPWatch
import Testing

@testable import TCPRecords

@Suite("Events for OpenTelemetry")
struct OTLPEventsTests {
    private func request(_ events: [SocketEvent]) throws -> EventsRequest {
        var encoder = OTLPEvents()
        for event in events { encoder.append(event, at: 77) }
        #expect(encoder.count == events.count)
        var bytes = TextBuffer()
        encoder.takeRequest(of: OTLPMetricsTests.source, into: &bytes)
        #expect(encoder.count == 0 && encoder.byteCount == 0)
        return try EventsRequest(bytes.withBytes { Array($0) })
    }

    /// A value of a record, as an attribute has it: numbers are numbers.
    private func attribute(_ value: Any, isLarge: Bool) throws -> AttributeValue {
        switch value {
        case let text as String:
            if isLarge, let number = Int64(text) { return .number(number) }
            return .text(text)
        case let list as [Any]: return .list(try list.map { try attribute($0, isLarge: false) })
        case let fields as [String: Any]: return .fields(try fields.mapValues { try attribute($0, isLarge: false) })
        // What is no number there is text.
        case let number as NSNumber where number.uint64Value > UInt64(Int64.max): return .text("\(number.uint64Value)")
        case let number as NSNumber: return .number(number.int64Value)
        default: throw CocoaError(.coderInvalidValue)
        }
    }

    @Test func `An event has the attributes that its record has fields, and no others`() throws {
        var random = RandomRecords(3)
        let large = ["monotonic_ns", "in_state_ns", "open_ns", "bytes_sent", "bytes_received", "duration_ns"]
        let events: [SocketEvent] = (0..<500).map { round in
            round % 10 == 9 ? .gap(random.gap()) : .transition(random.transition())
        }
        let told = try request(events).events
        try #require(told.count == events.count)
        for (event, told) in zip(events, told) {
            var encoder = JSONLinesEncoder()
            // A gap without a time is told by now.
            if case .gap(let gap) = event, gap.time == nil { continue }
            encoder.append(event)
            let line = Data(encoder.takeBytes())
            var record = try #require(try JSONSerialization.jsonObject(with: line) as? [String: Any])
            for name in ["schema", "time"] { record[name] = nil }
            #expect(told.name == "tcpstates.\(record.removeValue(forKey: "type") as? String ?? "")")
            var expected: [String: AttributeValue] = [:]
            for (name, value) in record {
                if name == "final" || name == "by", let fields = value as? [String: Any] {
                    for (field, value) in fields {
                        expected["\(name).\(field)"] = try attribute(value, isLarge: large.contains(field))
                    }
                } else {
                    expected[name] = try attribute(value, isLarge: large.contains(name))
                }
            }
            #expect(told.attributes == expected)
            #expect(told.observed == 77)
            switch event {
            case .transition(let transition):
                #expect(told.time == transition.time.realtimeNanoseconds)
                #expect(told.severity == 9 && told.severityText == "INFO")
            default: #expect(told.severity == 13 && told.severityText == "WARN")
            }
        }
    }

    @Test func `What a watcher has to say of its own speed is a loss too`() throws {
        let time = EventTime(monotonicNanoseconds: 1, realtimeNanoseconds: 2)
        let event = try #require(try request([.slowed(.seconds(2), at: time)]).events.first)
        #expect(event.name == "tcpstates.gap" && event.time == 2)
        #expect(event.attributes["source"] == .text("poll"))
    }
}
