import ArgumentParser
import Foundation
import Glibc
import SockDiag
import TCPStateLab
import Testing

@testable import TCPStatesCommands

/// What a person and a program read, and the exit status that a health check goes by.
@Suite struct DoctorTests {
    /// A lab with a listener whose queue of half-open requests is full.
    private func flooded() throws -> (lab: Lab, listener: KernelSocket) {
        let lab = try Lab.orCancel()
        try lab.sysctl("net.ipv4.tcp_syncookies", 0)
        let listener = try lab.listener(backlog: 32)
        for _ in 0..<40 { try lab.peer(of: listener).send(.syn) }
        return (lab, listener)
    }

    private func settings(_ lab: Lab) throws -> String {
        let command = "cat /proc/sys/net/ipv4/tcp_* /proc/sys/net/core/somaxconn 2> /dev/null"
        return try lab.spawn("/bin/sh", ["-c", command]).standardOutput
    }

    @Test func `The first screen says what is wrong, whose it is and what to type`() throws {
        let (lab, listener) = try flooded()
        defer { lab.close() }
        let before = try settings(lab)
        let result = try lab.spawn(Tool.path, ["doctor", "--window", "100ms", "--color", "never"], terminal: true)
        #expect(result.status == .exited(2))
        let screen = result.standardOutput.split(separator: "\n", omittingEmptySubsequences: false).prefix(24)
        let text = screen.joined().split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(text.contains("1. \(listener.local): half-open connections fill the queue; new clients are refused"))
        #expect(text.contains("(process \(getpid()))"))
        #expect(text.contains(" sysctl -w net.ipv4.tcp_syncookies=1 "))
        #expect(text.contains("Price: "))
        #expect(try settings(lab) == before)
    }

    @Test func `A record has the finding with numbers, owner, namespace and commands for it`() throws {
        let (lab, listener) = try flooded()
        defer { lab.close() }
        let result = try Tool.run(["doctor", "--json", "--window", "100ms", "--netns", lab.namespace.path])
        #expect(result.status == 2)
        let records = try parse(result.output)
        #expect(records.filter { $0["type"] as? String == "access" }.count == 7)
        let finding = try #require(records.first { $0["type"] as? String == "finding" })
        #expect(finding["finding"] as? String == "half_open_flood")
        #expect(finding["local_port"] as? Int == Int(listener.local.port))
        #expect(finding["netns"] as? String == lab.namespace.path)
        #expect((finding["processes"] as? [[String: Any]])?.first?["pid"] as? Int32 == getpid())
        let evidence = try #require(finding["evidence"] as? [String: Any])
        let halfOpen = try #require(evidence["half_open"] as? Int)
        #expect((32...33).contains(halfOpen))
        #expect(evidence["limit"] as? Int == 32)
        let remedies = try #require(finding["remedies"] as? [[String: Any]])
        let command = "nsenter --net=\(lab.namespace.path) sysctl -w net.ipv4.tcp_syncookies=1"
        #expect(remedies.first?["command"] as? String == command)
        #expect(remedies.allSatisfy { $0["effect"] is String })
        let csv = try Tool.run(["doctor", "--format", "csv", "--window", "100ms", "--netns", lab.namespace.path])
        let rows = try parse(csv: csv.output)
        #expect(rows.count == 2)
        #expect(rows.first?.count == rows.last?.count)
        #expect(rows.last?.contains { $0.contains("half_open=\(halfOpen) limit=32") } == true)
    }

    @Test func `What it says to type for seeing the sockets lists them`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listener = try lab.listener()
        for _ in 0..<12 { try lab.server(in: .closeWait, on: listener) }
        let clients = try (0..<3).map { _ in try lab.server(on: listener) }
        for client in clients { try #require(client.socket).send(3) }
        for client in clients { for _ in 0..<5 { try client.peer.receive([.psh, .ack]) } }
        for _ in 0..<10 { try lab.client() }
        let options = ["close-wait-age=1ms", "unacknowledged-age=1s", "idle-age=1ms"].flatMap { ["--threshold", $0] }
        let result = try Tool.run(["doctor", "--json", "-H", "--netns", lab.namespace.path] + options)
        let findings = try parse(result.output)
        let kinds = Set(findings.compactMap { $0["finding"] as? String })
        #expect(kinds.isSuperset(of: ["close_wait", "unacknowledged", "idle"]), "\(result.output)")
        for finding in findings {
            let count = try #require((finding["evidence"] as? [String: Any])?["count"] as? Int)
            let remedies = try #require(finding["remedies"] as? [[String: Any]])
            let commands = remedies.compactMap { $0["command"] as? String }.filter { $0.hasPrefix("tcpstates ") }
            #expect(!commands.isEmpty)
            for command in commands {
                let line = "\(Tool.path) \(command.dropFirst("tcpstates ".count)) -H"
                let listed = try lab.spawn("/bin/sh", ["-c", line])
                #expect(listed.status == .exited(0), "\(line): \(listed.standardError)")
                let rows = listed.standardOutput.split(separator: "\n").filter { $0.contains("192.0.2.2") }
                #expect(rows.count >= count, "\(line)")
            }
        }
    }

