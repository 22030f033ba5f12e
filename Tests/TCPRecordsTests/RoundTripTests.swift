import SeededRandom
import SockDiag
import TCPRecords
import TCPWatch
import Testing

@Suite("What is written is read as an equal value")
struct RoundTripTests {
    @Test(arguments: 0..<20)
    func `Any record comes back from JSON Lines`(seed: UInt64) throws {
        var random = RandomRecords(seed)
        var encoder = JSONLinesEncoder(details: .all, names: .none)
        for _ in 0..<200 {
            let record = random.record()
            encoder.append(record)
            let line = encoder.takeBytes()
            let text = String(decoding: line, as: UTF8.self)
            #expect(line.last == UInt8(ascii: "\n") && line.dropLast().allSatisfy { $0 >= 0x20 })
            let read = try Record(jsonLine: line)
            #expect(read.withoutPlaceholder == record.withoutPlaceholder, "\(text)")
            encoder.append(read)
            let again = String(decoding: encoder.takeBytes(), as: UTF8.self)
            #expect(again == text)
        }
    }

    @Test(arguments: 0..<20)
    func `Any record comes back from CSV as the same line`(seed: UInt64) throws {
        var random = RandomRecords(seed)
        for _ in 0..<200 {
            let record = random.record()
            guard let table = record.table else { continue }
            var encoder = CSVEncoder(table, details: .all, names: .none)
            let isWritten = encoder.append(record)
            #expect(isWritten)
            let lines = String(decoding: encoder.takeBytes(), as: UTF8.self).split(separator: "\n").map(String.init)
            #expect(lines.count == 2)
            let read = try CSVDecoder(header: lines[0]).record(lines[1])
            var again = CSVEncoder(table, details: .all, names: .none, writesHeader: false)
            again.append(read)
            let line = String(decoding: again.takeBytes(), as: UTF8.self)
            // What CSV cannot tell is in the documentation of the decoder.
            if record.isWholeInCSV { #expect(line == lines[1] + "\n") }
        }
    }

    @Test(arguments: 0..<50)
    func `No damage to a line makes a reader trap`(seed: UInt64) {
        var random = RandomRecords(seed)
        var damage = SplitMix64(seed)
        var encoder = JSONLinesEncoder(details: .all, names: .none)
        for _ in 0..<100 {
            let record = random.record()
            encoder.append(record)
            var line = encoder.takeBytes()
            damage.damage(&line)
            reread(line) { line throws(RecordError) in try Record(jsonLine: line) }
            guard let table = record.table else { continue }
            var csv = CSVEncoder(table, details: .all, names: .none)
            csv.append(record)
            let lines = csv.takeBytes().split(separator: UInt8(ascii: "\n")).map(Array.init)
            var (header, row) = (lines[0], lines[1])
            if damage.happens(200) { damage.damage(&header) }
            damage.damage(&row)
            guard let decoder = try? CSVDecoder(header: header) else { continue }
            reread(row) { row throws(RecordError) in try decoder.record(row) }
        }
    }

    /// Reads, and writes what could be read.
    private func reread(_ line: [UInt8], _ read: ([UInt8]) throws(RecordError) -> Record) {
        do throws(RecordError) {
            let record = try read(line)
            var encoder = JSONLinesEncoder(details: .all, names: .none)
            encoder.append(record)
        } catch {
            #expect((0...line.count).contains(error.offset), "\(error)")
            #expect(!error.reason.isEmpty)
        }
    }
}

extension SplitMix64 {
    /// Changes some bytes of a line.
    mutating func damage(_ line: inout [UInt8]) {
        for _ in 0...below(3) where !line.isEmpty {
            let place = below(line.count)
            switch below(6) {
            case 0: line[place] = UInt8(truncatingIfNeeded: next())
            case 1: line.remove(at: place)
            case 2: line.removeSubrange(place...)
            case 3:
                line.insert(
                    contentsOf: one(of: ["\"", "{", "[", "99999999999", "-", "\\u", "\\", ",", "null"]).utf8,
                    at: place
                )
            case 4: line.insert(contentsOf: line[place...].prefix(below(40)), at: place)
            default: line[place] = one(of: Array("0123456789{}[]\":,eE.".utf8))
            }
        }
    }
}

extension Record {
    /// Without the interface's number, where a name takes its place.
    var withoutPlaceholder: Record {
        var record = self
        record.names.interface = nil
        record.content = record.content.withoutInterface
        return record
    }

    /// A table that has columns for it.
    var table: CSVEncoder.Table? {
        switch content {
        case .socket(let socket): socket.time == nil && socket.incarnation == 0 ? .sockets : nil
        case .unixSocket: .sockets
        case .ready, .transition, .retransmission, .gap: .events
        case .connection, .leak, .run: .run
        case .summary(let summary): summary.peak == nil ? .summary(by: summary.keys) : nil
        case .finding: .findings
        default: nil
        }
    }

    /// Whether CSV has all of it in a form that can be told apart.
    var isWholeInCSV: Bool {
        switch content {
        case .finding(let finding): finding.remedies.isEmpty
        case .run(let run): run.command.allSatisfy { !$0.contains(" ") }
        default: true
        }
    }
}

extension Record.Content {
    fileprivate var withoutInterface: Record.Content {
        switch self {
        case .socket(let socket): return .socket(socket.withoutInterface)
        case .transition(var transition):
            transition.identity = transition.identity.withoutInterface
            return .transition(transition)
        case .retransmission(var again):
            again.identity = again.identity.withoutInterface
            return .retransmission(again)
        case .connection(var connection):
            connection.identity = connection.identity.withoutInterface
            return .connection(connection)
        case .leak(var leak):
            leak.socket = leak.socket.withoutInterface
            return .leak(leak)
        default: return self
        }
    }
}

extension SocketIdentity {
    fileprivate var withoutInterface: SocketIdentity {
        var identity = self
        identity.interface = nil
        (identity.local.scope, identity.remote.scope) = (nil, nil)
        return identity
    }
}

extension WatchedSocket {
    /// Without `idiag_if`, and without an owner that the kernel would not report.
    fileprivate var withoutInterface: WatchedSocket {
        var message = withMessage { $0.withUnsafeBytes { [UInt8]($0) } }
        message.replaceSubrange(40..<44, with: [0, 0, 0, 0])
        var socket = self
        socket.socket = (try? InetSocket(message: message)) ?? socket.socket
        return socket
    }
}
