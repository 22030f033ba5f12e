import Foundation
import SeededRandom
import SockDiag
import TCPRecords
import Testing

@testable import TCPStatesCommands

/// UDP and UNIX sockets as a table and as records, from fixtures.
@Suite struct FamilyRecordTests {
    private static let details: SocketDetails = [.transport, .unix]

    private static func udp(_ fixture: Fixture) throws -> InetSocket {
        try InetSocket(message: fixture.socket().withMessage { $0.withUnsafeBytes { [UInt8]($0) } }, protocol: .udp)
    }

    private static func inet() throws -> [InetSocket] {
        try [
            udp(Fixture(state: 7, local: ("0.0.0.0", 53), remote: ("0.0.0.0", 0), cookie: 20, queues: (768, 0))),
            udp(Fixture(state: 1, local: ("2001:db8::1", 443), remote: ("2001:db8::2", 50_000), cookie: 21)),
            Fixtures.listener.socket(), Fixtures.established.socket(),
        ]
    }

    private static let unix = [
        UnixRow(
            socket: UnixSocket(
                type: .stream,
                state: .listen,
                inode: 700,
                cookie: SocketCookie(rawValue: 30),
                name: Array("/run/a,b \"c\"\u{1b}[2J\\".utf8),
                file: UnixSocket.File(inode: 77, device: 0x0080_0001),
                receiveQueue: 1,
                sendQueue: 128,
                memory: SocketMemory(
                    rmemAlloc: 1,
                    rcvbuf: 2,
                    wmemAlloc: 3,
                    sndbuf: 4,
                    fwdAlloc: 5,
                    wmemQueued: 6,
                    optmem: 7,
                    backlog: 8,
                    drops: 9
                ),
                shutdown: [],
                uid: 0
            ),
            peerPath: nil
        ),
        UnixRow(
            socket: UnixSocket(
                type: .stream,
                state: .established,
                inode: 701,
                cookie: SocketCookie(rawValue: 31),
                peerInode: 702,
                receiveQueue: 0,
                sendQueue: 2304,
                shutdown: .send,
                uid: 1000
            ),
            peerPath: "/run/a,b \"c\"\u{1b}[2J\\"
        ),
        UnixRow(
            socket: UnixSocket(
                type: .datagram,
                state: .closed,
                inode: 703,
                cookie: SocketCookie(rawValue: 32),
                name: [0] + Array("bus\u{0}x".utf8)
            ),
            peerPath: nil
        ),
        UnixRow(
            socket: UnixSocket(
                type: .sequencedPackets,
                state: .established,
                cookie: SocketCookie(rawValue: 33),
                peerInode: 9
            ),
            peerPath: "@"
        ),
        UnixRow(
            socket: UnixSocket(
                type: UnixSocket.Kind(rawValue: 77),
                state: TCPState(rawValue: 14),
                cookie: SocketCookie(rawValue: 34)
            ),
            peerPath: nil
        ),
    ]

    private func render<Renderer: SocketRenderer & ~Copyable>(
        _ renderer: consuming Renderer,
        _ rows: [UnixRow] = unix
    ) throws -> String {
        renderer.begin()
        for row in rows { renderer.render(row) }
        for socket in try Self.inet() { renderer.render(socket) }
        renderer.finish()
        return renderer.text.string
    }

    private func table(_ details: SocketDetails, _ width: Int? = nil, isOneLine: Bool = false) throws -> String {
        try render(
            SocketTable(
                details: details.union(Self.details),
                states: .all,
                names: Fixtures.names(),
                terminal: Terminal(width: width, hasColor: false),
                showsHeader: true,
                isOneLine: isOneLine
            )
        )
    }

    private func records(
        _ format: RecordFormat,
        _ details: SocketDetails,
        _ rows: [UnixRow] = unix
    ) throws -> String {
        let names = Fixtures.names()
        guard format != .jsonl else {
            return try render(
                SocketRecordRenderer(names: names) { names, _ in JSONLinesEncoder(details: details, names: names) },
                rows
            )
        }
        return try render(
            SocketRecordRenderer(names: names) { names, _ in
                CSVEncoder(.sockets, details: details, names: names, writesHeader: format == .csv)
            },
            rows
        )
    }

