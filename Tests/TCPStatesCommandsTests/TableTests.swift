import SockDiag
import TCPRecords
import Testing

@testable import TCPStatesCommands

@Suite struct TableTests {
    @Test func everyKindOfSocketReadsAsReviewed() throws {
        try expectSnapshot(table(Fixtures.all()), "table.txt")
    }

    @Test func detailsReadAsReviewed() throws {
        try expectSnapshot(table(Fixtures.all(), .known), "table-details.txt")
    }

    @Test func detailsFitANarrowTerminal() throws {
        let text = try table(Fixtures.all(), .known, terminal: Terminal(width: 80, hasColor: false))
        try expectSnapshot(text, "table-details-80.txt")
        // A row is as long as its addresses are; details always fit.
        for line in text.split(separator: "\n") where line.hasPrefix("    ") { #expect(line.utf8.count <= 80) }
    }

    @Test func trailingDetailsStayBehindTheAddressesWhereTheyFit() throws {
        let text = try table(
            [Fixtures.established.socket()],
            .timers,
            terminal: Terminal(width: 100, hasColor: false)
        )
        #expect(text.split(separator: "\n").count == 2)
    }

    @Test func coloursFollowTheState() throws {
        let text = try table(Fixtures.all(), terminal: Terminal(width: nil, hasColor: true))
        try expectSnapshot(text.replacing("\u{1b}", with: "<ESC>"), "table-color.txt")
    }

    @Test func coloursChangeNothingElse() throws {
        let colored = try table(Fixtures.all(), .known, terminal: Terminal(width: 90, hasColor: true))
        let plain = try table(Fixtures.all(), .known, terminal: Terminal(width: 90, hasColor: false))
        #expect(colored.replacing(/\u{1b}\[[0-9]*m/, with: "") == plain)
    }

    @Test func namesReplaceNumbersWhereResolved() throws {
        let text = try table([Fixtures.established.socket()], hosts: Fixtures.hosts(), showsHeader: false)
        #expect(text == "ESTABLISHED       0    2896  192.0.2.1:https  client.example:50000\n")
    }

    @Test func hostileNamesCannotSteerTheTerminal() throws {
        let hosts = HostNames(hosts: { _ in "a\u{1b}[2Jb" }, services: { _ in nil })
        let text = try table(Fixtures.all(), .known, hosts: hosts)
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || !$0.properties.generalCategory.isControl })
        #expect(text.contains(#"a\x1b[2Jb:443"#))
    }

    @Test func noSocketsLeaveTheHeader() {
        #expect(table([]) == "STATE        RECV-Q  SEND-Q  LOCAL  PEER\n")
        #expect(table([], showsHeader: false).isEmpty)
    }

    @Test func stateColumnIsAsWideAsTheStatesThatAreAskedFor() throws {
        let text = try table([Fixtures.listener.socket()], states: .listen)
        #expect(text.hasPrefix("STATE   RECV-Q"))
    }

    @Test func rowsAreNotHeldBackBeyondTheBatch() throws {
        let socket = try Fixtures.listener.socket()
        var renderer = SocketTable(
            details: [],
            states: .all,
            names: Fixtures.names(),
            terminal: .none,
            showsHeader: false
        )
        for _ in 1..<SocketTable.batchSize { renderer.render(socket) }
        #expect(renderer.text.string.isEmpty)
        renderer.render(socket)
        #expect(renderer.text.string.split(separator: "\n").count == SocketTable.batchSize)
        renderer.render(socket)
        #expect(renderer.text.string.split(separator: "\n").count == SocketTable.batchSize + 1)
    }

    @Test func laterRowsThatAreTooWideKeepTheirColumnsApart() throws {
        let short = try Fixtures.listener.socket()
        let wide = try Fixture(
            local: ("2001:db8:1111:2222:3333:4444:5555:6666", 65_535),
            remote: ("2001:db8:1111:2222:3333:4444:5555:7777", 65_534),
            queues: (4_000_000_000, 4_000_000_000),
            attributes: [(.shutdown, [0])]
        ).socket()
        let text = table(Array(repeating: short, count: SocketTable.batchSize) + [wide], .extended)
        let last = try #require(text.split(separator: "\n").last)
        #expect(
            last == """
                ESTABLISHED  4000000000  4000000000  [2001:db8:1111:2222:3333:4444:5555:6666]:65535  \
                [2001:db8:1111:2222:3333:4444:5555:7777]:65534  uid:1000 ino:4242 sk:1a2b <->
                """
        )
    }
}

extension Unicode.GeneralCategory {
    fileprivate var isControl: Bool { self == .control }
}
