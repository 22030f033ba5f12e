internal import ConnectionTracking
internal import SockDiag

/// Reads what ``JournalEncoder`` has written, payload after payload. It does no I/O, and no bytes make it trap.
struct JournalDecoder {
    var cursor = JournalCursor([])
    private var time = EventTime(monotonicNanoseconds: 0, realtimeNanoseconds: 0)
    private var watcher: UInt32 = 0
    private var dumps: [DumpRows?] = []
    /// Rows that are as the last dump has them, and were not yet read.
    private var sameRows: UInt64 = 0
    /// Rows of the last dump that are passed over before the next.
    private var passedRows = 0
    var name = SocketName.none
    var inode: UInt32 = 0

    /// More namespaces have no journal.
    private static let watcherLimit: UInt32 = 1 << 16

    /// Begins the next payload.
    mutating func load(_ payload: [UInt8]) { cursor = JournalCursor(payload) }

    /// The header, which is the first entry of all; its version is to be added.
    mutating func header() throws(JournalFault) -> JournalHeader {
        var header = JournalHeader(version: "")
        var tag = try tag(cursor.byte())
        while tag == .time {
            try readTime()
            tag = try self.tag(cursor.byte())
        }
        guard tag == .header else { throw .wrong("it does not begin with a header") }
        header.start = time
        header.kernel = try cursor.text()
        header.bootID = try cursor.text()
        header.refusal = try cursor.text()
        header.filter = try cursor.text()
        header.isTracing = try cursor.flag()
        header.reportsExisting = try cursor.flag()
        header.namesNamespaces = try cursor.flag()
        header.resolvesOwners = try cursor.flag()
        header.states.rawValue = try cursor.number()
        return header
    }

    /// The next entry; nil at the payload's end.
    mutating func next() throws(JournalFault) -> JournalEntry? {
        while sameRows == 0 {
            guard !cursor.isAtEnd else { return nil }
            let first = try cursor.byte()
            if first >= JournalTag.driftBase {
                return try repeated(drift: Int64(zigzag: UInt64(first - JournalTag.driftBase)))
            }
            let tag = try tag(first)
            switch tag {
            case .time: try readTime()
            case .watcher: watcher = try cursor.number()
            case .sameRows: sameRows = try cursor.number()
            case .passedRows: passedRows = try cursor.number()
            default: return try entry(tag)
            }
        }
        sameRows -= 1
        return try repeated(drift: nil)
    }

    private mutating func repeated(drift: Int64?) throws(JournalFault) -> JournalEntry {
        let passed = passedRows
        passedRows = 0
        guard let row = try withDumps({ $0.takeSame(passing: passed, drift: drift) }) else {
            throw .wrong("a row is said to be in the last dump and is not")
        }
        return input(.row(row))
    }

    private mutating func entry(_ tag: JournalTag) throws(JournalFault) -> JournalEntry {
        switch tag {
        case .end: return .end
        case .namespace: return try namespace()
        case .namespaceEnded:
            _ = try withDumps { $0.end() }
            dumps[Int(watcher)] = nil
            return .namespaceEnded(watcher: watcher)
        case .socketsExpected: return .socketsExpected(watcher: watcher)
        case .message: return .message(watcher: watcher, try cursor.byteArray())
        case .owners: return try owners()
        case .retransmission: return try retransmission()
        case .gap: return try gap()
        case .slowed:
            let interval = Int64(clamping: try cursor.number() as UInt64)
            return .slowed(.nanoseconds(interval), at: time)
        case .dumpBegan:
            let (scope, time) = (try cursor.choice() as DumpScope, time.monotonicNanoseconds)
            try withDumps { $0.begin(scope, at: time) }
            return input(.dumpBegan(scope))
        case .row:
            let row = try row()
            _ = try withDumps { $0.take(row) }
            return input(.row(row))
        case .dumpEnded:
            let isComplete = try cursor.flag()
            try withDumps { $0.end() }
            return input(.dumpEnded(isComplete: isComplete))
        default:
            _ = try withDumps { _ in }
            return input(try fact(tag))
        }
    }

    private func input(_ fact: Input.Fact) -> JournalEntry { .input(watcher: watcher, Input(fact, at: time)) }

