import ConnectionTracking
import SockDiag
import SocketValues
import Testing

@testable import TCPWatch

@Suite struct JournalCodecTests {
    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func whatIsReadIsWhatWasWritten(_ seed: UInt64) throws {
        var random = RandomEntries(seed: seed)
        let entries = random.entries(300)
        let scratch = try JournalScratch()
        try scratch.write(entries, chunk: random.int(in: 1..<100))
        let (read, error) = scratch.read()
        #expect(error == nil)
        let difference = zip(read, entries).enumerated().first { $0.element.0 != $0.element.1 }
        #expect(difference == nil, "seed \(seed)")
        #expect(read.count == entries.count)
    }

    /// Rows are compared field by field, by hand: none may be forgotten.
    @Test func aRowThatDiffersInAnythingButItsTimerIsAnother() {
        let endpoints = Endpoints(local: (0, 0), 0, remote: (0, 0), 0, interface: 0)
        let row = SocketRow(SocketName(SocketCookie(rawValue: 1), endpoints, family: .ipv4), .established)
        let changes: [(inout SocketRow) -> Void] = [
            { $0.name.cookie.rawValue = 2 }, { $0.name.family = .ipv6 }, { $0.name.endpoints.localHigh = 1 },
            { $0.name.endpoints.localLow = 1 }, { $0.name.endpoints.remoteHigh = 1 },
            { $0.name.endpoints.remoteLow = 1 }, { $0.name.endpoints.interface = 1 },
            { $0.name.endpoints.localPort = 1 }, { $0.name.endpoints.remotePort = 1 }, { $0.inode = 1 },
            { $0.uid = 0 }, { $0.matching = [] }, { $0.state = .closeWait }, { $0.isMinisocket = true },
        ]
        for (index, change) in changes.enumerated() {
            var other = row
            change(&other)
            #expect(other != row && !other.isEqualButForTimer(row), "change \(index)")
        }
        var later = row
        later.timer = 7
        #expect(later.isEqualButForTimer(row))
        // All fields there are: the name, its endpoints and the timer are no changes of their own.
        let fields = [Mirror(reflecting: row), Mirror(reflecting: row.name), Mirror(reflecting: endpoints)]
        #expect(fields.reduce(0) { $0 + $1.children.count } == changes.count + 3)
    }

    @Test func theHeaderIsReadAsItWasWritten() throws {
        let scratch = try JournalScratch()
        try scratch.write([])
        let reader = try JournalReader(path: scratch.path, version: JournalScratch.version)
        #expect(reader.header == JournalScratch.header)
        #expect(try reader.next() == nil)
        #expect(try reader.next() == nil)
    }

    /// Two namespaces are equal by their numbers, whatever they are called.
    @Test func aNamespaceKeepsItsNames() throws {
        var namespace = NetworkNamespace(id: .init(device: 4, inode: 4_026_532_000), path: "", label: "pid:7(a)@0a")
        (namespace.pid, namespace.containerID) = (7, "0a")
        let scratch = try JournalScratch()
        try scratch.write([.namespace(watcher: 3, namespace, TrackerConfiguration())])
        let read = try #require(scratch.read().entries.first)
        guard case .namespace(3, let found?, _) = read else { throw CancellationError() }
        #expect(found == namespace && found.label == namespace.label && found.name == nil)
        #expect(found.pid == 7 && found.containerID == "0a")
    }

    @Test func aHeaderSaysWhereItWasMade() {
        var configuration = SocketWatcher.Configuration()
        configuration.states = .closeWait
        let header = JournalHeader(configuration, version: "1", isTracing: true, refusal: nil)
        #expect(header.bootID.count == 36)
        #expect(header.kernel.split(separator: " ").count == 2)
        #expect(header.start.monotonicNanoseconds > 0)
        #expect(header.states == .closeWait)
    }

    @Test func numbersOfAnyLengthSurvive() throws {
        var numbers: [UInt64] = [0, .max]
        for shift in 0..<64 as Range<UInt64> { numbers += [1 << shift, 1 << shift - 1, .max >> shift] }
        var bytes = JournalBytes(capacity: 0)
        for number in numbers {
            bytes.reserve()
            bytes.append(number)
            bytes.append(signed: Int64(bitPattern: number))
        }
        var cursor = JournalCursor(Array(bytes.bytes))
        for number in numbers {
            #expect(try cursor.number() == number)
            #expect(try cursor.signed() == Int64(bitPattern: number))
        }
        #expect(cursor.isAtEnd)
    }

    /// A day of dumps would fill a disk otherwise.
    @Test func aDumpThatChangedNothingTakesAFewBytes() throws {
        var random = RandomEntries(seed: 1)
        let rows = (0..<1000).map { _ in random.row() }
        let scratch = try JournalScratch()
        func size(dumps: Int) throws -> Int {
            try scratch.write([.namespace(watcher: 0, nil, TrackerConfiguration())] + self.dumps(dumps, of: rows))
            return try scratch.bytes.count
        }
        #expect(try size(dumps: 11) - size(dumps: 1) < 10 * 40)
    }

    private func dumps(_ count: Int, of rows: [SocketRow]) -> [JournalEntry] {
        (0..<count).flatMap { dump -> [JournalEntry] in
            let time = EventTime(
                monotonicNanoseconds: 250_000_000 * UInt64(dump),
                realtimeNanoseconds: 1_700_000_000_000_000_000 + 250_000_000 * UInt64(dump)
            )
            let rows = rows.map { row in
                var row = row
                row.timer = nil
                return row
            }
            var facts: [Input.Fact] = [.dumpBegan(.all)]
            facts += rows.map { .row($0) }
            facts.append(.dumpEnded(isComplete: true))
            return facts.map { JournalEntry.input(watcher: 0, Input($0, at: time)) }
        }
    }
}
