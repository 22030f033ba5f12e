import SockDiag
import TCPRecords
import TCPWatch
import Testing

@testable import TCPStatesCommands

@Suite struct EventTableTests {
    /// The events as a table, without what depends on the clock: sockets are timed by now.
    private func table(
        _ events: [SocketEvent],
        width: Int? = nil,
        hasColor: Bool = false,
        showsHeader: Bool = true
    ) -> String {
        var table = EventTable(
            names: Fixtures.names(),
            terminal: Terminal(width: width, hasColor: hasColor),
            showsHeader: showsHeader,
            showsProcesses: true
        )
        table.begin()
        for event in events {
            table.prepare([event])
            table.render(event)
        }
        return timeless(table.text.string)
    }

    private func timeless(_ text: String) -> String {
        text.replacing(/(?m)^\d\d:\d\d:\d\d\.\d{3}/, with: "hh:mm:ss.mmm")
    }

    @Test(arguments: [80, 160])
    func everyKindOfEventReadsAsReviewed(_ width: Int) throws {
        try expectSnapshot(table(EventFixtures.all(), width: width), "watch-\(width).txt")
    }

    @Test func coloursFollowTheStates() throws {
        let text = try table(EventFixtures.all(), hasColor: true)
        try expectSnapshot(text.replacing("\u{1b}", with: "<ESC>"), "watch-color.txt")
    }

    @Test(arguments: [80, 120, nil])
    func coloursChangeNothingElse(_ width: Int?) throws {
        let colored = try table(EventFixtures.all(), width: width, hasColor: true)
        let plain = try table(EventFixtures.all(), width: width)
        #expect(timeless(colored.replacing(/\u{1b}\[[0-9]*m/, with: "")) == plain)
    }

    @Test(arguments: [80, 100, 120, 160])
    func linesFitTheTerminal(_ width: Int) throws {
        // A row is as long as its addresses are; all else fits.
        for line in try table(EventFixtures.all(), width: width).split(separator: "\n") where !line.contains("[2001") {
            #expect(line.count <= width, "\(line)")
        }
    }

    @Test func hostileNamesCannotSteerTheTerminal() throws {
        let text = try table(EventFixtures.all())
        #expect(!text.contains("\u{1b}"))
        #expect(text.contains(#"owner:evil\x1b[31m(4711)"#))
        #expect(text.contains(#"by:evil\x1b[31m(4711)"#))
    }

    @Test func whatIsPrintedStaysAsItIsWhenLaterEndpointsAreLonger() throws {
        let short = SocketEvent.transition(EventFixtures.transition(.closed, .listen, after: 0))
        let long = try EventFixtures.all().suffix(2)
        #expect(table([short] + long, width: 200).hasPrefix(table([short], width: 200)))
    }

    @Test func endpointsThatAreLongerThanTheTerminalKeepTheirColumnsApart() throws {
        let socket = try Fixture(
            local: ("2001:db8:1111:2222:3333:4444:5555:6666", 65_535),
            remote: ("2001:db8:1111:2222:3333:4444:5555:7777", 65_534)
        ).socket()
        let transition = EventFixtures.transition(.closed, .synSent, after: 0, of: socket.identity)
        let text = table([.transition(transition)], width: 80)
        #expect(
            text.contains(
                "[2001:db8:1111:2222:3333:4444:5555:6666]:65535 → [2001:db8:1111:2222:3333:4444:5555:7777]:65534\n"
            )
        )
    }
}
