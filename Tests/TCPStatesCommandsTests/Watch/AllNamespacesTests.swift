import Foundation
import Glibc
import TCPStateLab
import Testing

@testable import TCPStatesCommands

/// The binary in all network namespaces, beside those that other tests make and let go of meanwhile.
@Suite struct AllNamespacesTests {
    /// A process in a namespace of its own that listens: on a port that nobody else has in another.
    private func listening(on port: UInt16) throws -> Program {
        let code =
            "import socket,sys;s=socket.create_server(('',\(port)));print('ready',flush=True);sys.stdin.read()"
        let program = try Program(["/usr/bin/unshare", "-n", "/usr/bin/python3", "-c", code])
        try #require(program.readLine() == "ready")
        return program
    }

    private func cookies(_ output: String) -> Set<String> {
        let records = output.split(separator: "\n").compactMap {
            try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
        return Set(records.filter { $0["type"] as? String == "socket" }.compactMap { $0["cookie"] as? String })
    }

    @Test func `A namespace for which there was no descriptor is told once, and watched when there is one`() throws {
        guard Program.isRoot else { try Test.cancel("to enter other namespaces takes root") }
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let port: UInt16 = 47_013
        let programs = try (0..<16).map { _ in try listening(on: port) }
        let watch = [Tool.path, "watch", "--all-netns", "--json", "--initial", "--source", "poll"]
        let limited = "ulimit -S -n 28; exec \"$0\" \"$@\" 'sport = \(port)'"
        let process = try lab.start("/bin/sh", ["-c", limited] + watch, environment: [:])
        let before = try process.output("a refusal, and what could be watched") {
            $0.contains("Too many open files") && $0.contains("\"type\":\"ready\"")
        }
        #expect(cookies(before).count < programs.count)
        #expect(try Program.shell("exec prlimit --pid \(process.id) --nofile=4096:").isEmpty)
        let after = try process.output("the listener of each namespace", within: .seconds(60)) {
            cookies($0).count == programs.count
        }
        // Once for each that was refused, however often it was tried.
        let refused = after.split(separator: "\n").filter { $0.contains("Too many open files") }
        #expect(Set(refused.map { $0.drop { $0 != "," } }).count == refused.count)
        process.signal(SIGINT)
        #expect(try process.wait().status == .exited(0))
    }

    @Test func `A journal of all namespaces tells the same when they are gone`() throws {
        guard Program.isRoot else { try Test.cancel("to enter other namespaces takes root") }
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let port: UInt16 = 47_014
        let journal = FileManager.default.temporaryDirectory.appending(path: "tcpstates-\(UUID().uuidString)").path
        defer { unlink(journal) }
        var options = ["watch", "--all-netns", "--json", "--initial", "--source", "poll", "--interval", "20ms"]
        options += ["--journal", journal, "sport = \(port)"]
        let told: String
        do {
            let programs = try (0..<2).map { _ in try listening(on: port) }
            let process = try lab.start(Tool.path, options, environment: [:])
            try process.output("both listeners") { cookies($0).count == programs.count }
            programs[0].say("")
            _ = programs[0].finish()
            try process.output("the end of one namespace") { $0.contains("has ended") }
            process.signal(SIGINT)
            told = try process.wait().standardOutput
        }
        let replayed = try Tool.run(["replay", "--journal", journal, "--json", "--initial"])
        #expect(replayed.status == 0)
        #expect(replayed.output == told)
    }
}