    @Test func `Rows of every family read as reviewed`() throws {
        let tables = try [
            table([]), table([.extended, .memory]), table([.extended, .memory], 80),
            table([.extended, .memory], isOneLine: true),
        ]
        try expectSnapshot(tables.joined(separator: "\n"), "families.txt")
    }

    @Test func `Records of every family read as reviewed`() throws {
        let details = Self.details.union([.extended, .memory])
        try expectSnapshot(records(.jsonl, details), "families.jsonl")
        try expectSnapshot(records(.csv, details), "families.csv")
    }

    @Test(arguments: [[], .info, .memory, .timers, .extended, .known] as [SocketDetails])
    func `A CSV row has under each name what the JSON object has`(details: SocketDetails) throws {
        let details = details.union(Self.details)
        let objects = try parse(records(.jsonl, details))
        let rows = try parse(csv: records(.csv, details))
        let header = try #require(rows.first)
        #expect(rows.count == objects.count + 1)
        for (object, row) in zip(objects, rows.dropFirst()) {
            try #require(row.count == header.count)
            var names: Set<String> = []
            for (name, value) in object {
                if let inner = value as? [String: Any] {
                    names.formUnion(inner.keys.map { "\(name).\($0)" })
                } else {
                    names.insert(name)
                }
            }
            #expect(Set(zip(header, row).filter { !$0.1.isEmpty }.map(\.0)) == names)
        }
    }

    @Test func `TCP's own record has no protocol, and only a list of other families has the column`() throws {
        let objects = try parse(records(.jsonl, Self.details))
        #expect(
            objects.map { $0["protocol"] as? String } == Array(repeating: "unix", count: 5) + ["udp", "udp", nil, nil]
        )
        #expect(objects.map { $0["state"] as? String }[2] == "UNCONN" && objects[5]["state"] as? String == "UNCONN")
        let header = try parse(csv: records(.csv, [], [])).first
        #expect(header?.contains("protocol") == false && header?.contains("path") == false)
    }

    @Test func `Every field of another family is documented`() throws {
        let page = try String(contentsOf: repository.appending(path: "docs/records.md"), encoding: .utf8)
        let header = try parse(csv: records(.csv, Self.details.union(.extended))).first ?? []
        for name in header.flatMap({ $0.split(separator: ".") }) {
            #expect(page.contains("`\(name)`"), "docs/records.md does not say what \(name) is")
        }
    }

    @Test func `A service has the name that its protocol gives it`() throws {
        var names = Fixtures.names(
            hosts: HostNames(hosts: { _ in nil }, services: { "tcp\($0)" }, datagramServices: { "udp\($0)" })
        )
        let socket = try #require(Self.inet().first)
        var text = TextBuffer()
        names.appendLocal(of: socket, to: &text)
        #expect(text.string == "0.0.0.0:udp53")
        let renderer = SocketRecordRenderer(names: names) { names, _ in JSONLinesEncoder(details: [], names: names) }
        #expect(try parse(render(renderer, [])).first?["local_service"] as? String == "udp53")
    }

    @Test func `No name of a UNIX socket steers a terminal or breaks a line`() throws {
        var generator = SplitMix64(7)
        for _ in 0..<200 {
            let name = (0..<Int.random(in: 1...108, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            let socket = UnixSocket(type: .stream, state: .listen, name: name)
            let row = UnixRow(socket: socket, peerPath: socket.plainPath)
            let details = SocketDetails.known.union(Self.details)
            let table = SocketTable(
                details: details,
                states: .all,
                names: Fixtures.names(),
                terminal: .none,
                showsHeader: false
            )
            let texts = try [
                render(table, [row]), records(.jsonl, details, [row]),
                records(.csvRows, details, [row]),
            ]
            for text in texts {
                #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control })
            }
            #expect(try parse(texts[1]).count == 5 && parse(csv: texts[2]).count == 5)
        }
    }
}
