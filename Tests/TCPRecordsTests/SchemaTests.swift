import Foundation
import SockDiag
import TCPRecords
import TCPWatch
import Testing

@Suite("The schema is the command line's")
struct SchemaTests {
    /// What the command line's tests have reviewed.
    private static let snapshots = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "TCPStatesCommandsTests/Snapshots")

    private static func lines(_ file: String) throws -> [String] {
        let text = try String(contentsOf: snapshots.appending(path: file), encoding: .utf8)
        return text.split(separator: "\n").map(String.init)
    }

    @Test(arguments: ["records", "families", "watch", "run", "summary", "summary-by", "replay"])
    func `Every line that the command line writes is read and written the same`(name: String) throws {
        var encoder = JSONLinesEncoder(details: .all, names: .none)
        let lines = try Self.lines("\(name).jsonl")
        #expect(!lines.isEmpty)
        for line in lines {
            encoder.append(try Record(jsonLine: line))
            let again = String(decoding: encoder.takeBytes(), as: UTF8.self)
            #expect(again == line + "\n")
        }
    }

    @Test(
        arguments: [
            ("records", .sockets, [.info, .memory, .timers, .extended, .service, .options]),
            ("families", .sockets, [.transport, .unix, .extended, .memory]), ("watch", .eventsAndSockets, .processes),
            ("run", .run, .processes),
        ] as [(String, CSVEncoder.Table, SocketDetails)]
    )
    func `Every row that the command line writes is read and written the same`(
        name: String,
        table: CSVEncoder.Table,
        details: SocketDetails
    ) throws {
        let lines = try Self.lines("\(name).csv")
        let decoder = try CSVDecoder(header: lines[0])
        var encoder = CSVEncoder(table, details: details, names: .none)
        let header = String(decoding: encoder.takeBytes(), as: UTF8.self)
        #expect(header == lines[0] + "\n")
        for line in lines.dropFirst() {
            let isWritten = encoder.append(try decoder.record(line))
            #expect(isWritten)
            let again = String(decoding: encoder.takeBytes(), as: UTF8.self)
            #expect(again == line + "\n")
        }
    }

    @Test(
        arguments: [
            (#"{"schema":1,"type":"ready""#, 26, "expected a comma or the end of an object"),
            (#"["schema"]"#, 0, "a record is an object"), (#"{"type":"ready"}"#, 0, "there is no `schema`"),
            (#"{"schema":2,"type":"ready"}"#, 10, "`schema` is no schema that is known: 1"),
            (#"{"schema":1}"#, 0, "there is no `type`"),
            (#"{"schema":1,"type":"gap","source":"moon"}"#, 34, "`source` is no source that is known"),
            (
                #"{"schema":1,"type":"gap","source":"poll","lost":-1}"#, 48,
                "`lost` is no number up to 18446744073709551615"
            ),
            (
                #"{"schema":1,"type":"transition","family":"ipv4","local_port":65536}"#, 61,
                "`local_port` is no number up to 65535"
            ),
            (
                #"{"schema":1,"type":"transition","family":"ipv4","local_address":"::1"}"#, 64,
                "`local_address` is no address of the family"
            ),
        ] as [(String, Int, String)]
    )
    func `A damaged line says where it is wrong, and what`(line: String, offset: Int, reason: String) {
        let error = #expect(throws: RecordError.self) { try Record(jsonLine: line) }
        #expect(error == RecordError(at: offset, reason))
    }

    @Test(
        arguments: [
            ("schema,type\n1", "1 fields where the header has 2"),
            ("schema,type\n1,\"x", "expected the end of a quoted field"),
            ("schema,type\n1,\"x\"y", "expected the end of a quoted field"),
            ("schema,type\n1,\\q", "no such escape sequence in the field"),
            ("time,type\n1,x", "there is no column `schema`: this is no header line of records"),
        ]
    )
    func `A damaged row says what is wrong`(text: String, reason: String) {
        let lines = text.split(separator: "\n")
        let error = #expect(throws: RecordError.self) { try CSVDecoder(header: lines[0]).record(lines[1]) }
        #expect(error?.reason == reason)
    }

    @Test func `What a later version adds is ignored`() throws {
        let type = try Record(jsonLine: #"{"schema":1,"type":"forecast","kind":"syn","more":[{}]}"#)
        #expect(type == Record(.unknown(type: "forecast")))
        let kind = try Record(jsonLine: #"{"schema":1,"type":"retransmission","kind":"new","family":"ipv4"}"#)
        #expect(kind == Record(.unknown(type: "retransmission")))
        var encoder = JSONLinesEncoder(details: .all, names: .none)
        let isWritten = encoder.append(type)
        #expect(!isWritten && encoder.byteCount == 0)
        let family = try Record(jsonLine: #"{"schema":1,"type":"socket","family":"vsock","path":"/run/x"}"#)
        #expect(family == Record(.unknown(type: "socket")))
        let udp = try Record(jsonLine: #"{"schema":1,"type":"socket","family":"ipv4","protocol":"sctp"}"#)
        #expect(udp == Record(.unknown(type: "socket")))
        let gap = try Record(
            jsonLine: #"{"schema":1,"type":"gap","source":"poll","reason":"x","new":true,"lost":null}"#
        )
        #expect(gap == Record(.gap(Gap(source: .poll, reason: "x", lost: nil))))
    }

    @Test func `An interface without a name comes back as its number, any other by its name alone`() throws {
        let address = IPAddress(ipv6: 0xfe80 << 48, 1)
        let interface = NetworkInterface(rawValue: 3)
        let identity = SocketIdentity(
            family: .ipv6,
            local: SocketEndpoint(address, port: 22, scope: interface),
            remote: SocketEndpoint(.anyIPv6, port: 0),
            cookie: SocketCookie(rawValue: 7),
            interface: interface
        )
        let time = EventTime(monotonicNanoseconds: 1, realtimeNanoseconds: 2)
        let transition = Transition(
            identity,
            from: .closed,
            to: .listen,
            certainty: .observed,
            source: .poll,
            time: time
        )
        var unnamed = JSONLinesEncoder(details: .all, names: .none)
        unnamed.append(.transition(transition))
        let record = try Record(jsonLine: unnamed.takeBytes())
        #expect(record.content == .transition(transition) && record.names.interface == "if3")
        let names = RecordNames(interfaces: { _, _ in "eth0" }, cgroups: { _ in nil })
        var named = JSONLinesEncoder(details: .all, names: names)
        named.append(.transition(transition))
        let other = try Record(jsonLine: named.takeBytes())
        #expect(other.names.interface == "eth0")
        guard case .transition(let read) = other.content else { return }
        #expect(read.identity.interface == nil && read.identity.local.scope == nil)
    }

    @Test(arguments: [
        "2026-02-30T00:00:00Z", "1969-12-31T23:59:59Z", "2026-01-01T00:00:00", "2026-01-01T24:00:00Z", "x",
        "9999-01-01T00:00:00Z",
    ])
    func `What is no time is an error`(text: String) {
        let line = #"{"schema":1,"type":"gap","source":"poll","time":"\#(text)","monotonic_ns":"1"}"#
        #expect(throws: RecordError.self) { try Record(jsonLine: line) }
    }

    @Test func `CSV has no columns for a record of another table`() throws {
        var encoder = CSVEncoder(.findings, names: .none, writesHeader: false)
        let isWritten = [
            encoder.append(.ready), encoder.append(.gap(Gap(source: .poll, reason: "", lost: nil))),
            encoder.append(Record(.access(AccessRecord("trace", isAvailable: true)))),
        ]
        #expect(!isWritten.contains(true) && encoder.byteCount == 0)
    }
}
