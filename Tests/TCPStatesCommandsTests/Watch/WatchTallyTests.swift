import SockDiag
import TCPWatch
import Testing

@testable import TCPStatesCommands

@Suite struct WatchTallyTests {
    @Test func summaryReadsAsReviewed() throws {
        var tally = WatchTally()
        for event in try EventFixtures.all() { tally.count(event) }
        try expectSnapshot(text { tally.append(to: &$0, after: .milliseconds(12_345), sockets: 26) }, "watch-tally.txt")
    }

    @Test func nothingIsSummedUpInTwoLines() {
        let lines = "--- 1.0s, 1 socket watched ---\n0 transitions, 0 connections opened, 0 closed\n"
        #expect(text { WatchTally().append(to: &$0, after: .seconds(1), sockets: 1) } == lines)
    }

    @Test func whatTheBudgetAllowedIsSaid() {
        let line = "traced; beside that, half-open requests were read every 30.0s and all sockets every 2m40s\n"
        #expect(text { $0.append(periods: (all: .seconds(160), requests: .seconds(30))) } == line)
    }

    @Test func listenersAndBoundSocketsAreNoConnections() {
        var tally = WatchTally()
        let states: [(TCPState, TCPState)] = [
            (.closed, .bound), (.bound, .listen), (.listen, .closed), (.closed, .listen), (.bound, .closed),
        ]
        for (from, to) in states { tally.count(.transition(EventFixtures.transition(from, to, after: 0))) }
        #expect(text { tally.append(to: &$0, after: .zero, sockets: 0) }.contains(" 0 connections opened, 0 closed\n"))
    }

    @Test func seldomKindsAreLumpedTogether() {
        var tally = WatchTally()
        for from in TCPState.allCases {
            for to in TCPState.allCases { tally.count(.transition(EventFixtures.transition(from, to, after: 0))) }
        }
        let lines = text { tally.append(to: &$0, after: .zero, sockets: 0) }.split(separator: "\n")
        #expect(lines.count < 24)
        #expect(lines.last?.hasSuffix("132  others") == true)
    }
}
