internal import ConnectionTracking
internal import SockDiag
internal import SocketOwners

/// Turns what is learned into the bytes of a journal. It does no I/O.
///
/// What an entry shares with the one before is not written again: the time, the watcher, a name's addresses, and the rows
/// that the last dump had too. ``JournalDecoder`` remembers the same.
struct JournalEncoder {
    /// What was written since it was last taken.
    var bytes: JournalBytes
    private var time = EventTime(monotonicNanoseconds: 0, realtimeNanoseconds: 0)
    private var watcher: UInt32 = 0
    private var dumps: [DumpRows] = []
    /// Rows that are as the last dump has them, not yet written.
    private var sameRows: UInt64 = 0
    var name = SocketName.none
    var inode: UInt32 = 0

    init(capacity: Int) { bytes = JournalBytes(capacity: capacity) }

    /// Writes out what waits for an entry that continues it: what comes next is in another chunk.
    mutating func finish() {
        guard sameRows > 0 else { return }
        append(.sameRows)
        bytes.append(sameRows)
        sameRows = 0
    }

    /// Adds an input. A row is better added by ``append(_:at:to:)``.
    mutating func append(_ input: Input, to watcher: UInt32) {
        if case .row(let row) = input.fact { return append(row, at: input.time, to: watcher) }
        bytes.reserve()
        choose(watcher)
        note(input.time)
        finish()
        switch input.fact {
        case .dumpBegan(let scope):
            dumps[Int(watcher)].begin(scope, at: input.time.monotonicNanoseconds)
            append(.dumpBegan)
            bytes.append(scope.rawValue)
        case .dumpEnded(let isComplete):
            dumps[Int(watcher)].end()
            append(.dumpEnded)
            bytes.append(isComplete)
        default: append(input.fact)
        }
    }

    /// Adds a row of a dump.
    mutating func append(_ row: SocketRow, at time: EventTime, to watcher: UInt32) {
        bytes.reserve()
        choose(watcher)
        note(time)
        switch dumps[Int(watcher)].take(row) {
        case .same(let passed):
            pass(passed)
            sameRows += 1
        case .sameButTimer(let passed, let drift):
            pass(passed)
            finish()
            bytes.append(JournalTag.driftBase | UInt8(truncatingIfNeeded: drift.zigzag))
        case .new:
            finish()
            append(.row)
            append(fields: row)
        }
    }

    private mutating func pass(_ count: Int) {
        guard count > 0 else { return }
        finish()
        append(.passedRows)
        bytes.append(UInt64(count))
    }

    /// Adds anything. An input is better added by ``append(_:to:)``.
    mutating func append(_ entry: JournalEntry) {
        bytes.reserve()
        switch entry {
        case .input(let watcher, let input): append(input, to: watcher)
        case .namespace(let watcher, let namespace, let configuration): begin(watcher, namespace, configuration)
        case .namespaceEnded(let watcher):
            begin(.namespaceEnded, of: watcher)
            dumps[Int(watcher)] = DumpRows()
        case .socketsExpected(let watcher): begin(.socketsExpected, of: watcher)
        case .message(let watcher, let message):
            begin(.message, of: watcher)
            bytes.append(bytes: message)
        case .owners(let watcher, let cookie, let owners):
            begin(.owners, of: watcher)
            append(owners, of: cookie)
        case .retransmission(let watcher, let retransmission):
            choose(watcher)
            note(retransmission.time)
            begin(.retransmission)
            bytes.append(retransmission.kind.journalNumber)
            bytes.append(retransmission.state.rawValue)
            append(retransmission.uid)
            append(SocketName(retransmission.identity))
        case .gap(let watcher, let gap):
            choose(watcher ?? self.watcher)
            note(gap.time ?? time)
            begin(.gap)
            bytes.append(watcher != nil)
            bytes.append(gap.time != nil)
            bytes.append(gap.source.journalNumber)
            append(gap.lost)
            bytes.append(gap.reason)
        case .slowed(let interval, let time):
            note(time)
            begin(.slowed)
            bytes.append(interval.nanoseconds)
        case .end: begin(.end)
        }
    }

    /// Adds the header, which is the first entry of all.
    mutating func append(_ header: JournalHeader) {
        note(header.start)
        begin(.header)
        for text in [header.kernel, header.bootID, header.refusal, header.filter] { bytes.append(text) }
        for flag in [header.isTracing, header.reportsExisting, header.namesNamespaces, header.resolvesOwners] {
            bytes.append(flag)
        }
        bytes.append(header.states.rawValue)
    }

    private mutating func begin(
        _ watcher: UInt32,
        _ namespace: NetworkNamespace?,
        _ configuration: TrackerConfiguration
    ) {
        let missing = Int(watcher) + 1 - dumps.count
        if missing > 0 { dumps += [DumpRows](repeating: DumpRows(), count: missing) }
        dumps[Int(watcher)] = DumpRows()
        begin(.namespace, of: watcher)
        bytes.append(namespace != nil)
        if let namespace { append(namespace) }
        append(configuration)
    }

    private mutating func append(_ owners: [SocketOwner], of cookie: SocketCookie) {
        bytes.reserve(owners.count * 64)
        bytes.append(cookie.rawValue)
        bytes.append(UInt64(owners.count))
        for owner in owners {
            bytes.append(UInt32(bitPattern: owner.pid))
            append(owner.descriptor.map { UInt32(bitPattern: $0) })
            bytes.append(bytes: owner.name.bytes)
        }
    }

    private mutating func choose(_ watcher: UInt32) {
        guard watcher != self.watcher else { return }
        begin(.watcher)
        bytes.append(watcher)
        self.watcher = watcher
    }

    private mutating func note(_ time: EventTime) {
        guard time != self.time else { return }
        begin(.time)
        bytes.append(signed: Int64(bitPattern: time.monotonicNanoseconds &- self.time.monotonicNanoseconds))
        bytes.append(signed: Int64(bitPattern: time.clockDifference &- self.time.clockDifference))
        self.time = time
    }

    private mutating func begin(_ tag: JournalTag, of watcher: UInt32) {
        choose(watcher)
        begin(tag)
    }

    private mutating func begin(_ tag: JournalTag) {
        finish()
        append(tag)
    }

    mutating func append(_ tag: JournalTag) { bytes.append(tag.rawValue) }
}

extension EventTime {
    /// How far apart both clocks are.
    var clockDifference: UInt64 { realtimeNanoseconds &- monotonicNanoseconds }
}

extension SocketName {
    /// What the first name of a journal is compared with.
    static let none = SocketName(
        SocketCookie(rawValue: 0),
        Endpoints(local: (0, 0), 0, remote: (0, 0), 0, interface: 0),
        family: .ipv4
    )
}
