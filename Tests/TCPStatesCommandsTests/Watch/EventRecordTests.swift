import Foundation
import SockDiag
import TCPRecords
import TCPWatch
import Testing

@testable import TCPStatesCommands

@Suite struct EventRecordTests {
    private func records(
        _ events: [SocketEvent],
        _ format: RecordFormat,
        reportsSockets: Bool = true,
        _ details: SocketDetails = .processes
    ) -> String {
        func render(_ renderer: consuming EventRecordRenderer<some BufferedEncoder & ~Copyable>) -> String {
            renderer.begin()
            for event in events { renderer.render(event) }
            return renderer.encoder.text.string
        }
        let names = Fixtures.names().names
        guard format != .jsonl else {
            let encoder = JSONLinesEncoder(details: details, names: names)
            return render(EventRecordRenderer(encoder, reportsSockets: reportsSockets))
        }
        let encoder = CSVEncoder(reportsSockets ? .eventsAndSockets : .events, details: details, names: names)
        return render(EventRecordRenderer(encoder, reportsSockets: reportsSockets))
    }

    /// Without gaps, which are timed by now.
    private func timed() throws -> [SocketEvent] {
        try EventFixtures.all().filter {
            switch $0 {
            case .gap, .slowed: false
            default: true
            }
        }
    }

    @Test func jsonLinesReadAsReviewed() throws {
        try expectSnapshot(records(timed(), .jsonl), "watch.jsonl")
    }

    @Test func csvReadsAsReviewed() throws {
        try expectSnapshot(records(timed(), .csv), "watch.csv")
    }

    @Test func identifiersAndLargeNumbersAreStrings() throws {
        let objects = try parse(records(EventFixtures.all(), .jsonl))
        let last = try #require(objects.first { $0["from"] as? String == "CLOSE_WAIT" })
        #expect(last["cookie"] as? String == "fffffffffffffffe")
        #expect(last["monotonic_ns"] as? String == "9007214603740993")
        #expect(last["in_state_ns"] as? String == "3000000000")
        #expect(last["via"] as? [String] == ["LAST_ACK"])
        let final = try #require(last["final"] as? [String: Any])
        #expect(final["bytes_sent"] as? String == "9007199254740993")
        #expect(final["duration_ns"] as? String == "15348000000")
        #expect(final["retransmits"] as? Int == 3)
    }

    @Test func timesAreUTCToTheNanosecond() throws {
        let objects = try parse(records(EventFixtures.all(), .jsonl))
        #expect(objects.contains { $0["time"] as? String == "2026-11-23T07:20:46.123456789Z" })
    }

    @Test func whatIsNotKnownIsAbsent() throws {
        let objects = try parse(records(EventFixtures.all(), .jsonl))
        let transition = try #require(objects.first { $0["type"] as? String == "transition" && $0["from"] == nil })
        for name in ["from", "in_state_ns", "final", "reason", "lost", "netns", "recv_queue"] {
            #expect(transition[name] == nil, "\(name)")
        }
        #expect(transition["to"] as? String == "CLOSED")
    }

    @Test func readyIsWrittenBehindTheSocketsAlone() throws {
        let gap = SocketEvent.gap(Gap(source: .reader, reason: "the reader was too slow", lost: 1))
        func types(_ events: [SocketEvent], reportsSockets: Bool) throws -> [String?] {
            try parse(records(events, .jsonl, reportsSockets: reportsSockets)).map { $0["type"] as? String }
        }
        #expect(try types([.ready, gap, .ready], reportsSockets: false) == ["gap", "ready"])
        #expect(try types([.ready, gap, .ready], reportsSockets: true) == ["ready", "gap", "ready"])
    }

    @Test func whatWasLostIsARecord() throws {
        let gaps = try parse(records(EventFixtures.all(), .jsonl)).filter { $0["type"] as? String == "gap" }
        #expect(gaps.map { $0["source"] as? String } == ["destroy", "poll"])
        #expect(gaps.map { $0["lost"] as? Int } == [12, nil])
        #expect(gaps.allSatisfy { $0["reason"] is String && $0["time"] is String && $0["cookie"] == nil })
    }

    @Test(arguments: [true, false], [[], .processes, [.processes, .namespace]] as [SocketDetails])
    func columnsOfCSVDependOnTheOptionsAlone(_ reportsSockets: Bool, _ details: SocketDetails) throws {
        let rows = try parse(
            csv: records(EventFixtures.all(), .csv, reportsSockets: reportsSockets, details)
        )
        let header = try #require(rows.first)
        #expect(Set(header).count == header.count)
        for row in rows { #expect(row.count == header.count) }
        #expect(header.contains("netns") == details.contains(.namespace))
        #expect(header.contains("recv_queue") == reportsSockets)
    }

    @Test func csvColumnsAreTheNamesOfJSONFlattened() throws {
        let header = try #require(try parse(csv: records([], .csv)).first)
        for object in try parse(records(EventFixtures.all(), .jsonl)) {
            for (name, value) in object {
                let names = (value as? [String: Any])?.keys.map { "\(name).\($0)" } ?? [name]
                for name in names { #expect(header.contains(name)) }
            }
        }
    }
}
