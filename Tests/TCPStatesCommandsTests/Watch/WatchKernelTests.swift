import BPF
import Foundation
import Glibc
import KernelTrace
import SockDiag
import TCPStateLab
import Testing

@testable import TCPStatesCommands

/// The binary against the running kernel, by a user without privilege, in a namespace where nothing else happens.
@Suite struct WatchKernelTests {
    private static let nobody: UInt32 = 65534

    private func watch(_ lab: Lab, _ options: [String], terminal: Bool = false) throws -> ChildProcess {
        try cancelUnlessPermitted { () throws(LabError) in
            try lab.start(Tool.path, ["watch"] + options, environment: [:], uid: Self.nobody, terminal: terminal)
        }
    }

    /// Begins to watch in JSON, and returns when the first dump has shown a listener that is there already.
    private func watchFromNow(_ lab: Lab, _ options: [String] = []) throws -> ChildProcess {
        let pair = try lab.loopbackPair()
        let watch = try watch(lab, ["--json", "--initial", "--interval", "20ms"] + options)
        try watch.output("the sockets that exist") { $0.contains("\"local_port\":\(pair.client.local.port),") }
        return watch
    }

    /// The transitions of the socket with this local port, and another remote one, in whole lines.
    private func transitions(_ output: String, local: UInt16, remote: UInt16) -> [[String: Any]] {
        output.split(separator: "\n").compactMap { line in
            let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            guard let object, object["type"] as? String == "transition", object["local_port"] as? Int == Int(local),
                object["remote_port"] as? Int == Int(remote)
            else { return nil }
            return object
        }
    }

    private func states(_ transitions: [[String: Any]]) -> [String] {
        transitions.flatMap { ($0["via"] as? [String] ?? []) + [$0["to"] as? String ?? ""] }
    }

    @Test func aConnectionIsFollowedOnBothSidesAsItHappens() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try watchFromNow(lab)
        let pair = try lab.loopbackPair()
        let (client, server) = (pair.client.local.port, pair.listener.local.port)
        let endpoints = [(client, server), (server, client)]
        // Each state is awaited through the pipe: a line that is held back would never come.
        try watch.output("both sides in ESTABLISHED") { output in
            endpoints.allSatisfy { states(transitions(output, local: $0, remote: $1)).last == "ESTABLISHED" }
        }
        try pair.send([1, 2, 3], from: .client)
        try pair.receive(3, at: .accepted)
        try pair.client.shutDown()
        try watch.output("FIN_WAIT_2 and CLOSE_WAIT") { output in
            states(transitions(output, local: client, remote: server)).last == "FIN_WAIT_2"
                && states(transitions(output, local: server, remote: client)).last == "CLOSE_WAIT"
        }
        pair.accepted.close()
        let output = try watch.output("TIME_WAIT and CLOSED") { output in
            states(transitions(output, local: client, remote: server)).last == "TIME_WAIT"
                && states(transitions(output, local: server, remote: client)).last == "CLOSED"
        }
        let (active, passive) = (
            transitions(output, local: client, remote: server), transitions(output, local: server, remote: client)
        )
        #expect(states(active) == ["SYN_SENT", "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "TIME_WAIT"])
        #expect(states(passive) == ["SYN_RCVD", "ESTABLISHED", "CLOSE_WAIT", "LAST_ACK", "CLOSED"])
        for transitions in [active, passive] { #expect(Set(transitions.map { $0["cookie"] as? String }).count == 1) }
        #expect(active.first?["cookie"] as? String != passive.first?["cookie"] as? String)
        let final = try #require(passive.last?["final"] as? [String: Any])
        #expect(final["bytes_received"] as? String == "3")
        #expect(final["duration_ns"] is String)
        watch.signal(SIGINT)
        #expect(try watch.wait().status == .exited(0))
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func aSignalEndsItInOrderWithASummary(_ signal: Int32) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try watchFromNow(lab)
        let pair = try lab.loopbackPair()
        try watch.output("the new connection") {
            !transitions($0, local: pair.client.local.port, remote: pair.listener.local.port).isEmpty
                && !transitions($0, local: pair.listener.local.port, remote: pair.client.local.port).isEmpty
                && !transitions($0, local: pair.listener.local.port, remote: 0).isEmpty
        }
        watch.signal(signal)
        let result = try watch.wait()
        #expect(result.status == .exited(0))
        #expect(result.standardOutput.hasSuffix("}\n"))
        #expect(result.standardError.contains(", 6 sockets watched ---\n"))
        #expect(result.standardError.contains("\n3 transitions, 2 connections opened, 0 closed\n"))
        #expect(result.standardError.contains("  2  CLOSED → ESTABLISHED\n"))
    }

