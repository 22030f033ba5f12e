import SockDiag
import TCPRecords
import Testing

@testable import TCPStatesCommands

@Suite struct SummaryTests {
    private func tally(_ keys: [GroupKey]) throws -> Tally {
        var tally = Tally(keys: keys)
        var names = RecordNames.none
        for socket in try Fixtures.all() { tally.count(socket, names: &names) }
        return tally
    }

    /// What the summary writes to a file.
    private func written(_ write: (inout Output) throws -> Void) throws -> String {
        try withTemporaryFile { path in
            var output = try Output(path: path)
            try write(&output)
            try output.close()
        }
    }

    private func table(_ keys: [GroupKey], _ terminal: Terminal = .none, showsHeader: Bool = true) throws -> String {
        var hosts: HostNames?
        return try written { output in
            try tally(keys).writeTable(&hosts, terminal, showsHeader: showsHeader, to: &output)
        }
    }

    @Test func everyStateIsThereInItsOrder() throws {
        try expectSnapshot(table([.state]), "summary.txt")
    }

    @Test func groupsAreSortedBySizeThenByKey() throws {
        try expectSnapshot(table([.state, .localPort]), "summary-state-port.txt")
        try expectSnapshot(table([.peer, .uid]), "summary-peer-uid.txt")
    }

    @Test func coloursFollowTheState() throws {
        let text = try table([.state], Terminal(width: nil, hasColor: true))
        #expect(text.contains("\u{1b}[31mCLOSE_WAIT\u{1b}[0m       1\n"))
    }

    @Test func withoutHeaderThereAreRowsAlone() throws {
        let lines = try table([.state], showsHeader: false).split(separator: "\n")
        #expect(lines.count == TCPState.allCases.count + 1)
        #expect(!lines.contains { $0.hasPrefix("TOTAL") || $0.hasPrefix("STATE ") })
    }

    @Test func recordsHaveEveryStateToo() throws {
        let text = try written { try tally([.state]).writeRecords(JSONLinesEncoder(), to: &$0) }
        try expectSnapshot(text, "summary.jsonl")
        let states = try parse(text).compactMap { $0["state"] as? String }
        #expect(Set(states).isSuperset(of: TCPState.allCases.map(\.description)))
    }

    @Test func recordsOfGroupsHaveTheirKeys() throws {
        let hosts = Fixtures.hosts()
        let keys: [GroupKey] = [.state, .localPort, .peer, .uid]
        let json = try written {
            try tally(keys).writeRecords(JSONLinesEncoder(names: RecordNames(hosts: hosts)), to: &$0)
        }
        try expectSnapshot(json, "summary-by.jsonl")
        let csv = try written {
            let tally = try tally(keys)
            tally.writeRecords(tally.csvEncoder(hosts, writesHeader: true), to: &$0)
        }
        try expectSnapshot(csv, "summary-by.csv")
        for row in try parse(csv: csv) { #expect(row.count == 10) }
    }

    @Test func aKeyNamedTwiceCountsOnce() {
        #expect(Tally(keys: [.uid, .state, .uid]).keys == [.uid, .state])
    }

    @Test func onePeerIsOneGroupWhateverTheSocketsFamily() throws {
        var (tally, names) = (Tally(keys: [.peer]), RecordNames.none)
        for peer in ["198.51.100.8", "::ffff:198.51.100.8"] {
            let local = peer.contains(":") ? "::ffff:192.0.2.1" : "192.0.2.1"
            tally.count(try Fixture(local: (local, 1), remote: (peer, 2)).socket(), names: &names)
        }
        #expect(tally.rows.map(\.count) == [2])
    }

    @Test func oneLinkLocalAddressIsAPeerOnEachInterface() throws {
        var (tally, names) = (Tally(keys: [.peer]), RecordNames.none)
        for (interface, peer) in [
            (1, "fe80::1"), (2, "fe80::1"), (2, "fe80::1"), (1, "2001:db8::1"), (2, "2001:db8::1"),
        ] {
            let fixture = Fixture(local: ("fe80::9", 1), remote: (peer, 2), interface: UInt32(interface))
            tally.count(try fixture.socket(), names: &names)
        }
        let groups = tally.rows.map {
            "\($0.group.peer?.description ?? "") \($0.group.peerInterface ?? "-") \($0.count)"
        }
        #expect(groups == ["2001:db8::1 - 2", "fe80::1 if2 2", "fe80::1 if1 1"])
        let lines = try written { tally.writeRecords(JSONLinesEncoder(), to: &$0) }
        #expect(lines.contains(#""peer":"fe80::1","interface":"if2","count":2"#))
    }
}
