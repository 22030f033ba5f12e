import ArgumentParser
import Testing

@testable import TCPStatesCommands

@Suite struct HelpTests {
    @Test func rootHelpReadsAsReviewed() throws {
        try expectSnapshot(TCPStates.helpMessage(columns: 80), "help.txt")
    }

    @Test func listHelpReadsAsReviewed() throws {
        try expectSnapshot(TCPStates.helpMessage(for: ListCommand.self, columns: 80), "help-list.txt")
    }

    @Test func summaryHelpReadsAsReviewed() throws {
        try expectSnapshot(TCPStates.helpMessage(for: SummaryCommand.self, columns: 80), "help-summary.txt")
    }

    @Test func watchHelpReadsAsReviewed() throws {
        try expectSnapshot(TCPStates.helpMessage(for: WatchCommand.self, columns: 80), "help-watch.txt")
    }

    @Test func replayHelpReadsAsReviewed() throws {
        try expectSnapshot(TCPStates.helpMessage(for: ReplayCommand.self, columns: 80), "help-replay.txt")
    }

    @Test func runHelpReadsAsReviewed() throws {
        try expectSnapshot(TCPStates.helpMessage(for: RunCommand.self, columns: 80), "help-run.txt")
    }

    @Test func testHelpReadsAsReviewed() throws {
        try expectSnapshot(TCPStates.helpMessage(for: SwiftTestCommand.self, columns: 80), "help-swift-test.txt")
    }

    @Test func explainHelpReadsAsReviewed() throws {
        try expectSnapshot(TCPStates.helpMessage(for: ExplainCommand.self, columns: 80), "help-explain.txt")
    }

    @Test func doctorHelpReadsAsReviewed() throws {
        try expectSnapshot(TCPStates.helpMessage(for: DoctorCommand.self, columns: 80), "help-doctor.txt")
    }

    @Test func serveHelpReadsAsReviewed() throws {
        try expectSnapshot(TCPStates.helpMessage(for: ServeCommand.self, columns: 80), "help-serve.txt")
    }

    @Test(arguments: [["--version"], ["list", "--version"]])
    func versionIsOneLineOnStandardOutput(_ arguments: [String]) throws {
        let result = try Tool.run(arguments)
        #expect(result.status == 0)
        #expect(result.output == "\(TCPStates.version)\n")
        #expect(result.errors.isEmpty)
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func completionsOfferStatesAndKeys(_ shell: String) throws {
        let result = try Tool.run(["--generate-completion-script", shell])
        #expect(result.status == 0)
        #expect(result.output.contains("close_wait"))
        #expect(result.output.contains("closing-states"))
        #expect(result.output.contains("local-port"))
    }
}
