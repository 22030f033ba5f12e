import Foundation
import SockDiag
import TCPStateLab
import Testing

@testable import TCPStatesCommands

/// `list -u -x -M` beside `ss`, in a laboratory's network namespace with one of each kind of socket.
@Suite(.timeLimit(.minutes(30))) struct FamilyListTests {
    /// What a line of `ss -He` and a record of ours both say of a socket.
    struct Row: Hashable, CustomStringConvertible {
        var netid, state, local, remote: String
        var inode, receiveQueue, sendQueue: Int
        /// `pid/fd` of this process.
        var owners: Set<String> = []

        var description: String {
            "\(netid) \(state) \(receiveQueue) \(sendQueue) \(local) \(remote) \(inode) \(owners.sorted())"
        }
    }

    /// Everything that the lab's namespace has to show.
    private final class World {
        let lab: Lab
        let families: FamilySockets
        let hasMPTCP: Bool
        let ss: String

        init() throws {
            lab = try Lab.orCancel()
            families = try FamilySockets(in: lab)
            try lab.loopbackPair(over: .ipv6)
            do {
                try lab.loopbackPair(protocol: .mptcp)
                hasMPTCP = true
            } catch {
                hasMPTCP = false
            }
            let places = ["/usr/bin/ss", "/bin/ss", "/usr/sbin/ss"]
            ss = try #require(places.first(where: FileManager.default.isExecutableFile), "install iproute2")
        }

        deinit { lab.close() }
    }

    @Test(arguments: [
        (["-ua"], 6), (["-u"], 3), (["-ul"], 3), (["-tua"], 9), (["-tulpn"], 4), (["-xa"], 10), (["-x"], 7),
        (["-xl"], 4),
        (["-xp"], 7), (["-tuxa"], 19), (["-ua", "-4"], 2), (["-ua", "-6"], 4),
    ])
    func `The list names the sockets that ss names, each as ss does`(arguments: [String], count: Int) throws {
        let world = try World()
        try compare(world, arguments, atLeast: count)
    }

    @Test(arguments: [["-Ma"], ["-Ml"], ["-tuxMa"], ["-M", "-a", "-p"]])
    func `MPTCP sockets are listed as ss lists them, beside their subflows`(arguments: [String]) throws {
        let world = try World()
        guard world.hasMPTCP else { try Test.cancel("this kernel has no MPTCP (CONFIG_MPTCP)") }
        let rows = try compare(world, arguments, atLeast: 1)
        #expect(rows.contains { $0.netid == "mptcp" })
    }

    @discardableResult
    private func compare(_ world: World, _ arguments: [String], atLeast count: Int) throws -> [Row] {
        let theirs = try world.lab.spawn(world.ss, ["-Hen"] + arguments)
        let ours = try world.lab.spawn(Tool.path, ["list", "--json"] + arguments)
        #expect(ours.status == .exited(0), "\(ours.standardError)")
        let withOwners = arguments.contains { $0.hasPrefix("-") && $0.contains("p") }
        let expected = try rows(ss: theirs.standardOutput, arguments, withOwners)
        let found = try rows(json: ours.standardOutput)
        let difference = Set(found).symmetricDifference(expected)
        #expect(difference.isEmpty && found.count == expected.count)
        #expect(found.count >= count)
        if withOwners { #expect(found.contains { !$0.owners.isEmpty }) }
        // The table has a line for each of them, its protocol first.
        let table = try world.lab.spawn(Tool.path, ["list", "-H"] + arguments)
        let netids = table.standardOutput.split(separator: "\n").map { String($0.prefix { $0 != " " }) }
        #expect(netids.sorted() == found.map(\.netid).sorted())
        return found
    }

    private func rows(ss text: String, _ arguments: [String], _ withOwners: Bool) throws -> [Row] {
        // ss leaves the column out where it would be the same in every line.
        let letters = Set("tuM").intersection(arguments.filter { $0.hasPrefix("-") }.joined())
        let hasNetid = letters.count > 1 || arguments.joined().contains("x")
        let only = letters == ["u"] ? "udp" : "mptcp"
        return try text.split(separator: "\n").map { line in
            var words = line.split(separator: " ").map(String.init)
            if !hasNetid { words.insert(only, at: 0) }
            if arguments == ["-u"] { words.insert("ESTAB", at: 1) }
            let owners = withOwners ? owners(ss: words) : []
            let isUnix = words[0].hasPrefix("u_")
            func value(_ name: String) -> String? {
                words.first { $0.hasPrefix(name) }.map { String($0.dropFirst(name.count)) }
            }
            let inode = value("ino:")
            var row = Row(
                netid: words[0],
                state: words[1] == "UNCONN" ? "UNCONN" : try #require(TCPState(words[1]), "\(line)").description,
                local: words[4].replacingOccurrences(of: "*:", with: "[::]:"),
                remote: words[5].hasPrefix("*:") ? "[::]\(words[5].dropFirst())" : words[5],
                inode: inode.flatMap { Int($0) } ?? 0,
                receiveQueue: try #require(Int(words[2]), "\(line)"),
                sendQueue: try #require(Int(words[3]), "\(line)"),
                owners: owners
            )
            guard isUnix else { return row }
            // A path may have blanks; behind it come its inode, `*` and the peer's inode.
            let end = try #require(words.indices.last { words[$0].allSatisfy(\.isNumber) && words[$0 - 1] == "*" })
            row.local = words[4..<(end - 2)].joined(separator: " ")
            row.inode = try #require(Int(words[end - 2]), "\(line)")
            row.remote = words[end]
            return row
        }
    }

    private func owners(ss words: [String]) -> Set<String> {
        let own = "pid=\(getpid()),fd="
        return Set(
            words.joined().components(separatedBy: own).dropFirst().map {
                "\(getpid())/\($0.prefix(while: \.isNumber))"
            }
        )
    }

    private func rows(json text: String) throws -> [Row] {
        try parse(text).map { object in
            let transport = object["protocol"] as? String ?? "tcp"
            func end(_ address: String, _ port: String) throws -> String {
                let host = try #require(object[address] as? String)
                let number = try #require(object[port] as? Int)
                return "\(host.contains(":") ? "[\(host)]" : host):\(number == 0 ? "*" : "\(number)")"
            }
            let owners = (object["processes"] as? [[String: Any]] ?? []).filter { $0["pid"] as? Int == Int(getpid()) }
            var row = Row(
                netid: transport,
                state: try #require(object["state"] as? String),
                local: "",
                remote: "",
                inode: object["inode"] as? Int ?? 0,
                receiveQueue: try #require(object["recv_queue"] as? Int),
                sendQueue: try #require(object["send_queue"] as? Int),
                owners: Set(owners.map { "\(getpid())/\($0["fd"] ?? "")" })
            )
            if transport == "unix" {
                #expect(object["family"] as? String == "unix" && object["local_address"] == nil)
                let type = try #require(object["socket_type"] as? String)
                row.netid = ["stream": "u_str", "dgram": "u_dgr", "seqpacket": "u_seq"][type] ?? type
                // ss writes @ for each NUL.
                row.local = (object["path"] as? String ?? "*").replacingOccurrences(of: "\0", with: "@")
                row.remote = "\(object["peer_inode"] as? Int ?? 0)"
            } else {
                row.local = try end("local_address", "local_port")
                row.remote = try end("remote_address", "remote_port")
            }
            return row
        }
    }

    @Test func `A UNIX socket's row has the path of its peer, and nothing that steers a terminal`() throws {
        let world = try World()
        let client = try #require(world.families.unix[.client])
        let accepted = try #require(world.families.unix[.accepted])
        let table = try world.lab.spawn(Tool.path, ["-xH", "inode", "=", "\(client)"]).standardOutput
        let path = String(decoding: world.families.path.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self)
        #expect(table.hasSuffix(" * \(client)  \(path) b\\\\\\x1b[31m\u{fffd} \(accepted)\n"))
        let record = try parse(world.lab.spawn(Tool.path, ["--json", "-x", "inode", "=", "\(client)"]).standardOutput)
        #expect(record.first?["peer_path"] as? String == String(decoding: world.families.path, as: UTF8.self))
        #expect(record.first?["peer_inode"] as? Int == Int(accepted))
    }

    @Test func `Filters and namespaces find sockets of every family`() throws {
        let world = try World()
        let inode = try #require(world.families.unix[.abstractListener])
        let port = world.families.datagrams[0].unconnected.local.port
        let place = ["--json", "--netns", world.lab.namespace.path]
        func records(_ arguments: [String]) throws -> [[String: Any]] {
            let result = try Tool.run(place + arguments)
            #expect(result.status == 0, "\(result.errors)")
            return try parse(result.output)
        }
        let unix = try records(["-xl", "pid = \(getpid()) and recvq = 0 and inode = \(inode)"])
        #expect(unix.count == 1 && unix.first?["netns"] is String)
        #expect(try records(["-x", "state listening"]).count == 2, "a state in the filter is what is wanted")
        #expect(try records(["-ua", "sport = :\(port) or dport = :\(port)"]).count == 2)
        #expect(try records(["-u", "--state", "unconn"]).count == 3)
        #expect(try records(["-tua", "pid = 1"]).isEmpty)
        #expect(try records(["-uar"]).count == 6)
    }

    @Test(arguments: [
        (["-x", "-4"], "--ipv4 contradicts --unix: a UNIX socket has no IP; leave one of them out"),
        (["-x", "sport", "=", "80"], "'sport = 80' asks for what UNIX sockets do not have; leave out it or -x"),
        (["-tu", "rtt > 1ms"], "'rtt > 1ms' asks for what UDP sockets do not have; leave out it or -u"),
        (["-M", "retrans", ">", "0"], "'retrans > 0' asks for what MPTCP sockets do not have; leave out it or -M"),
        (["watch", "-u"], "unknown option '-u'; see tcpstates watch --help"),
        (["summary", "-x"], "unknown option '-x'; see tcpstates summary --help"),
    ])
    func `What a family does not have is wrong usage that names it`(arguments: [String], message: String) throws {
        let result = try Tool.run(arguments)
        #expect(result.status == 64 && result.output.isEmpty)
        #expect(result.errors == "tcpstates: \(message)\n")
    }
}
