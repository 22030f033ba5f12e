import Foundation
import Glibc
import SockDiag
import TCPStateLab
import Testing

@testable import TCPStatesCommands

/// The binary in a PID namespace of its own, as in a container, and in the lab's network namespace.
@Suite(.enabled(if: Program.isRoot, "only root can trace, and look around in another PID namespace"))
struct PIDNamespaceTests {
    /// A shell script in a new PID namespace, with its own `/proc`; `$1` is the binary and `$2` the probe.
    private static func inside(_ script: String) -> [String] {
        ["-pf", "--mount-proc", "--kill-child", "/bin/sh", "-c", script, "sh", Tool.path, Program.probe]
    }

    private func run(_ lab: Lab, _ script: String) throws -> ChildProcess.Result {
        try lab.spawn("/usr/bin/unshare", Self.inside(script))
    }

    private func lines(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }

    /// `by:` and what follows, in the lines that end in such a state.
    private func callers(_ output: String, to state: String) -> [String] {
        lines(output).filter { $0.contains("→ \(state) ") }.map { line in
            line.split(separator: " ").first { $0.hasPrefix("by:") }.map(String.init) ?? "nobody"
        }
    }

    // MARK: Owners

    @Test func `Sockets whose owners are outside show none, and it is said who cannot be seen`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listener = try lab.loopbackListener()
        let listed = try run(lab, "\"$1\" -H -p")
        #expect(lines(listed.standardOutput).count == 1 && listed.standardOutput.contains(listener.local.description))
        #expect(!listed.standardOutput.contains("users:"))
        #expect(listed.standardError.contains("/proc does not show the processes outside of this PID namespace"))
        #expect(listed.standardError.contains("--pid=host"))
        let examined = try run(lab, "\"$1\" doctor")
        #expect(
            examined.standardOutput.contains("not seen    owners: cannot find the owners of all sockets: /proc does")
        )
        let watching = try run(lab, "\"$1\" watch -p --duration 10ms")
        #expect(watching.standardError.contains("outside of this PID namespace"))
    }

    @Test func `Where all who hold sockets are inside nothing is missing, and the claim is no wider than that`() throws
    {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let result = try run(
            lab,
            """
            sh -c 'echo $$; exec "$0" script pair say up await' "$2" | {
                read -r number; read -r up; "$1" -H -p; "$1" doctor; "$1" watch -p --duration 10ms; kill -USR1 $number
            }
            """
        )
        #expect(result.standardOutput.components(separatedBy: "users:((\"SystemProbe\",pid=").count == 4)
        let words = result.standardOutput.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(words.contains("owners within this PID namespace"))
        #expect(!words.contains("not seen owners"))
        #expect(!result.standardError.contains("outside of this PID namespace"))
    }

    @Test func `A socket that is held inside and outside names the holder inside`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let socket = try lab.loopbackListener()
        let number = try #require(socket.descriptor)
        let output = try lab.run {
            try Program.run(
                ["/usr/bin/unshare", "-pf", "--mount-proc", Tool.path, "-H", "-p"],
                descriptors: [40: number]
            )
        }
        #expect(output.count == 1)
        #expect(output.first?.contains("users:((\"tcpstates\",pid=1,fd=40))") == true, "\(output)")
    }

    @Test func `A descriptor that was passed on is its new holder's`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let result = try run(
            lab,
            """
            sh -c 'echo $$; exec "$0" script pair pass say up await' "$2" | {
                read -r number; read -r up; echo "$number"; "$1" -H -p; kill -USR1 $number
            }
            """
        )
        let output = lines(result.standardOutput)
        try #require(output.count == 4, "\(output) \(result.standardError)")
        let listener = try #require(output.first { $0.hasPrefix("LISTEN") })
        #expect(listener.contains("users:((\"exe\",pid=") || listener.contains("users:((\"SystemProbe\",pid="))
        #expect(!listener.contains("pid=\(output[0]),"))
        #expect(output.filter { $0.hasPrefix("ESTABLISHED") && $0.contains("pid=\(output[0]),") }.count == 2)
    }

    // MARK: Calls

    @Test(.timeLimit(.minutes(30)))
    func `A step of a process outside is never put on the one that has its number inside`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listener = try lab.loopbackListener()
        let namesake = """
            echo \(getpid() - 1) > /proc/sys/kernel/ns_last_pid; sleep 600 & [ $! = \(getpid()) ] || exit 98
            exec "$1" watch --source trace -p --initial
            """
        let table = try lab.start("/usr/bin/unshare", Self.inside("\(namesake) -H"))
        let records = try lab.start("/usr/bin/unshare", Self.inside("\(namesake) --json"))
        try table.output("the sockets that exist") { $0.contains("LISTEN") }
        try records.output("the sockets that exist") { $0.contains("\"type\":\"ready\"") }
        let pair = try lab.loopbackPair()
        pair.client.close()
        pair.accepted.close()
        let shown = try table.output("the end of the connection") { $0.contains("LAST_ACK     → CLOSED") }
        let written = try records.output("the end of the connection") { $0.contains("\"LAST_ACK\",\"to\":\"CLOSED\"") }
        var status = stat()
        try #require(stat("/proc/self/ns/pid", &status) == 0)
        let name = try String(contentsOfFile: "/proc/self/comm", encoding: .utf8).dropLast()
        #expect(callers(shown, to: "SYN_SENT") == ["by:\(name)(pid:[\(status.st_ino)])"])
        #expect(!shown.contains("(\(getpid()))") && !shown.contains("sleep"))
        let calls = try lines(written).map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }.filter { $0["to"] as? String == "SYN_SENT" }
        #expect(calls.count == 1)
        #expect(calls.allSatisfy { $0["pid"] == nil && $0["pid_namespace"] as? UInt64 == UInt64(status.st_ino) })
        withExtendedLifetime(listener) {}
    }

    @Test(.timeLimit(.minutes(30)), arguments: [("nested", "pair"), ("", "pair"), ("", "pair-by-thread")])
    func `A step of a process inside has its number there, also within a further one and by a thread`(
        place: String,
        pair: String
    ) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listener = try lab.loopbackListener()
        // Without a /proc of its own, the inner shell reads there the number that it has in the outer one.
        let nested = place.isEmpty ? "" : "unshare -pf "
        let result = try run(
            lab,
            """
            "$1" watch --source trace -p -H --initial -c 6 | {
                read -r first
                \(nested)sh -c 'read -r line < /proc/self/stat; echo "number ${line%% *}"
                    exec "$0" script \(pair) close client close accepted close listener' "$2"
                cat
            }
            """
        )
        let output = result.standardOutput
        let number = try #require(lines(output).first { $0.hasPrefix("number ") }?.dropFirst(7))
        for state in ["LISTEN", "SYN_SENT"] {
            let callers = callers(output, to: state)
            #expect(callers.count == 1, "\(output) \(result.standardError)")
            #expect(callers.allSatisfy { $0.hasPrefix("by:") && $0.hasSuffix("(\(number))") }, "\(callers)")
        }
        withExtendedLifetime(listener) {}
    }

    @Test(.timeLimit(.minutes(30))) func `A process that has come in from outside has a number inside`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listener = try lab.loopbackListener()
        let watch = try lab.start("/usr/bin/unshare", Self.inside("exec \"$1\" watch --source trace -p -H --initial"))
        try watch.output("the sockets that exist") { $0.contains("LISTEN") }
        let words = ["script", "pair", "close", "client", "close", "accepted", "close", "listener"]
        let place = "--pid=/proc/\(watch.id)/ns/pid_for_children"
        try lab.spawn("/usr/bin/nsenter", [place, Program.probe] + words)
        let output = try watch.output("the listener's end") { $0.contains("LISTEN       → CLOSED") }
        let callers = callers(output, to: "SYN_SENT")
        #expect(callers.count == 1)
        // The numbers of a new namespace begin at 1, which is the watching program's.
        #expect(callers.allSatisfy { $0.contains("(") && !$0.contains("(pid:[") && !$0.contains("(1)") }, "\(callers)")
        withExtendedLifetime(listener) {}
    }
}
