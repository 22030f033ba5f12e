import SockDiag
import SocketLeaks
import SocketOwners
import TCPRecords
import TCPStateLab
import Testing

@testable import TCPStatesCommands
@testable import TCPWatch

@Suite struct RunReportTests {
    private static let client = identity(40_000, 443)
    private static let server = identity(8080, 50_000)
    private static let listener = identity(8080, 0)
    private static let owner = SocketOwner(pid: 4711, name: ProcessName("app"), descriptor: 7)

    private static func identity(_ local: UInt16, _ remote: UInt16) -> SocketIdentity {
        SocketIdentity(
            family: .ipv4,
            local: SocketEndpoint(.loopbackIPv4, port: local),
            remote: SocketEndpoint(remote == 0 ? .anyIPv4 : .loopbackIPv4, port: remote),
            cookie: SocketCookie(rawValue: UInt64(local) << 16 | UInt64(remote))
        )
    }

    private static func transition(
        _ identity: SocketIdentity,
        _ from: TCPState?,
        _ to: TCPState,
        via: [TCPState] = [],
        after milliseconds: UInt64
    ) -> Transition {
        EventFixtures.transition(
            from,
            to,
            via: via,
            inState: from == .closed ? nil : .milliseconds(1200),
            after: milliseconds,
            of: identity
        )
    }

    /// What COMMAND's sockets take, and then the report.
    private static func report(isTestRun: Bool) -> RunReport {
        var counters = FinalCounters(nil)
        (counters.bytesSent, counters.bytesReceived, counters.retransmits) = (340, 56_000, 2)
        let scope = LeakScope("COMMAND", rules: LeakRules())
        let holder = SocketHolder(owner, of: ProcessIdentity(pid: owner.pid, startTime: 1))
        var connection = SocketAccount(
            transition(client, .closed, .established, via: [.synSent], after: 0),
            .maker(scope)
        )
        connection.holders = [holder]
        connection.take(transition(client, .closed, .established, via: [.synSent], after: 0))
        connection.take(counters)
        connection.take(transition(client, .established, .timeWait, via: [.finWait1, .finWait2], after: 1200))
        let history = [
            transition(server, .closed, .established, via: [.synReceived], after: 0),
            transition(server, .established, .closeWait, after: 1200),
        ]
        var accepted = SocketAccount(history[0], .candidates([scope]))
        for transition in history { accepted.take(transition) }
        accepted.stateAtExit = .closeWait
        accepted.holders = [holder]
        var report = RunReport(words: ["./server", "--port", "8080\u{1b}[31m"])
        report.duration = .milliseconds(3210)
        let now = transition(client, nil, .closed, after: 2000).time
        report.connections.add(connection, at: now)
        report.connections.add(accepted, at: now)
        report.unattributed.add(connection, at: now)
        for state in [TCPState.listen, .established, .timeWait] { report.states.count(from: nil, to: state) }
        report.states.count(from: .established, to: .closeWait)
        let leak = SocketLeak(
            WatchedSocket(
                remembered: server,
                in: .closeWait,
                uid: 1000,
                inode: 99,
                namespace: nil,
                owners: [owner]
            ),
            history: history,
            at: now
        )
        let open = SocketLeak(
            WatchedSocket(remembered: listener, in: .listen, uid: 1000, inode: 98, namespace: nil, owners: [owner])
        )
        report.leaks = [
            RunReport.Finding(leak: leak, tests: isTestRun ? ["App.S/first()"] : [], isOver: isTestRun),
            RunReport.Finding(
                leak: open,
                tests: isTestRun ? ["App.S/first()", "App.S/second()"] : [],
                isOver: isTestRun
            ),
        ]
        if !isTestRun { report.openAtExit.add(accepted) }
        report.isTestRun = isTestRun
        report.lost = 3
        return report
    }

    private func table(_ report: RunReport) -> String {
        var table = EventTable(names: Fixtures.names(), terminal: .none, showsHeader: false)
        table.render(report)
        return table.text.string
    }

    @Test func theReportReadsAsReviewed() throws {
        try expectSnapshot(table(Self.report(isTestRun: false)), "run.txt")
    }

    @Test func theReportOfTestsReadsAsReviewed() throws {
        try expectSnapshot(table(Self.report(isTestRun: true)), "run-tests.txt")
    }

    @Test func recordsReadAsReviewed() throws {
        try expectSnapshot(runRecords(.jsonl, Self.report(isTestRun: true)), "run.jsonl")
    }

    @Test func columnsOfCSVAreThoseOfEveryRecord() throws {
        try expectSnapshot(runRecords(.csv, Self.report(isTestRun: false)), "run.csv")
    }
}
