import Foundation
import Glibc
import Testing

@testable import TCPStatesCommands

/// The binary against the running kernel, and against `ss` where it is installed.
@Suite struct KernelTests {
    private static let ss = ["/usr/bin/ss", "/bin/ss", "/usr/sbin/ss", "/sbin/ss"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// The rows of a connection and its listener, by their local port.
    private func rows(_ connection: LoopbackConnection, _ options: [String]) throws -> [Int: [String: Any]] {
        let result = try Tool.run(["-4", "--json"] + options)
        #expect(result.status == 0)
        #expect(result.errors.isEmpty)
        var rows: [Int: [String: Any]] = [:]
        for object in try parse(result.output) {
            let ports = [object["local_port"], object["remote_port"]].compactMap { $0 as? Int }
            guard let local = ports.first, ports.contains(Int(connection.listenerPort)) else { continue }
            let isListener = object["state"] as? String == "LISTEN"
            rows[isListener ? 0 : local] = object
        }
        return rows
    }

    @Test func bothSocketsOfAConnectionAreThereWithWhatIsInTheirQueues() throws {
        let connection = try LoopbackConnection()
        try connection.send(1000)
        let rows = try rows(connection, [])
        #expect(rows.count == 3)
        let server = try #require(rows[Int(connection.listenerPort)])
        #expect(server["state"] as? String == "ESTABLISHED")
        #expect(server["recv_queue"] as? Int == 1000)
        #expect(server["remote_port"] as? Int == Int(connection.clientPort))
        #expect(rows[0]?["send_queue"] as? Int == 7)
    }

    @Test func everyDetailIsThereOnDemand() throws {
        let connection = try LoopbackConnection()
        let row = try #require(try rows(connection, ["-imoe"])[Int(connection.clientPort)])
        let info = try #require(row["tcp_info"] as? [String: Any])
        #expect(info["state"] as? Int == 1)
        #expect(info["bytes_sent"] as? String == "0")
        #expect((row["memory"] as? [String: Any])?["sndbuf"] is Int)
        #expect(row["congestion"] is String)
        #expect(row["shutdown"] as? String == "none")
    }

    @Test func whatMarksPacketsAndWhatAProgramHasSetIsThereOnDemand() throws {
        let connection = try LoopbackConnection()
        try connection.setClientOption(IP_TOS, to: 0x10)
        try connection.setClientOption(24, to: 1)  // IP_BIND_ADDRESS_NO_PORT of <linux/in.h>
        let row = try #require(try rows(connection, ["--tos", "--inet-sockopt"])[Int(connection.clientPort)])
        #expect(row["tos"] as? Int == 0x10)
        let options = try #require(row["inet_sockopt"] as? [String: Bool])
        #expect(options["bind_address_no_port"] == true)
        #expect(options["is_icsk"] == true)
        #expect(options["freebind"] == false)
        let line = try Tool.run(["-tanHO", "--tos", "--inet-sockopt", "sport", "=", "\(connection.clientPort)"])
        #expect(line.output.contains(" tos:0x10 "))
        #expect(line.output.contains("bind_address_no_port"))
        #expect(line.output.split(separator: "\n").count == 1)
    }

    @Test func lettersThatUsersOfSSTypeAreTaken() throws {
        let connection = try LoopbackConnection()
        let filter = ["sport", "=", "\(connection.listenerPort)"]
        let habit = try Tool.run(["-tan"] + filter)
        #expect(habit.errors.isEmpty)
        #expect(try habit.output == Tool.run(filter).output)
        let listeners = try Tool.run(["-tlnH"] + filter)
        #expect(listeners.output.hasPrefix("LISTEN"))
        #expect(listeners.output.split(separator: "\n").count == 1)
    }

    @Test func aFilterThatTheKernelRefusesLeavesNoHeaderBehind() throws {
        // The mark can be asked for with CAP_NET_ADMIN alone.
        let setpriv = "/usr/bin/setpriv"
        guard geteuid() == 0, FileManager.default.isExecutableFile(atPath: setpriv) else {
            try Test.cancel("only root can give up CAP_NET_ADMIN, with setpriv of util-linux")
        }
        let options = ["--reuid", "65534", "--clear-groups", Tool.path]
        for format in ["table", "csv", "jsonl"] {
            let result = try Tool.run(options + ["--format", format, "fwmark", "=", "7"], program: setpriv)
            #expect(result.status == 1)
            #expect(result.output.isEmpty)
            #expect(result.errors.contains("CAP_NET_ADMIN"))
        }
    }

    @Test func rowsAreThoseOfSS() throws {
        guard let ss = Self.ss else {
            try Test.cancel("ss is not installed")
        }
        let connection = try LoopbackConnection()
        try connection.send(500)
        let ours = try rows(connection, [])
        let filter = ["sport", "=", "\(connection.listenerPort)", "or", "dport", "=", "\(connection.listenerPort)"]
        let lines = try Tool.run(["-4taneH"] + filter, program: ss).output.split(separator: "\n")
        #expect(lines.count == ours.count)
        for line in lines {
            // ESTAB 0 0 127.0.0.1:40000 127.0.0.1:8080 uid:0 ino:1 sk:1f <->
            let words = line.split(separator: " ").map(String.init)
            let (state, local, remote) = (words[0], words[3], words[4])
            let port = try #require(Int(local.split(separator: ":")[1]))
            let row = try #require(ours[state == "LISTEN" ? 0 : port])
            #expect(row["state"] as? String == (state == "ESTAB" ? "ESTABLISHED" : state))
            #expect(row["recv_queue"].map { "\($0)" } == words[1])
            #expect(row["send_queue"].map { "\($0)" } == words[2])
            #expect(local == "\(row["local_address"] ?? ""):\(row["local_port"] ?? "")")
            #expect(remote.replacing(":*", with: ":0") == "\(row["remote_address"] ?? ""):\(row["remote_port"] ?? "")")
            #expect(words.contains("sk:\(row["cookie"] ?? "")"))
            #expect(words.contains("ino:\(row["inode"] ?? "")"))
        }
    }

    @Test func summaryCountsWhatTheListLists() throws {
        let connection = try LoopbackConnection()
        let summary = try parse(Tool.run(["summary", "-4", "--json", "--by", "state,local-port"]).output)
        let row = summary.first {
            $0["local_port"] as? Int == Int(connection.listenerPort) && $0["state"] as? String == "ESTABLISHED"
        }
        #expect(row?["count"] as? Int == 1)
    }

    @Test func familiesAreKeptApart() throws {
        let connection = try LoopbackConnection()
        let text = try Tool.run(["-6", "--json"]).output
        #expect(!text.contains("\"ipv4\""))
        #expect(try Tool.run(["-4", "-6", "--json"]).output.contains(":\(connection.clientPort),"))
    }
}
