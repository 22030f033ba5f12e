import Foundation
import SockDiag
import TCPRecords
import TCPStateLab
import Testing

@testable import TCPStatesCommands

@Suite("summary as metrics", .timeLimit(.minutes(10)))
struct SummaryMetricsTests {
    /// The value of each series of the text; it has to be one that a reader takes: no series twice.
    private func series(_ text: String) throws -> [String: Double] {
        var values: [String: Double] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let space = try #require(line.lastIndex(of: " "), "\(line)")
            let value = try #require(Double(line[line.index(after: space)...]), "\(line)")
            let old = values.updateValue(value, forKey: String(line[..<space]))
            #expect(old == nil, "\(line) is there twice")
        }
        return values
    }

    private func metrics(_ lab: Lab, _ arguments: String...) throws -> [String: Double] {
        let answer = try lab.spawn(Tool.path, ["summary", "--format", "prometheus"] + arguments)
        #expect(answer.status == .exited(0))
        return try series(answer.standardOutput)
    }

    @Test func `In every state there are as many as the summary and ss count, at 0 too`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let places = ["/usr/bin/ss", "/bin/ss", "/usr/sbin/ss"]
        let ss = try #require(places.first(where: FileManager.default.isExecutableFile))
        for network in [LabNetwork.ipv4, .ipv6, .ipv4Mapped] {
            for state in [TCPState.established, .finWait2, .closing, .closeWait, .lastAck, .timeWait] {
                try lab.client(in: state, over: network)
                try lab.server(in: state, over: network)
            }
            try lab.client(in: .synSent, over: network)
        }
        try lab.flood(3)
        let metrics = try metrics(lab)
        for (family, option) in [("ipv4", "-4"), ("ipv6", "-6")] {
            let summary = try parse(try lab.spawn(Tool.path, ["summary", "--json", option]).standardOutput)
            let theirs = try lab.spawn(ss, ["-tanH", option]).standardOutput.split(separator: "\n")
            let counted = try theirs.map { line in
                try #require(TCPState(String(line.prefix { $0 != " " })), "\(line)")
            }
            for state in TCPState.allCases {
                let value = metrics["tcpstates_sockets{family=\"\(family)\",state=\"\(state.metricLabel)\"}"]
                let row = summary.first { $0["state"] as? String == state.description }
                #expect(value == (row?["count"] as? Int).map(Double.init), "\(state)")
                #expect(value == Double(counted.count { $0 == state }), "\(state)")
            }
        }
        #expect(metrics["tcpstates_sockets{family=\"ipv6\",state=\"fin_wait_1\"}"] == 0)
    }

    @Test func `A listener's queues are what ss says, and its requests those of its port`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listener = try lab.listener(backlog: 7)
        for _ in 0..<3 { try lab.server(on: listener, accepted: false) }
        try lab.flood(2, on: listener)
        let metrics = try metrics(lab, "--by", "local-port")
        let (address, port) = (listener.local.address, listener.local.port)
        let labels = "{local_address=\"\(address)\",local_port=\"\(port)\"}"
        #expect(metrics["tcpstates_listener_accept_queue\(labels)"] == 3)
        #expect(metrics["tcpstates_listener_accept_queue_limit\(labels)"] == 7)
        #expect(metrics["tcpstates_listener_half_open\(labels)"] == 2)
        #expect(metrics["tcpstates_listener_half_open_limit\(labels)"] == 7)
        #expect(metrics["tcpstates_service_sockets{local_port=\"\(port)\",state=\"established\"}"] == 3)
        #expect(metrics["tcpstates_service_sockets{local_port=\"\(port)\",state=\"syn_received\"}"] == 2)
        #expect(metrics["tcpstates_service_sockets{local_port=\"\(port)\",state=\"listen\"}"] == 1)
        let ss = try lab.spawn("/usr/bin/env", ["ss", "-ltnH"]).standardOutput.split(whereSeparator: \.isWhitespace)
        #expect(ss.dropFirst().prefix(2) == ["3", "7"])
        #expect(metrics["tcpstates_ephemeral_ports"] == 28_232)
    }

    @Test func `What a destination takes of the ports that are there is told by both`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try lab.sysctl("net.ipv4.ip_local_port_range", "40000 40099")
        let listener = try lab.loopbackListener(port: 5432)
        let clients = try (0..<80).map { _ in
            let client = try lab.unconnected()
            try client.connect(to: listener.local)
            return client
        }
        let metrics = try metrics(lab)
        #expect(metrics["tcpstates_ephemeral_ports"] == 100)
        let taken = metrics.filter { $0.key.hasPrefix("tcpstates_destination_local_ports{") }
        #expect(taken == [#"tcpstates_destination_local_ports{remote_address="127.0.0.1",remote_port="5432"}"#: 80])
        withExtendedLifetime(clients) {}
    }

    @Test func `A process is counted by its name, whatever that is`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let pair = try lab.loopbackPair()
        let metrics = try metrics(lab, "--by", "process")
        let held = metrics.filter { $0.key.hasPrefix("tcpstates_process_sockets{") && $0.value > 0 }
        #expect(
            held.values.reduce(0, +) == metrics.filter { $0.key.hasPrefix("tcpstates_sockets{") }.values.reduce(0, +)
        )
        #expect(held.keys.contains { $0.contains("state=\"established\"") && !$0.contains("\"unknown\"") })
        withExtendedLifetime(pair) {}
    }

    @Test func `A namespace that is named is on every value but the version`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let answer = try lab.spawn(Tool.path, ["summary", "--format", "prometheus", "--netns", "/proc/self/ns/net"])
        let metrics = try series(try #require(answer.status == .exited(0) ? answer : nil).standardOutput)
        #expect(metrics.count > 24)
        #expect(metrics.keys.allSatisfy { $0.contains("{netns=\"") || $0.hasPrefix("tcpstates_build_info") })
    }
}

@Suite("summary as metrics, read by Prometheus' own program", .timeLimit(.minutes(10)))
struct SummaryFleetTests {
    private static let promtool = "/usr/bin/promtool"
    private static var isWanted: Bool {
        ProcessInfo.processInfo.environment["FLEET"] == "required"
            || FileManager.default.isExecutableFile(atPath: promtool)
    }

    @Test(
        .enabled(if: isWanted, "promtool is missing: make test-fleet"),
        arguments: [[], ["--by", "local-port,process"], ["--netns", "/proc/self/ns/net"], ["--state", "close-wait"]]
    )
    func `promtool has nothing to say about it`(arguments: [String]) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try lab.server(in: .closeWait)
        let file = FileManager.default.temporaryDirectory.appending(path: "tcpstates-\(UUID().uuidString).prom").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let look = try lab.spawn(Tool.path, ["summary", "--format", "prometheus", "--output", file] + arguments)
        #expect(look.status == .exited(0))
        let answer = try lab.spawn("/bin/sh", ["-c", "\(Self.promtool) check metrics < '\(file)'"])
        #expect(answer.standardOutput + answer.standardError == "")
        #expect(answer.status == .exited(0))
    }
}