    @Test func `Without privilege the trouble is found, and why its owner is not named`() throws {
        let (lab, _) = try flooded()
        defer { lab.close() }
        let nobody: UInt32 = 65534
        let result = try cancelUnlessPermitted { () throws(LabError) in
            try lab.spawn(Tool.path, ["doctor", "--window", "100ms"], uid: nobody)
        }
        #expect(result.status == .exited(2))
        #expect(result.standardOutput.contains("new clients are refused"))
        #expect(result.standardOutput.contains("whose       not known: "))
        #expect(result.standardOutput.contains("CAP_SYS_PTRACE"))
        #expect(result.standardError.isEmpty)
    }

    @Test func `A quiet namespace is status 0, whatever may not be seen`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try lab.listener()
        let result = try lab.spawn(Tool.path, ["doctor", "-H", "--window", "100ms"])
        #expect(result.status == .exited(0))
        #expect(result.standardOutput == "Nothing is wrong.\n")
    }

    @Test func `Watching reports what is new, what goes on and what is over, and ends on a signal with what was found`()
        throws
    {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listener = try lab.listener(backlog: 2)
        let options = ["-H", "--watch", "--window", "100ms", "--interval", "100ms"]
        let doctor = try lab.start(Tool.path, ["doctor"] + options)
        try doctor.output("a first examination") { $0.contains("Nothing is wrong.") }
        for _ in 0..<3 { try lab.server(on: listener, accepted: false) }
        let title = "1. \(listener.local): "
        try doctor.output("the finding") { $0.contains(title) }
        try doctor.output("that it goes on") { $0.contains("still") }
        let descriptor = try #require(listener.descriptor)
        while case let accepted = accept(descriptor, nil, nil), accepted >= 0 { close(accepted) }
        try doctor.output("that it is over") { $0.contains("over") }
        doctor.signal(SIGINT)
        let result = try doctor.wait()
        #expect(result.status == .exited(2))
        #expect(result.standardOutput.split(separator: "\n").filter { $0.hasPrefix(title) }.count == 1)
    }

    @Test func `A sandbox that denies netlink is named, with what stands guard, and is a failure`() throws {
        guard let result = try withoutNetlink(errno: EPERM, { try Tool.run(["doctor"]) }) else {
            try Test.cancel("this kernel has no seccomp filters")
        }
        #expect(result.status == 1)
        #expect(result.output.contains("not seen    IPv4 sockets: cannot open a netlink socket"))
        let words = result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(words.contains("a seccomp filter is on"))
        #expect(result.errors.split(separator: "\n").count == 1)
    }

    @Test(
        arguments: [
            (["--threshold", "close-wait"], "no threshold 'close-wait'; a name, = and a value"),
            (["--threshold", "closewait=1"], "no threshold 'closewait=1'"),
            (["--threshold", "ports=lots"], "no number 'lots' for ports"),
            (["--threshold", "close-wait-age=5"], "no time '5'"),
            (["--count", "2"], "--count goes with --watch"),
            (["--window", "now"], "no time 'now'"),
        ]
    )
    func wrongUsageNamesTheWord(_ arguments: [String], _ message: String) throws {
        let result = try Tool.run(["doctor"] + arguments)
        #expect(result.status == 64)
        #expect(result.errors.contains(message))
        #expect(result.errors.split(separator: "\n").count == 1)
    }

    @Test func everyThresholdIsInTheHelpWithItsValue() {
        let help = TCPStates.helpMessage(for: DoctorCommand.self, columns: 100)
        for name in ThresholdArgument.Name.allCases { #expect(help.contains(" \(name.rawValue)=")) }
    }
}
