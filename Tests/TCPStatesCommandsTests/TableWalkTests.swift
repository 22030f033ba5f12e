import ArgumentParser
import BPF
import Foundation
import LinuxSystem
import SockDiag
import TCPRecords
import TCPStateLab
import TableWalk
import Testing

@testable import TCPStatesCommands

/// What `list` and `summary` say is the same, whether the sockets are dumped or the kernel's table is walked.
@Suite struct TableWalkTests {
    /// How the sockets are read.
    private enum Way: CaseIterable {
        case dump, walk, walkByTwoThreads
    }

    private static let format: [String] = ["table", "json", "csv"]

    /// The lines that `list` would print, by one way.
    private func list(_ arguments: [String], _ format: String, by way: Way) throws -> [String] {
        let command = try ListCommand.parse(arguments)
        let source = try source(command, by: way)
        let details = command.details.details
        let names = SocketNames(resolvesHosts: false)
        let path = "\(NSTemporaryDirectory())/tcpstates-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let output = try Output(path: path)
        switch format {
        case "table":
            try source.write(
                with: SocketTable(
                    details: details,
                    states: .all,
                    names: names,
                    terminal: Terminal(width: nil, hasColor: false),
                    showsHeader: true
                ),
                to: output
            )
        case "json":
            try source.write(
                with: SocketRecordRenderer(names: names) { names, _ in JSONLinesEncoder(details: details, names: names)
                },
                to: output
            )
        default:
            try source.write(
                with: SocketRecordRenderer(names: names) { names, isFirst in
                    CSVEncoder(.sockets, details: details, names: names, writesHeader: isFirst)
                },
                to: output
            )
        }
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    /// The lines without the width of their columns.
    private func words(_ lines: [String]) -> [String] {
        lines.map { $0.split(separator: " ").joined(separator: " ") }
    }

    private func source(_ command: ListCommand, by way: Way) throws -> SocketSource {
        var source = try SocketSource(
            command.selection,
            command.namespaces,
            command.filter,
            command.families,
            details: command.details.details
        )
        source.walksFrom = way == .dump ? .max : 0
        source.sharesFrom = 0
        source.idleProcessors = { way == .walkByTwoThreads ? 1 : 0 }
        return source
    }

    /// A lab with sockets of every kind, named by a dump.
    private func withSockets(_ body: (Lab) throws -> Void) throws {
        let support = BPFSupport.here()
        if !support.isComplete { try Test.cancel(Comment(rawValue: support.description)) }
        let lab = try Lab.orCancel()
        defer { lab.close() }
        for network in [LabNetwork.ipv4, .ipv6, .ipv4Mapped] {
            for state in [TCPState.synSent, .established, .finWait1, .finWait2, .timeWait, .closeWait, .lastAck] {
                try lab.client(in: state, over: network)
            }
            try lab.server(in: .synReceived, over: network)
            try lab.bound(over: network)
        }
        let pairs = try (0..<300).map { _ in try lab.loopbackPair() }
        try pairs[0].send([UInt8](repeating: 7, count: 1234), from: .client)
        try body(lab)
        withExtendedLifetime(pairs) {}
    }

    @Test(
        .timeLimit(.minutes(30)),
        arguments: [
            [], ["-4"], ["-6"], ["--state", "established,time-wait"], ["--state", "listen,bound"], ["-l"],
            ["sport", "=", ":9000"], ["src", "127.0.0.1"], ["not", "dst", "127.0.0.0/8"], ["recvq", ">", "0"],
            ["state", "syn-rcvd", "or", "state", "bound"], ["uid", "=", "0"], ["autobound"],
        ]
    )
    func `list has the same lines in the same order, whatever is asked`(arguments: [String]) throws {
        try withSockets { (lab: Lab) throws in
            try lab.run { () throws in
                for format in Self.format {
                    let dumped = try list(arguments, format, by: .dump)
                    let walked = try list(arguments, format, by: .walk)
                    #expect(walked == dumped, "\(format)")
                    // Two threads write in turn: the header first, then the lines in another order.
                    // The widths of the columns are those of the first rows.
                    let shared = words(try list(arguments, format, by: .walkByTwoThreads))
                    #expect(shared.sorted() == words(dumped).sorted(), "\(format)")
                    if format != "json" { #expect(shared.first == words(dumped).first, "\(format)") }
                }
            }
        }
    }

    @Test(.timeLimit(.minutes(30))) func `The table is walked where the fixed part of a message has all that is asked`()
        throws
    {
        try withSockets { (lab: Lab) throws in
            let namespace = try NetworkNamespace(path: lab.namespace.path)
            func isWalked(_ arguments: [String], by way: Way = .walk) throws -> Bool {
                let command = try ListCommand.parse(arguments)
                let source = try source(command, by: way)
                return try source.queries.contains { query in
                    try source.reader(for: .rows, of: query, in: namespace) != nil
                }
            }
            for arguments in [[], ["-o"], ["--state", "established"], ["sport", "=", ":9000"], ["-p"]] {
                #expect(try isWalked(arguments), "\(arguments)")
                #expect(try !isWalked(arguments, by: .dump), "\(arguments)")
            }
            for arguments in [
                ["-e"], ["-i"], ["-m"], ["-l"], ["rtt", ">", "1ms"], ["-u"], ["--state", "bound"],
                ["--state", "syn-rcvd"],
            ] {
                #expect(try !isWalked(arguments), "\(arguments)")
            }
        }
    }

    @Test(.timeLimit(.minutes(30)), arguments: ["state", "local-port", "peer,state", "uid"])
    func `summary counts the same, by whatever it counts`(keys: String) throws {
        try withSockets { (lab: Lab) throws in
            try lab.run { () throws in
                let command = try SummaryCommand.parse(["--by", keys])
                func tally(_ way: Way) throws -> Tally {
                    var source = try SocketSource(command.selection, command.namespaces, command.filter)
                    source.walksFrom = way == .dump ? .max : 0
                    source.sharesFrom = 0
                    source.idleProcessors = { way == .walkByTwoThreads ? 1 : 0 }
                    return try source.tally(by: command.grouping.keys)
                }
                let dumped = try tally(.dump)
                for way in [Way.walk, .walkByTwoThreads] {
                    let walked = try tally(way)
                    #expect(walked.total == dumped.total)
                    #expect(walked.rows.map(\.group) == dumped.rows.map(\.group))
                    #expect(walked.rows.map(\.count) == dumped.rows.map(\.count))
                }
                #expect(dumped.total > 900)
            }
        }
    }
}
