import Foundation
import SockDiag
import TCPStateLab
import Testing

@testable import TCPStatesCommands

/// The binary in a laboratory's network namespace, where every state is held.
@Suite struct LabTests {
    /// What a line of `ss -tanHe` and a record of ours both say of a socket.
    struct Row: Hashable, CustomStringConvertible {
        var state, local, remote, cookie: String
        var receiveQueue, sendQueue: Int

        var description: String { "\(state) \(receiveQueue) \(sendQueue) \(local) \(remote) \(cookie)" }
    }

    private static let connected: [TCPState] = [
        .established, .finWait1, .finWait2, .closing, .closeWait, .lastAck, .timeWait,
    ]

    @Test func `The list names the sockets that ss names, with the same states, endpoints, queues and cookies`() throws
    {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let places = ["/usr/bin/ss", "/bin/ss", "/usr/sbin/ss"]
        let ss = try #require(places.first(where: FileManager.default.isExecutableFile))
        for network in [LabNetwork.ipv4, .ipv6, .ipv4Mapped] {
            for state in Self.connected {
                try lab.client(in: state, over: network)
                try lab.server(in: state, over: network)
            }
            try lab.client(in: .synSent, over: network)
            try lab.client(in: .synReceived, over: network)
        }
        _ = try lab.flood(20)
        let pairs = try (0..<340).map { _ in try lab.loopbackPair() }
        try pairs[0].send([UInt8](repeating: 7, count: 1234), from: .client)
        let theirs = try lab.spawn(ss, ["-tanHe"])
        let ours = try lab.spawn(Tool.path, ["list", "--json", "--state", "all"])
        #expect(ours.status == .exited(0))
        let expected = try rows(ss: theirs.standardOutput)
        let found = try rows(json: ours.standardOutput)
        #expect(expected.count > 1000)
        #expect(Set(found).symmetricDifference(expected).isEmpty)
        #expect(found.count == expected.count)
        #expect(Set(found.map(\.state)) == Set(TCPState.allCases.map(\.description)).subtracting(["BOUND", "CLOSED"]))
        withExtendedLifetime(pairs) {}
    }

    private func rows(ss text: String) throws -> [Row] {
        try text.split(separator: "\n").map { line in
            let words = line.split(separator: " ").map(String.init)
            let state = try #require(TCPState(words[0]), "\(line)")
            let cookie = try #require(words.first { $0.hasPrefix("sk:") }, "\(line)")
            return Row(
                state: state.description,
                // ss writes * for [::] that takes IPv4 too.
                local: words[3].replacingOccurrences(of: "*:", with: "[::]:"),
                remote: words[4].hasPrefix("*:") ? "[::]\(words[4].dropFirst())" : words[4],
                cookie: String(cookie.dropFirst(3)),
                receiveQueue: Int(words[1]) ?? -1,
                sendQueue: Int(words[2]) ?? -1
            )
        }
    }

    private func rows(json text: String) throws -> [Row] {
        try parse(text).map { object in
            func end(_ address: String, _ port: String) throws -> String {
                let host = try #require(object[address] as? String)
                let number = try #require(object[port] as? Int)
                return "\(host.contains(":") ? "[\(host)]" : host):\(number == 0 ? "*" : "\(number)")"
            }
            return Row(
                state: try #require(object["state"] as? String),
                local: try end("local_address", "local_port"),
                remote: try end("remote_address", "remote_port"),
                cookie: try #require(object["cookie"] as? String),
                receiveQueue: try #require(object["recv_queue"] as? Int),
                sendQueue: try #require(object["send_queue"] as? Int)
            )
        }
    }

