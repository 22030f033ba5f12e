import Foundation
import Glibc
import SockDiag
import TCPStateLab
import Testing

@testable import TCPStatesCommands

/// `tcpstates run`, as a user has it.
@Suite struct RunTests {
    /// Runs a script of the probe in the lab; its report is in the standard output.
    private func start(_ lab: Lab, _ options: [String] = [], _ script: [String]) throws -> ChildProcess {
        try cancelUnlessPermitted { () throws(LabError) in
            let words = ["run", "--output", "/dev/stdout"] + options + ["--", Program.probe, "script"] + script
            return try lab.start(Tool.path, words, environment: [:])
        }
    }

    /// Whether the listener and both sockets of its connection have been reported. A dump may begin before there is a
    /// listener, and end when there is its connection.
    private func isUp(_ output: String, _ listener: String, _ end: String) -> Bool {
        output.contains(listener) && output.split(separator: "\n").count { $0.contains(end) } == 2
    }

    private func records(_ output: String) -> [[String: Any]] {
        output.split(separator: "\n").compactMap {
            (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any]
        }
    }

    @Test func outputErrorsAndStatusAreTheCommandsOwn() throws {
        let result = try Tool.run(["run", "--", "sh", "-c", "echo out; echo err >&2; exit 7"])
        #expect(result.status == 7)
        #expect(result.output == "out\n")
        #expect(result.errors.hasPrefix("err\n--- sh -c echo out; echo err >&2; exit 7: exit status 7 after "))
    }

    @Test func inputIsTheCommandsOwn() throws {
        let result = try Tool.run(["-c", "echo in | \(Tool.path) run --output /dev/null -- cat"], program: "/bin/sh")
        #expect(result.output == "in\n")
        #expect(result.status == 0)
        #expect(result.errors.isEmpty)
    }

    @Test func aCommandThatASignalEndsEndsRunByTheSame() throws {
        let result = try Tool.run(["run", "--", "sh", "-c", "kill -9 $$"])
        #expect(result.signal == SIGKILL)
        #expect(result.errors.contains("killed by signal 9 (Killed)"))
    }

    @Test(arguments: [
        ("no-such-command", Int32(127), "cannot run no-such-command: No such file or directory"),
        ("/", Int32(126), "cannot run /: Permission denied"),
    ])
    func whatCannotBeStartedHasTheStatusOfEnv(_ command: String, _ status: Int32, _ message: String) throws {
        let result = try Tool.run(["run", "--", command, "word"])
        #expect(result.status == status)
        #expect(result.output.isEmpty)
        #expect(result.errors == "tcpstates: \(message)\n")
    }

    @Test func aScriptWithoutAFirstLineIsFoundInThePath() throws {
        let directory = try #require(try Program.run(["/bin/mktemp", "-d"]).first)
        defer { _ = try? Program.run(["/bin/rm", "-r", directory]) }
        let make = "echo 'echo ran $1' > \(directory)/plain-script; chmod +x \(directory)/plain-script"
        _ = try Program.run(["/bin/sh", "-c", make])
        let path = "\(directory):/usr/bin:/bin"
        let result = try Tool.run(["run", "--", "plain-script", "word"], environment: ["PATH": path])
        #expect(result.output == "ran word\n")
        #expect(result.status == 0)
    }

