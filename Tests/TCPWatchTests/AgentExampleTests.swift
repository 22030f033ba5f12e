import Foundation
import SocketValues
import TCPStateLab
import Testing

/// The programs of `Examples/Agent`, built as a user builds them, and run. Another one is another test here.
@Suite(.serialized) struct AgentExampleTests {
    private static let root = URL(filePath: #filePath).appending(path: "../../..").standardized.path
    private static let example = "\(root)/Examples/Agent"
    private static let scratch = "\(root)/.build/examples/Agent"

    /// What the build of all programs and of their tests has written, its status last; built once.
    private static let build = Result {
        // Gently: it builds the libraries while other tests run.
        try Program.shell("export NO_COLOR=1; nice swift build --build-tests \(places); echo $?")
    }
    private static let places = "--package-path '\(example)' --scratch-path '\(scratch)'"

    /// The path of a program of the package.
    private func program(_ name: String) throws -> String {
        let lines = try Self.build.get()
        try #require(lines.last == "0", "\(lines.joined(separator: "\n"))")
        return "\(Self.scratch)/debug/\(name)"
    }

    @Test func `A program fits on a screen or two, and nothing is fetched for any`() throws {
        _ = try program("Preflight")
        let sources = try #require(FileManager.default.enumerator(atPath: "\(Self.example)/Sources"))
        let files = sources.compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }
        #expect(files.count >= 3)
        for file in files {
            let text = try String(contentsOfFile: "\(Self.example)/Sources/\(file)", encoding: .utf8)
            #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count <= 60, "\(file)")
        }
        let checkouts = try? FileManager.default.contentsOfDirectory(atPath: "\(Self.scratch)/checkouts")
        #expect(checkouts ?? [] == [], "the library without its traits has no dependencies")
    }

    @Test func `The tests of the programs pass, without a kernel's events`() throws {
        _ = try program("AlertRule")
        let lines = try Program.shell("export NO_COLOR=1; swift test --skip-build \(Self.places); echo $?")
        #expect(lines.last == "0", "\(lines.joined(separator: "\n"))")
        #expect(lines.contains { $0.contains("tests in") && $0.contains("passed") })
    }

    @Test func `The preflight says what there is and what is missing, to root and to nobody`() throws {
        let preflight = try program("Preflight")
        let lines = try Program.run([preflight])
        for capability in ["ipv4", "ipv6", "destroy_events"] {
            #expect(lines.contains("there    \(capability)"), "\(lines)")
        }
        #expect(lines.contains { $0.hasPrefix("An agent here watches by ") })
        guard Program.isRoot else { return }
        let others = try Program.run(Program.asNobody + [preflight])
        #expect(others.contains { $0.hasPrefix("missing  trace: cannot trace the kernel: ") }, "\(others)")
        #expect(others.last == "An agent here watches by poll, and names the owners that it may see.")
    }

    @Test func `The alert rule names what is not closed, when its time is up`() throws {
        let rule = try program("AlertRule")
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let connection = try lab.server(in: .closeWait)
        // A terminal gets each line at once.
        let agent = try lab.start(rule, ["1"], terminal: true)
        let words = "\(connection.local) \(connection.remote) is in CLOSE_WAIT for "
        let output = try agent.output("the alert") { $0.contains(words) && $0.contains("held by ") }
        #expect(output.split(whereSeparator: \.isNewline).count == 1, "\(output)")
    }
}
