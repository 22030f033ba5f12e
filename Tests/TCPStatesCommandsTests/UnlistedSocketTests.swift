import Foundation
import SockDiag
import TCPStateLab
import Testing

@testable import TCPStatesCommands

/// Sockets that no dump of the kernel lists: the tool finds them by their descriptors.
@Suite struct UnlistedSocketTests {
    /// A program that forgets six such sockets in a lab's network namespace, and holds others that are well.
    private struct Forgetful {
        let lab: Lab
        let program: Program
        static let count = 6

        init() throws {
            lab = try Lab.orCancel()
            let forgotten = ["unbound", "unbound", "unbound6", "refused", "reset", "disconnected"]
            let well = ["idle", "listener", "bound", "close-wait", "udp", "unix"]
            program = try lab.run { try Program([Program.probe, "forget"] + forgotten + well) }
            try #require(program.readLine() == "ready")
        }

        /// The lines of the tool's output, once the kernel has done what it does with a delay.
        func lines(_ arguments: [String], until isWanted: ([String]) -> Bool = { _ in true }) throws -> [String] {
            let deadline = ContinuousClock.now + .seconds(5)
            while true {
                let result = try lab.spawn(Tool.path, arguments)
                try #require(result.status == .exited(0), "\(result.standardError)")
                let lines = result.standardOutput.split(separator: "\n").map(String.init)
                if isWanted(lines) || .now > deadline { return lines }
            }
        }

        func rows(_ arguments: String...) throws -> [String] {
            try lines(["-H"] + arguments) { $0.count == Self.count }
        }
    }

    @Test func `Where CLOSED is asked for, what was never bound, refused, reset or let go is found, and nothing else`()
        throws
    {
        let forgetful = try Forgetful()
        defer { forgetful.lab.close() }
        let pid = forgetful.program.pid
        let owned = try forgetful.rows("-p", "--state", "closed")
        #expect(owned.count == Forgetful.count)
        for row in owned {
            #expect(row.hasPrefix("CLOSED "))
            #expect(row.contains("users:((\"SystemProbe\",pid=\(pid),fd="))
            #expect(row.split(separator: " ")[1...2] == ["-", "-"], "no queue is known")
        }
        #expect(Set(owned).count == Forgetful.count, "each by its descriptor")
        #expect(try forgetful.rows("--state", "closed").count == Forgetful.count)
        #expect(try forgetful.rows("state", "closed").count == Forgetful.count)
        #expect(try forgetful.rows("--state", "closed", "pid = \(pid)").count == Forgetful.count)
        #expect(try forgetful.lines(["-H", "--state", "closed", "-6"]).count == 1)
        #expect(try forgetful.lines(["-H", "--state", "closed", "pid = 1"]).isEmpty)
        #expect(try forgetful.lines(["-H", "--state", "closed", "sport = :80"]).isEmpty)
        let counted = try forgetful.lines(["summary", "-H", "--state", "closed"])
        let closed = counted.filter { $0.hasPrefix("CLOSED") }.map { $0.split(separator: " ") }
        #expect(closed == [["CLOSED", "\(Forgetful.count)"]])
        let metrics = try forgetful.lines(["summary", "--format", "prometheus", "--state", "closed"])
        let values = metrics.filter { $0.hasPrefix("tcpstates_sockets{") && $0.contains("\"closed\"") }
            .compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
        #expect(values.count == 2 && values.reduce(0, +) == Forgetful.count)
        // Who asks for every state, or for another one, asks the kernel alone.
        for arguments in [["-H"], ["-H", "--state", "all"], ["-H", "--state", "close-wait"]] {
            let lines = try forgetful.lines(arguments)
            #expect(!lines.isEmpty && !lines.contains { $0.hasPrefix("CLOSED") }, "\(arguments)")
        }
    }

    @Test func `One that was reset and has the port that it was bound to is listed by the kernel, and is there once`()
        throws
    {
        let forgetful = try Forgetful()
        defer { forgetful.lab.close() }
        forgetful.program.say("reset-bound")
        #expect(forgetful.program.readLine() == "ready")
        let rows = try forgetful.lines(["-H", "-p", "--state", "closed"]) { $0.count == Forgetful.count + 1 }
        #expect(rows.count == Forgetful.count + 1)
        #expect(rows.count { $0.contains("127.0.0.1:") && $0.split(separator: " ")[1] == "0" } == 1, "\(rows)")
        #expect(Set(rows).count == rows.count)
    }

    @Test func `A record of one says nothing that is not known`() throws {
        let forgetful = try Forgetful()
        defer { forgetful.lab.close() }
        _ = try forgetful.rows("--state", "closed")
        for line in try forgetful.lines(["--json", "-p", "--state", "closed"]) {
            let record = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            #expect(record["type"] as? String == "socket" && record["state"] as? String == "CLOSED")
            for name in ["cookie", "recv_queue", "send_queue"] { #expect(record[name] == nil, "\(name)") }
            #expect(record["uid"] as? UInt32 == getuid() && record["inode"] != nil)
            #expect((record["processes"] as? [[String: Any]])?.first?["pid"] as? Int32 == forgetful.program.pid)
        }
    }

    @Test func `explain closed counts them, and what it says to type finds them; closed they are gone`() throws {
        let forgetful = try Forgetful()
        defer { forgetful.lab.close() }
        let rows = try forgetful.rows("-p", "--state", "closed")
        let explained = try forgetful.lines(["explain", "closed"])
        #expect(explained.first == "CLOSED: \(Forgetful.count) now")
        #expect(explained.contains { $0.contains("of these    \(Forgetful.count) that no dump of the kernel lists") })
        let command = try #require(explained.last).split(separator: " ").map(String.init)
        #expect(command.first == "tcpstates")
        #expect(try forgetful.lines(["-H"] + command.dropFirst()) == rows)
        forgetful.program.say("close")
        #expect(forgetful.program.readLine() == "ready")
        let left = try forgetful.lines(["-H", "-p", "--state", "closed"]) { $0.isEmpty }
        #expect(left.isEmpty, "\(left)")
    }

    @Test func `They are those of the namespace that their holder is in`() throws {
        let forgetful = try Forgetful()
        defer { forgetful.lab.close() }
        _ = try forgetful.rows("--state", "closed")
        let mine = "pid=\(forgetful.program.pid),"
        let elsewhere = try Tool.run(["-H", "-p", "--state", "closed"])
        #expect(elsewhere.status == 0 && !elsewhere.output.contains(mine))
        let named = try Tool.run(["-H", "-p", "--state", "closed", "--netns", "\(forgetful.program.pid)"])
        #expect(named.output.split(separator: "\n").count { $0.contains(mine) } == Forgetful.count)
    }

    @Test(.enabled(if: Program.isRoot, "only root can become another user"))
    func `Where the process may not be read that is said, and none is made up`() throws {
        let forgetful = try Forgetful()
        defer { forgetful.lab.close() }
        let result = try forgetful.lab.spawn(Tool.path, ["-H", "--state", "closed"], uid: 65534)
        #expect(result.status == .exited(0) && result.standardOutput.isEmpty)
        #expect(result.standardError.contains("not all was searched: "))
    }
}