    @Test func countEndsItAfterSoManyTransitions() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try watchFromNow(lab, ["-c", "2"])
        try lab.loopbackPair()
        let result = try watch.wait()
        #expect(result.status == .exited(0))
        let types = try parse(result.standardOutput).map { $0["type"] as? String }
        #expect(types == ["socket", "socket", "socket", "ready", "transition", "transition"])
        #expect(result.standardError.contains("\n2 transitions, "))
    }

    @Test func durationEndsItWhereNothingHappens() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let result = try watch(lab, ["--duration", "50ms"]).wait()
        #expect(result.status == .exited(0))
        #expect(result.standardOutput.hasPrefix("TIME "))
        #expect(result.standardOutput.split(separator: "\n").count == 1)
        #expect(result.standardError.hasSuffix(" ---\n0 transitions, 0 connections opened, 0 closed\n"))
        // Which source it got, and what would give a better one.
        let first = result.standardError.split(separator: "\n").first ?? ""
        #expect(first.hasPrefix("tcpstates: watching by a dump every 250ms, without tracing: "))
        #expect(first.contains("CAP_BPF and CAP_PERFMON"))
    }

    @Test func rootReceivesEachTransitionFromTheKernel() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let support = BPFSupport.here()
        guard support.isComplete else { try Test.cancel(Comment(rawValue: support.description)) }
        let port = try lab.listener().local.port
        let watch = try lab.start(Tool.path, ["watch", "--json", "--initial", "-c", "1"], environment: [:])
        try watch.output("the listener that exists") { $0.contains("\"local_port\":\(port),") }
        try lab.listener()
        let result = try watch.wait()
        #expect(result.status == .exited(0))
        let transition = try #require(try parse(result.standardOutput).first { $0["type"] as? String == "transition" })
        #expect(transition["certainty"] as? String == "exact")
        #expect(transition["source"] as? String == "trace")
        #expect(transition["cause"] as? String == "listen")
        #expect(transition["pid"] as? Int32 == getpid())
        #expect(result.standardError.hasPrefix("tcpstates: watching by the kernel's tracepoints\n"))
        #expect(result.standardError.contains("\ntraced; beside that, half-open requests were read every "))
    }

    @Test(arguments: ["poll", "trace"])
    func whatHappensJustBeforeASignalIsReported(_ source: String) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let support = BPFSupport.here()
        if source == "trace", !support.isComplete { try Test.cancel(Comment(rawValue: support.description)) }
        let port = try lab.listener().local.port
        let options = ["watch", "--json", "--initial", "--source", source]
        let watch = try lab.start(Tool.path, options, environment: [:])
        try watch.output("the listener that exists") { $0.contains("\"local_port\":\(port),") }
        let pairs = try (0..<50).map { _ in try lab.loopbackPair() }
        for pair in pairs {
            pair.client.close()
            pair.accepted.close()
        }
        watch.signal(SIGINT)
        let output = try watch.wait().standardOutput
        for pair in pairs {
            let (client, server) = (pair.client.local.port, pair.listener.local.port)
            #expect(states(transitions(output, local: server, remote: client)).last == "CLOSED")
        }
    }

    @Test func whatExistsIsReportedOnDemandAlone() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try lab.loopbackPair()
        let options = ["--json", "--duration", "2s"]
        #expect(try watch(lab, options).wait().standardOutput.isEmpty)
        let sockets = try parse(watch(lab, options + ["--initial"]).wait().standardOutput)
        #expect(sockets.last?["type"] as? String == "ready")
        #expect(sockets.compactMap { $0["state"] as? String }.sorted() == ["ESTABLISHED", "ESTABLISHED", "LISTEN"])
        let listeners = try parse(watch(lab, options + ["--initial", "--state", "listen"]).wait().standardOutput)
        #expect(listeners.compactMap { $0["state"] as? String } == ["LISTEN"])
    }

    @Test func aFilterChoosesTransitions() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try watchFromNow(lab, ["-c", "2", "sport > 0 and not state listen"])
        try lab.loopbackPair()
        let transitions = try parse(watch.wait().standardOutput).filter { $0["type"] as? String == "transition" }
        #expect(transitions.map { $0["to"] as? String } == ["ESTABLISHED", "ESTABLISHED"])
    }

    @Test func aReaderThatGoesAwayEndsItThoughNothingHappens() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        // `head` ends with the header; no line comes after it.
        let script = "(\(Tool.path) watch --source poll --interval 1h; echo $? >&2) | head -n 1"
        let result = try lab.spawn("/bin/sh", ["-c", script])
        #expect(result.standardOutput.hasPrefix("TIME "))
        #expect(result.standardError == "141\n")
    }

    @Test func aTerminalShowsColours() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try lab.loopbackPair()
        let watch = try cancelUnlessPermitted { () throws(LabError) in
            try lab.start(
                Tool.path,
                ["watch", "--interval", "20ms", "--initial", "-c", "1"],
                environment: ["TERM": "xterm"],
                terminal: true
            )
        }
        try watch.output("the sockets that exist") { $0.contains("\u{1b}[34mLISTEN\u{1b}[0m") }
        try lab.loopbackPair()
        let result = try watch.wait()
        #expect(result.status == .exited(0))
        #expect(result.standardOutput.contains("\u{1b}[1mTIME "))
    }

    @Test(
        arguments: [
            (
                ["--source", "dump"], 64,
                "the value 'dump' is invalid for '--source <source>'; please provide one of 'auto', 'trace' or 'poll'"
            ),
            (
                ["--interval", "5"], 64,
                "the value '5' is invalid for '--interval <time>': no time '5'; a number and its unit, from 1ms on: 100ms, 1.5s, 2m, 1h"
            ),
            (["-c", "0"], 64, "the value '0' is invalid for '-c <n>': no count '0'; a whole number from 1 on"),
            (["-i"], 64, "unknown option '-i'; see tcpstates watch --help"),
        ] as [([String], Int32, String)]
    )
    func whatCannotBeDoneIsOneLine(_ options: [String], _ status: Int32, _ message: String) throws {
        let result = try Tool.run(["watch"] + options)
        #expect(result.status == status)
        #expect(result.output.isEmpty)
        #expect(result.errors == "tcpstates: \(message)\n")
    }
}
