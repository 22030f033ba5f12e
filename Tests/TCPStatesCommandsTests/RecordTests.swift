import Foundation
import SockDiag
import TCPRecords
import Testing

@testable import TCPStatesCommands

@Suite struct RecordTests {
    @Test func jsonLinesReadAsReviewed() throws {
        try expectSnapshot(records(Fixtures.all(), .jsonl), "records.jsonl")
    }

    @Test func csvReadsAsReviewed() throws {
        try expectSnapshot(records(Fixtures.all(), .csv), "records.csv")
    }

    @Test func everyLineIsAnObjectThatSaysWhatItIs() throws {
        let objects = try parse(records(Fixtures.all(), .jsonl, hosts: Fixtures.hosts()))
        #expect(try objects.count == Fixtures.all().count)
        for object in objects {
            #expect(object["schema"] as? Int == 1)
            #expect(object["type"] as? String == "socket")
        }
    }

    @Test func numbersThatReadersWouldRoundAreStrings() throws {
        let object = try #require(try parse(records([Fixtures.established.socket()], .jsonl)).first)
        let info = try #require(object["tcp_info"] as? [String: Any])
        // 2^53 + 1, the first that a double cannot hold.
        #expect(info["bytes_acked"] as? String == "9007199254740993")
        #expect(info["max_pacing_rate"] as? String == "18446744073709551615")
        #expect(info["rtt"] as? Int == 30_015)
        #expect(object["cookie"] as? String == "1a2b")
    }

    @Test func whatIsNotKnownIsAbsent() throws {
        let object = try #require(try parse(records([Fixtures.halfOpen.socket()], .jsonl)).first)
        for name in ["uid", "inode", "interface", "tcp_info", "memory", "congestion", "cgroup", "mark", "local_name"] {
            #expect(object[name] == nil, "\(name)")
        }
        #expect((object["timer"] as? [String: Any])?["retransmits"] as? Int == 3)
    }

    @Test func nothingIsReportedThatWasNotAskedFor() throws {
        let object = try #require(try parse(records([Fixtures.established.socket()], .jsonl, [])).first)
        #expect(
            Set(object.keys) == [
                "schema", "type", "family", "state", "local_address", "local_port", "remote_address", "remote_port",
                "cookie", "recv_queue", "send_queue", "uid", "inode",
            ]
        )
    }

    @Test func unknownStateKeepsItsNumber() throws {
        let object = try #require(try parse(records([Fixtures.unknownState.socket()], .jsonl)).first)
        #expect(object["state"] as? String == "STATE_14")
        #expect((object["timer"] as? [String: Any])?["kind"] as? String == "timer_9")
    }

    @Test func scopeIsInTheInterfaceAlone() throws {
        let object = try #require(try parse(records([Fixtures.linkLocal.socket()], .jsonl)).first)
        #expect(object["local_address"] as? String == "fe80::1")
        #expect(object["interface"] as? String == "eth0")
    }

    @Test func interfaceThatIsGoneKeepsItsIndex() throws {
        let object = try #require(try parse(records([Fixtures.boundToDevice.socket()], .jsonl)).first)
        #expect(object["interface"] as? String == "if9")
    }

    @Test func namesJoinTheNumbersWhereResolved() throws {
        let text = try records([Fixtures.established.socket()], .jsonl, [], hosts: Fixtures.hosts())
        let object = try #require(try parse(text).first)
        #expect(object["remote_address"] as? String == "198.51.100.7")
        #expect(object["remote_name"] as? String == "client.example")
        #expect(object["local_service"] as? String == "https")
        #expect(object["local_name"] == nil)
    }

    @Test(arguments: [[], .info, .memory, .timers, .extended, .known] as [SocketDetails])
    func everyCSVRowHasTheColumnsOfTheHeader(_ details: SocketDetails) throws {
        let rows = try parse(csv: records(Fixtures.all(), .csv, details))
        let header = try #require(rows.first)
        #expect(try rows.count == Fixtures.all().count + 1)
        #expect(Set(header).count == header.count)
        for row in rows { #expect(row.count == header.count) }
    }

    @Test func csvColumnsAreTheNamesOfJSONFlattened() throws {
        let header = try #require(
            try parse(csv: records([], .csv, hosts: Fixtures.hosts())).first
        )
        for object in try parse(records(Fixtures.all(), .jsonl, hosts: Fixtures.hosts())) {
            for (name, value) in object {
                guard let nested = value as? [String: Any] else {
                    #expect(header.contains(name))
                    continue
                }
                for inner in nested.keys { #expect(header.contains("\(name).\(inner)")) }
            }
        }
    }

    @Test func everyFieldIsDocumented() throws {
        let page = try String(contentsOf: repository.appending(path: "docs/records.md"), encoding: .utf8)
        let header = try #require(
            try parse(csv: records([], .csv, hosts: Fixtures.hosts())).first
        )
        for name in header.flatMap({ $0.split(separator: ".") }) {
            #expect(page.contains("`\(name)`"), "docs/records.md does not say what \(name) is")
        }
    }

    @Test func invalidUTF8BecomesTheReplacementCharacter() throws {
        let socket = try Fixture(attributes: [(.congestion, [0x62, 0xff, 0xc2, 0])]).socket()
        let object = try #require(try parse(records([socket], .jsonl)).first)
        #expect(object["congestion"] as? String == "b\u{fffd}\u{fffd}")
    }

    @Test func csvWithoutHeaderIsRowsAlone() throws {
        let text = try records([Fixtures.listener.socket()], .csvRows, [])
        #expect(text == "1,socket,ipv4,LISTEN,0.0.0.0,22,0.0.0.0,0,1,0,128,0,512,\n")
    }
}

/// The objects of JSON Lines.
func parse(_ text: String) throws -> [[String: Any]] {
    try text.split(separator: "\n").map { line in
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
}

/// The fields of CSV, line by line: no field may hold a line break.
func parse(csv text: String) throws -> [[String]] {
    try text.split(separator: "\n").map { line in
        var fields = [""]
        var isQuoted = false
        // A quote and an accent behind it are one character to Swift, and two to CSV.
        for character in line.unicodeScalars {
            switch character {
            case "\"": isQuoted.toggle()
            case "," where !isQuoted: fields.append("")
            default: fields[fields.count - 1].unicodeScalars.append(character)
            }
        }
        try #require(!isQuoted)
        return fields
    }
}
