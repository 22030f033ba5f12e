import ConnectionTracking
import Foundation
import Glibc
import SockDiag
import TCPStateLab
import TCPWatch
import Testing

@testable import TCPStatesCommands

/// The binary, on journals that are written by hand and on its own.
@Suite struct ReplayTests {
    private static let header: JournalHeader = {
        var header = JournalHeader(version: TCPStates.version)
        header.kernel = "6.12.3 x86_64"
        header.refusal = "cannot trace the kernel: Operation not permitted"
        header.start = time(0)
        header.resolvesOwners = true
        return header
    }()

    private static func time(_ milliseconds: UInt64) -> EventTime {
        EventTime(
            monotonicNanoseconds: 5_000_000_000 + milliseconds * 1_000_000,
            realtimeNanoseconds: 1_795_418_446_123_456_789 + milliseconds * 1_000_000
        )
    }

    private static let row = SocketRow(
        SocketName(
            SocketCookie(rawValue: 0x1a2b),
            Endpoints(local: (0, 0xc000_0201), 40_000, remote: (0, 0xc633_6407), 443, interface: 2),
            family: .ipv4
        ),
        .established,
        inode: 4242,
        uid: 1000
    )

    /// A journal of a socket in ESTABLISHED and then in CLOSE_WAIT, with its owner; gone afterwards.
    private struct Journal: ~Copyable {
        let path = FileManager.default.temporaryDirectory.appending(path: "tcpstates-\(UUID().uuidString)").path

        init(_ header: JournalHeader = ReplayTests.header) throws {
            let writer = try JournalWriter(path: path, header: header)
            writer.append(.namespace(watcher: 0, nil, .init()))
            let owner = SocketOwner(pid: 4711, name: ProcessName("nginx"), descriptor: 8)
            writer.append(.owners(watcher: 0, row.name.cookie, [owner]))
            var later = row
            later.state = .closeWait
            for entry in dump(row, after: 0) + dump(later, after: 250) { writer.append(entry) }
            writer.finish()
        }

        deinit { unlink(path) }

        private func dump(_ row: SocketRow, after milliseconds: UInt64) -> [JournalEntry] {
            [.dumpBegan(.all), .row(row), .dumpEnded(isComplete: true)].map { (fact: Input.Fact) in
                .input(watcher: 0, Input(fact, at: time(milliseconds)))
            }
        }

        /// What is printed of it.
        func replay(_ options: [String] = []) throws -> Tool.Result {
            try Tool.run(["replay", "--journal", path] + options, environment: ["TZ": "UTC"])
        }

        /// The types of the records that are printed of it.
        func types(_ options: [String] = []) throws -> [String] {
            try parse(replay(["--json"] + options).output).compactMap { $0["type"] as? String }
        }
    }

    @Test func whatItPrintsReadsAsReviewed() throws {
        let journal = try Journal()
        let table = try journal.replay(["-p"])
        #expect(table.status == 0)
        try expectSnapshot(table.output, "replay.txt")
        try expectSnapshot(table.errors, "replay-errors.txt")
        let records = try journal.replay(["--json"])
        #expect(records.status == 0)
        try expectSnapshot(records.output, "replay.jsonl")
    }

    @Test func whatWatchLeftOutIsLeftOutUnlessItIsAskedFor() throws {
        var header = Self.header
        header.reportsExisting = false
        let journal = try Journal(header)
        #expect(try journal.types() == ["transition"])
        #expect(try journal.types(["--initial"]) == ["socket", "ready", "transition"])
        #expect(try journal.types(["--initial", "--count", "1"]) == ["socket", "ready", "transition"])
    }

    @Test func aJournalThatIsCutShortPrintsWhatIsWholeAndFails() throws {
        let journal = try Journal()
        let file = URL(filePath: journal.path)
        try Data(contentsOf: file).dropLast().write(to: file)
        let result = try journal.replay(["--json"])
        #expect(result.status == 1)
        #expect(try parse(result.output).count == 3)
        #expect(
            result.errors.hasPrefix("tcpstates: cannot replay the journal \(journal.path): it is cut short at byte ")
        )
        #expect(result.errors.split(separator: "\n").count == 1)
    }

    @Test func aJournalOfAnotherVersionSaysWhichReadsIt() throws {
        var header = Self.header
        header.version = "0.0.9"
        let journal = try Journal(header)
        let result = try journal.replay()
        #expect(result.status == 1)
        #expect(result.output.isEmpty)
        let fault = "cannot replay the journal \(journal.path): it was written by tcpstates 0.0.9"
        #expect(result.errors == "tcpstates: \(fault); replay it with that version\n")
    }

    @Test func whereThereWereNoProcessesThatIsSaid() throws {
        var header = Self.header
        header.resolvesOwners = false
        let result = try Journal(header).replay(["-p", "--json"])
        #expect(result.status == 0)
        #expect(result.errors.contains("the journal has no processes: watch ran without --processes"))
    }

    @Test func withoutAJournalThereIsNothingToReplay() throws {
        let result = try Tool.run(["replay"])
        #expect(result.status == 64)
        #expect(result.errors.contains("--journal"))
    }

    @Test func anothersJournalIsNotReadAndThatIsSaid() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let journal = try Journal()
        let replay = try start(lab, ["replay", "--journal", journal.path])
        let result = try replay.wait()
        #expect(result.status == .exited(1))
        #expect(result.standardError.contains("cannot open the journal \(journal.path): Permission denied"))
    }

    @Test func aReplayPrintsWhatWatchPrinted() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let journal = try Journal()
        // Nobody may not write a file of root's.
        unlink(journal.path)
        let pair = try lab.loopbackPair()
        let options = ["--json", "--initial", "--interval", "20ms", "--duration", "2s"]
        let watch = try start(lab, ["watch", "--journal", journal.path] + options)
        try watch.output("the sockets that exist") { $0.contains("\"local_port\":\(pair.client.local.port),") }
        for _ in 0..<20 { try lab.loopbackPair().client.shutDown() }
        let printed = try watch.wait().standardOutput
        let result = try journal.replay(["--json"])
        #expect(result.status == 0)
        #expect(result.output == printed)
        #expect(try parse(printed).count > 40)
    }

    /// Starts the tool as a user without privilege.
    private func start(_ lab: Lab, _ arguments: [String]) throws -> ChildProcess {
        try cancelUnlessPermitted { () throws(LabError) in
            try lab.start(Tool.path, arguments, environment: [:], uid: 65534, terminal: false)
        }
    }
}
