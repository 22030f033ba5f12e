import Foundation
import TCPStateLab
import Testing

/// The example, run as its README says.
@Suite(.serialized) struct ExampleTests {
    private struct Run {
        let output: String
        let status: String?

        /// The lines of the issue or failure that begins with a line that has the words.
        func issue(_ words: String) -> String {
            let lines = output.split(separator: "\n")
            guard let first = lines.firstIndex(where: { $0.contains(words) }) else { return "" }
            let rest = lines[(first + 1)...].prefix { !"✘✔◇T".contains($0.first ?? " ") }
            return ([lines[first]] + rest).joined(separator: "\n")
        }
    }

    private func swift(_ command: String) throws -> Run {
        let root = URL(filePath: #filePath).appending(path: "../../..").standardized.path
        let package =
            "--package-path '\(root)/Examples/LeakyServer' --scratch-path '\(root)/.build/examples/LeakyServer'"
        let words = command.replacing("PACKAGE", with: package)
        // Gently: it builds a web server while other tests run.
        let lines = try Program.shell("export NO_COLOR=1; nice swift \(words); echo $?")
        return Run(output: lines.dropLast().joined(separator: "\n"), status: lines.last)
    }

    private func prepare() throws {
        let resolved = try swift("package resolve PACKAGE")
        if resolved.status != "0" { try Test.cancel("the example's packages cannot be had: \(resolved.output)") }
        let built = try swift("build --build-tests PACKAGE")
        try #require(built.status == "0", "\(built.output)")
    }

    @Test(arguments: ["--parallel", "--no-parallel"])
    func `Each planted leak is reported at its test, and at no other`(mode: String) throws {
        try prepare()
        let run = try swift("test --skip-build \(mode == "--parallel" ? "" : mode) PACKAGE")
        #expect(run.status == "1")
        let listener = run.issue("\"The quote is served\" recorded")
        let pool = run.issue("\"A pool asks twice\" recorded")
        let server = run.issue("\"A client hangs up\" recorded")
        let testCase = run.issue("LeakyTestCase.testQuoteIsServed : ")
        #expect(listener.contains("a socket was left open") && listener.contains("LISTEN 127.0.0.1:"))
        #expect(pool.contains("2 sockets were left open") && pool.contains("SYN_SENT → ESTABLISHED"))
        #expect(server.contains("a socket was left open") && server.contains("CLOSE_WAIT 127.0.0.1:"))
        #expect(server.contains("the peer closed and nobody called close() here"))
        #expect(testCase.contains("a socket was left open") && testCase.contains("LISTEN 127.0.0.1:"))
        let recorded = run.output.split(separator: "\n").filter { $0.contains(" recorded an issue") }
        #expect(recorded.count == 3 && recorded.allSatisfy { $0.contains("at Leaky.swift") }, "\(recorded)")
        #expect(run.output.contains("FixedTestCase.testQuoteIsServed' passed"), "\(run.output)")
    }
}