    @Test func `What a subflow of MPTCP reports is in the words of ss`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let places = ["/usr/bin/ss", "/bin/ss", "/usr/sbin/ss"]
        let ss = try #require(places.first(where: FileManager.default.isExecutableFile))
        guard let pair = try? lab.loopbackPair(protocol: .mptcp) else {
            try Test.cancel("this kernel has no MPTCP (CONFIG_MPTCP)")
        }
        try pair.send([1, 2, 3], from: .client)
        let filter = ["sport", "=", ":\(pair.client.local.port)"]
        let words = try [lab.spawn(ss, ["-tniHO"] + filter), lab.spawn(Tool.path, ["-tniHO"] + filter)].map {
            let line = $0.standardOutput
            let start = try #require(line.range(of: "tcp-ulp-mptcp"), "\(line)")
            return line[start.lowerBound...].split { $0 == " " || $0 == "\n" }.map {
                // ss pads a token to four digits.
                $0.replacingOccurrences(of: "token:0000", with: "token:0")
            }
        }
        #expect(words[0] == words[1])
        #expect(words[0].count >= 6)
    }

    @Test func `Owners, a namespace by its file and a filter lead to the same socket`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let pair = try lab.loopbackPair()
        let port = pair.client.local.port
        let filter = ["sport", "=", ":\(port)", "and", "pid", "=", "\(getpid())"]
        let result = try Tool.run(["--json", "-p", "--netns", lab.namespace.path] + filter)
        #expect(result.status == 0)
        let objects = try parse(result.output)
        #expect(objects.count == 1)
        let object = try #require(objects.first)
        #expect(object["local_port"] as? Int == Int(port))
        #expect(object["netns"] as? String != nil)
        let owners = try #require(object["processes"] as? [[String: Any]])
        #expect(owners.contains { $0["pid"] as? Int == Int(getpid()) && $0["fd"] as? Int32 == pair.client.descriptor })
        // Every namespace is found by its processes; the laboratory itself is but a thread of this one.
        _ = try lab.start("/bin/sleep", ["600"])
        let everywhere = try Tool.run(["--json", "--all-netns", "sport", "=", ":\(port)"])
        #expect(try parse(everywhere.output).contains { $0["cookie"] as? String == object["cookie"] as? String })
        #expect(try parse(Tool.run(["--json", "sport = :\(port)", "and", "pid = 1"]).output).isEmpty)
    }

    @Test func `Two halves write and count what one dump would`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let pairs = try (0..<300).map { _ in try lab.loopbackPair() }
        let namespace = try NetworkNamespace(path: lab.namespace.path)
        let query = SocketQuery(extensions: .info)
        let split = try #require(try DumpSplit(of: query, in: namespace, worthwhile: 1, idle: 1))
        var client = try SockDiagClient(in: namespace)
        let all = try client.sockets(query).map(\.cookie)
        let halves = try [client.sockets(split.halves.0), client.sockets(split.halves.1)].map { $0.map(\.cookie) }
        #expect(all.count == 900)
        #expect(halves[0].count > 100 && halves[1].count > 100)
        #expect(Set(halves[0]).isDisjoint(with: halves[1]))
        #expect(Set(halves[0] + halves[1]) == Set(all))
        #expect(try DumpSplit(of: query, in: namespace, idle: 1) == nil, "few sockets")
        #expect(try DumpSplit(of: query, in: namespace, worthwhile: 1, idle: 0) == nil, "the processors are busy")
        withExtendedLifetime(pairs) {}
    }

    @Test func `The documentation's first program builds, and finds what was not closed`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let connection = try lab.server(in: .closeWait)
        let root = URL(filePath: #filePath).appending(path: "../../..").standardized.path
        let example = "\(root)/Examples/FirstProgram"
        let swift = [
            "run", "--quiet", "--package-path", example, "--scratch-path", "\(root)/.build/examples/FirstProgram",
        ]
        let result = try lab.spawn("/usr/bin/env", ["swift"] + swift, within: .seconds(900))
        #expect(result.status == .exited(0), "\(result.standardError)")
        #expect(result.standardOutput.contains("\(connection.local) ← \(connection.remote)  silent for"))
        #expect(result.standardOutput.contains("1 connections in CLOSE_WAIT."))
        let guide = try String(
            contentsOfFile: "\(root)/Sources/SockDiag/SockDiag.docc/FirstProgram.md",
            encoding: .utf8
        )
        let program = try String(contentsOfFile: "\(example)/Sources/FirstProgram/main.swift", encoding: .utf8)
        #expect(guide.contains(program), "the guide shows another program than the one that is run")
    }
}
