import Foundation
import Testing

@testable import TCPStatesCommands

/// A package that depends on this one, and what `swift package` does there. It is built below `.build`, so that only
/// the first time takes long.
@Suite(.serialized) struct PluginTests {
    private static let consumer = repository.appending(path: ".build/consumer")

    /// Writes the package: nothing but a test that leaves a listener, one of XCTest that does, and one that does not.
    private static func write() throws {
        let files = [
            "Package.swift": """
            // swift-tools-version: 6.2
            import PackageDescription
            let package = Package(
                name: "consumer",
                dependencies: [.package(name: "tcpstates", path: "\(repository.path)")],
                targets: [.testTarget(name: "ConsumerTests")]
            )
            """,
            "Tests/ConsumerTests/Tests.swift": """
            import Glibc
            import Testing
            import XCTest

            func listener() -> Int32 {
                let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
                listen(descriptor, 1)
                return descriptor
            }

            @Suite(.serialized) struct Sockets {
                @Test func leaves() async throws {
                    _ = listener()
                    try await Task.sleep(for: .milliseconds(50))
                }
                @Test func closes() { close(listener()) }
            }

            final class OldTests: XCTestCase {
                func testLeaves() { _ = listener() }
                func testCloses() { close(listener()) }
            }
            """,
        ]
        for (name, text) in files {
            let file = consumer.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            let data = Data(text.utf8)
            // What has not changed is not built again.
            if (try? Data(contentsOf: file)) != data { try data.write(to: file) }
        }
    }

    private func package(_ arguments: [String]) throws -> Tool.Result {
        try Self.write()
        let line = "cd '\(Self.consumer.path)' && exec swift package \"$@\" 2>&1"
        return try Tool.run(["-c", line, "sh"] + arguments, program: "/bin/sh")
    }

    @Test func testsThatLeaveSocketsOpenFailAndAreNamed() throws {
        let result = try package(["tcpstates-test"])
        #expect(result.status != 0)
        #expect(result.output.contains("--- 2 sockets leaked ---"))
        #expect(result.output.contains("ConsumerTests.Sockets/leaves():\n  LISTEN 0.0.0.0:"))
        #expect(result.output.contains("in no test that is known:\n  LISTEN 0.0.0.0:"))
        #expect(result.output.contains("the server was not shut down: nobody closed its listener"))
        #expect(result.output.contains("error: sockets leaked"))
    }

    @Test func testsThatCloseTheirSocketsPass() throws {
        let result = try package(["tcpstates-test", "--filter", "loses"])
        #expect(result.status == 0)
        #expect(result.output.contains("--- no sockets leaked ---"))
        #expect(result.output.contains("testCloses"))
        #expect(result.output.contains("closes()"))
    }

    @Test func anXCTestInAProcessOfItsOwnIsNamedAndWarnOnlyPasses() throws {
        let result = try package(["tcpstates-test", "--warn-only", "--filter", "OldTests", "--", "--parallel"])
        #expect(result.status == 0)
        #expect(result.output.contains("ConsumerTests.OldTests/testLeaves:\n  LISTEN 0.0.0.0:"))
    }

    @Test func theWholeCommandLineIsThere() throws {
        let result = try package(["tcpstates", "summary", "--json", "--state", "listen"])
        #expect(result.status == 0)
        #expect(result.output.contains(#""type":"summary","state":"LISTEN""#))
        let help = try package(["tcpstates", "run", "--help"])
        #expect(help.status == 0)
        #expect(help.output.contains("USAGE: tcpstates run [<options>] -- <command>…"))
        let testHelp = try package(["tcpstates-test", "--help"])
        #expect(testHelp.status == 0)
        #expect(testHelp.output.contains("USAGE: swift package tcpstates-test"))
    }
}