    @Test(arguments: [("TERM", SIGTERM), ("IO", SIGIO)])
    func signalsArePassedOn(_ name: String, _ number: Int32) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let script = "trap 'exit 9' \(name); sleep 5 & echo up; wait"
        let words = ["run", "--", "sh", "-c", script]
        let run = try cancelUnlessPermitted { () throws(LabError) in try lab.start(Tool.path, words) }
        try run.output("the command") { $0 == "up\n" }
        run.signal(number)
        #expect(try run.wait().status == .exited(9))
    }

    @Test func aCommandIsEndedAfterTheDuration() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let words = ["run", "--duration", "50ms", "--", "sleep", "5"]
        let run = try cancelUnlessPermitted { () throws(LabError) in try lab.start(Tool.path, words) }
        #expect(try run.wait().status == .signaled(SIGTERM))
    }

    @Test func blockedAndIgnoredSignalsAreInherited() throws {
        let status = "grep -E 'SigBlk|SigIgn' /proc/self/status"
        let plain = try Tool.run(["-c", "trap '' PIPE HUP; \(status)"], program: "/bin/sh")
        let run = try Tool.run(["-c", "trap '' PIPE HUP; \(Tool.path) run -- \(status)"], program: "/bin/sh")
        #expect(run.output == plain.output)
    }

    @Test func connectionsAreReportedWithTheirBytes() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let run = try start(
            lab,
            ["-v"],
            ["pair", "send", "5000", "await", "close", "client", "close", "accepted", "close", "listener", "exit", "0"]
        )
        try run.output("all three sockets") { isUp($0, "→ LISTEN", "→ ESTABLISHED") }
        run.signal(SIGUSR1)
        let result = try run.wait()
        #expect(result.status == .exited(0))
        let report = result.standardOutput
        #expect(report.contains("1 connection made, 1 accepted; at most 3 sockets at once\n"))
        #expect(report.contains("  sent 5.0kB  received 0B  lasted "))
        #expect(report.contains("  sent 0B  received 5.0kB  lasted "))
        #expect(!report.contains("leaked"))
        #expect(!report.contains("too fast"))
    }

    @Test func whatADescendantHoldsOnHasLeaked() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let run = try start(lab, ["--json"], ["pair", "hold", "exit", "0"])
        let result = try run.wait()
        #expect(result.status == .exited(3))
        let leaks = records(result.standardOutput).filter { $0["type"] as? String == "leak" }
        let states = leaks.map { $0["state"] as? String ?? "" }.sorted()
        #expect(states == ["ESTABLISHED", "ESTABLISHED", "LISTEN"])
        let names = leaks.flatMap { $0["processes"] as? [[String: Any]] ?? [] }.compactMap { $0["name"] as? String }
        #expect(Set(names) == ["sleep"])
        let hasReasons = leaks.allSatisfy { ($0["reason"] as? String)?.isEmpty == false }
        #expect(hasReasons)
    }

    @Test func theStatusOfAFailedCommandHidesNoLeak() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let result = try start(lab, ["--ignore", "state established"], ["pair", "hold", "exit", "5"]).wait()
        #expect(result.status == .exited(5))
        #expect(result.standardOutput.contains("1 socket leaked\n  LISTEN 127.0.0.1:"))
    }

    @Test func ignoredSocketsAreNoLeaks() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let result = try start(
            lab,
            ["--ignore", "state listen", "--ignore", "src 127.0.0.1"],
            ["pair", "hold", "exit", "0"]
        ).wait()
        #expect(result.status == .exited(0))
    }

    @Test func whatTheKernelClosedForADeadProcessIsReported() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let run = try start(lab, ["-v"], ["pair", "await", "exit", "0"])
        try run.output("all three sockets") { isUp($0, "→ LISTEN", "→ ESTABLISHED") }
        run.signal(SIGUSR1)
        let result = try run.wait()
        #expect(result.status == .exited(0))
        #expect(result.standardOutput.contains("3 sockets were open when the process ended"))
    }

    @Test func everyRecordIsJSONAndTheLastOneSumsUp() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let run = try start(lab, ["-v", "--json"], ["pair", "await", "close", "client", "exit", "4"])
        try run.output("all three sockets") { isUp($0, "\"to\":\"LISTEN\"", "\"to\":\"ESTABLISHED\"") }
        run.signal(SIGUSR1)
        let result = try run.wait()
        let lines = result.standardOutput.split(separator: "\n")
        let records = records(result.standardOutput)
        #expect(records.count == lines.count)
        let connections = records.filter { $0["type"] as? String == "connection" }
        let sides = connections.map { $0["opened_by"] as? String ?? "" }.sorted()
        #expect(sides == ["active", "passive"])
        let last = try #require(records.last)
        #expect(last["type"] as? String == "run")
        #expect(last["status"] as? Int == 4)
        #expect(last["connections_made"] as? Int == 1)
        #expect(last["connections_accepted"] as? Int == 1)
        #expect(last["peak"] as? Int == 3)
    }

    @Test func anothersConnectionsAreNotTheCommands() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let pair = try lab.loopbackPair()
        let run = try start(lab, ["-v"], ["pair", "await", "exit", "0"])
        try run.output("all three sockets") { isUp($0, "→ LISTEN", "→ ESTABLISHED") }
        pair.client.close()
        let other = try lab.loopbackPair()
        run.signal(SIGUSR1)
        let report = try run.wait().standardOutput
        #expect(report.contains("1 connection made, 1 accepted; at most 3 sockets at once\n"))
        #expect(!report.contains(":\(other.listener.local.port)"))
        #expect(!report.contains(":\(pair.listener.local.port)"))
    }
}