    /// The dumps of the watcher, which must have begun.
    private mutating func withDumps<Result>(_ body: (inout DumpRows) -> Result) throws(JournalFault) -> Result {
        let index = Int(watcher)
        guard index < dumps.count, var rows = dumps[index].take() else {
            throw .wrong("there is no network namespace \(watcher)")
        }
        defer { dumps[index] = rows }
        return body(&rows)
    }

    private mutating func readTime() throws(JournalFault) {
        let monotonic = time.monotonicNanoseconds &+ UInt64(bitPattern: try cursor.signed())
        let difference = time.clockDifference &+ UInt64(bitPattern: try cursor.signed())
        guard monotonic <= JournalCursor.endOfTime else { throw .wrong("a time is too late") }
        time = EventTime(monotonicNanoseconds: monotonic, realtimeNanoseconds: monotonic &+ difference)
    }

    private func tag(_ number: UInt8) throws(JournalFault) -> JournalTag {
        guard let tag = JournalTag(rawValue: number) else { throw .wrong("there is no entry \(number)") }
        return tag
    }
}

/// The entries that are no inputs.
extension JournalDecoder {
    private mutating func namespace() throws(JournalFault) -> JournalEntry {
        guard watcher < Self.watcherLimit else { throw .wrong("there is no network namespace \(watcher)") }
        let missing = Int(watcher) + 1 - dumps.count
        if missing > 0 { dumps += [DumpRows?](repeating: nil, count: missing) }
        dumps[Int(watcher)] = DumpRows()
        let namespace = try cursor.flag() ? try named() : nil
        return .namespace(watcher: watcher, namespace, try configuration())
    }

    private mutating func named() throws(JournalFault) -> NetworkNamespace {
        let id = NetworkNamespace.ID(device: try cursor.number(), inode: try cursor.number())
        let label = try cursor.printableText()
        let name = try cursor.flag() ? try cursor.printableText() : nil
        var namespace = NetworkNamespace(id: id, path: "", label: label, name: name)
        namespace.containerID = try cursor.flag() ? try cursor.printableText() : nil
        namespace.pid = (try cursor.optional()).map { Int32(bitPattern: $0) }
        return namespace
    }

    private mutating func configuration() throws(JournalFault) -> TrackerConfiguration {
        var configuration = TrackerConfiguration()
        configuration.reportsTransitions = try cursor.flag()
        configuration.reportsDestroyed = try cursor.flag()
        configuration.reportsRefusals = try cursor.flag()
        configuration.reportsExisting = try cursor.flag()
        configuration.needsInodes = try cursor.flag()
        configuration.interval = try cursor.moment()
        let reasons = try cursor.list { cursor throws(JournalFault) in
            (try cursor.number() as UInt32, ResetReason(rawValue: try cursor.printableText()))
        }
        configuration.resetReasons = Dictionary(reasons) { $1 }
        return configuration
    }

    private mutating func owners() throws(JournalFault) -> JournalEntry {
        let cookie = SocketCookie(rawValue: try cursor.number())
        let owners = try cursor.list { cursor throws(JournalFault) in
            let pid = Int32(bitPattern: try cursor.number())
            let descriptor = (try cursor.optional() as UInt32?).map { Int32(bitPattern: $0) }
            return SocketOwner(pid: pid, name: ProcessName(bytes: try cursor.byteArray()), descriptor: descriptor)
        }
        return .owners(watcher: watcher, cookie, owners)
    }

    private mutating func retransmission() throws(JournalFault) -> JournalEntry {
        guard let kind = Retransmission.Kind(journalNumber: try cursor.byte()) else {
            throw .wrong("there is no such kind")
        }
        let state = TCPState(rawValue: try cursor.byte())
        let uid: UInt32? = try cursor.optional()
        let identity = try socketName().identity
        return .retransmission(watcher: watcher, Retransmission(identity, in: state, kind, time: time, uid: uid))
    }

    private mutating func gap() throws(JournalFault) -> JournalEntry {
        let (isOfWatcher, hasTime) = (try cursor.flag(), try cursor.flag())
        let source = try gapSource()
        let lost: UInt64? = try cursor.optional()
        var gap = Gap(source: source, reason: try cursor.text(), lost: lost)
        if hasTime { gap.time = time }
        return .gap(watcher: isOfWatcher ? watcher : nil, gap)
    }
}
