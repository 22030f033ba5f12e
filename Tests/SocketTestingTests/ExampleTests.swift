import Foundation
import TCPStateLab
import Testing

/// The example as its user runs it.
@Suite struct ExampleTests {
    private static let root = URL(filePath: #filePath).appending(path: "../../..").standardized.path

    private func test(_ options: String...) throws -> String {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let example = ["--package-path", "\(Self.root)/Examples/LeakyServer"]
        let scratch = ["--scratch-path", "\(Self.root)/.build/examples/LeakyServer"]
        let result = try lab.spawn(
            "/usr/bin/env",
            ["swift", "test"] + example + scratch + options,
            within: .seconds(900)
        )
        return result.standardOutput + result.standardError
    }

    @Test func `Each planted leak is found and told of its test, and nobody else is blamed`() throws {
        for options in [["--parallel"], ["--no-parallel"]] {
            let output = try test(options[0])
            #expect(output.contains("x"))
        }
    }
}
