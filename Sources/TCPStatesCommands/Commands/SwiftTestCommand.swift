internal import ArgumentParser
internal import LinuxLibC
internal import LinuxSystem
internal import SockDiag
internal import TCPWatch

/// `tcpstates swift-test`: what the plugin `tcpstates-test` runs.
struct SwiftTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swift-test",
        abstract: "Run a package's tests; report the sockets that they left open.",
        usage: "swift package tcpstates-test [<options>] [-- <options of swift test>…]",
        discussion: """
            Runs swift test, with its output as it comes, and watches the sockets of the test processes. One that a test \
            process still holds when it ends has leaked. It is reported with its state, its endpoints, its age, its \
            descriptor, how it got there and what usually causes that; and with the test that ran when it was opened. \
            Where several ran at once, all of them are named: --no-parallel shows which. Of XCTest only those that \
            run in a process of their own (--parallel) can be distinguished.

            EXAMPLES
              swift package tcpstates-test
              swift package tcpstates-test --filter NetworkTests -- --no-parallel
              swift package tcpstates-test --ignore 'dport = :5432' --warn-only
              swift package tcpstates-test --json --output leaks.jsonl

            It fails where a test fails, and where a socket leaked.
            """,
        shouldDisplay: false
    )

    @Option(help: ArgumentHelp("Only tests that match, as swift test has it (repeatable).", valueName: "pattern"))
    var filter: [String] = []

    @Flag(help: "Report leaks, and do not fail for them.")
    var warnOnly = false

    @OptionGroup(title: "Leaks") var leaks: LeakOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    @Option(help: ArgumentHelp("The swift to run.", visibility: .hidden))
    var swift = "swift"

    @Option(help: ArgumentHelp("The package.", visibility: .hidden))
    var packagePath: String?

    @Option(help: ArgumentHelp("Where the package is built already.", visibility: .hidden))
    var builtIn: String?

    @Argument(parsing: .captureForPassthrough, help: ArgumentHelp("Options of swift test.", valueName: "options"))
    var words: [String] = []

    func validate() throws {
        try Self.heed(words.first)
        if let first = words.first, first != "--" {
            throw ValidationError("no option '\(first)'; options of swift test follow --")
        }
    }

    func run() throws {
        let stream = try EventStream()
        let (tests, status) = try runTests(stream)
        if let refusal = tests.refusal {
            let reason = String(cString: strerror(refusal.rawValue))
            TCPStates.complain("the test processes could not be traced (\(reason)): what they left open is not known")
        }
        let end = warnOnly && status == .exited(RunPlan.leakStatus) ? .exited(0) : status
        end.imitate()
    }

    private func runTests(_ stream: EventStream) throws -> (TestWatch, ChildCommand.End) {
        defer { stream.remove() }
        var plan = RunPlan(words: command(stream.path))
        plan.rules = try leaks.rules(states: nil)
        let tests = try TestWatch(stream: stream.path)
        plan.tests = tests
        return (tests, try plan.run(output))
    }

    private func command(_ stream: String) -> [String] {
        var command = [swift, "test"]
        if let packagePath { command += ["--package-path", packagePath] }
        // The package manager that started the plugin holds the lock.
        if let builtIn { command += ["--skip-build", "--ignore-lock", "--scratch-path", builtIn] }
        for pattern in filter { command += ["--filter", pattern] }
        let others = words.dropFirst()
        let option = "--event-stream-output-path"
        if others.contains(where: { $0 == option || $0.hasPrefix("\(option)=") }) {
            TCPStates.complain(
                "\(option) is yours, and there is but one: leaks are reported without the tests that ran"
            )
        } else {
            command += ["--event-stream-output-path", stream, "--event-stream-version", "0"]
        }
        return command + others
    }
}

/// A FIFO in a directory of its own.
private struct EventStream {
    private let directory: String
    let path: String

    init() throws(CommandFailure) {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/tcpstates.XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            throw CommandFailure("cannot make a directory in \(parent)", errno: errno)
        }
        directory = String(cString: made)
        path = "\(directory)/events"
        guard mkfifo(path, 0o600) == 0 else {
            let failure = CommandFailure("cannot make \(path)", errno: errno)
            rmdir(directory)
            throw failure
        }
    }

    func remove() {
        unlink(path)
        rmdir(directory)
    }
}
