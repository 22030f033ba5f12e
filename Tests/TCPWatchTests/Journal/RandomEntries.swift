internal import ConnectionTracking
internal import SeededRandom
internal import SockDiag
internal import SocketValues

@testable internal import TCPWatch

/// Entries of a journal as nobody would write them: every field takes every kind of value.
struct RandomEntries {
    var random: SplitMix64
    private var time = EventTime(monotonicNanoseconds: 5_000_000_000, realtimeNanoseconds: 1_700_000_000_000_000_000)
    /// What the kernel would dump.
    private var rows: [SocketRow] = []

    init(seed: UInt64) { random = SplitMix64(seed) }

    /// A journal's entries, in which two namespaces begin first.
    mutating func entries(_ count: Int) -> [JournalEntry] {
        var entries: [JournalEntry] = [
            .namespace(watcher: 0, nil, configuration()), .namespace(watcher: 1, namespace(), configuration()),
        ]
        while entries.count < count {
            switch int(in: 0..<13) {
            case 0: entries += dump()
            case 1: entries.append(.message(watcher: watcher(), (0..<int(in: 0..<900)).map { _ in number() }))
            case 2: entries.append(.owners(watcher: watcher(), SocketCookie(rawValue: number()), owners()))
            case 3: entries.append(.gap(watcher: chance() ? watcher() : nil, gap()))
            case 7: entries.append(.retransmission(watcher: watcher(), retransmission()))
            case 6: entries.append(.socketsExpected(watcher: watcher()))
            case 4: entries.append(.slowed(.nanoseconds(Int64(number() as UInt32)), at: tick()))
            case 5:
                entries += [
                    .namespaceEnded(watcher: 1), .namespace(watcher: 1, chance() ? namespace() : nil, configuration()),
                ]
            default: entries.append(.input(watcher: watcher(), Input(fact(), at: tick())))
            }
        }
        return entries
    }

    /// A dump, most of whose rows were in the one before.
    private mutating func dump() -> [JournalEntry] {
        let (watcher, began) = (watcher(), tick())
        rows = rows.filter { _ in int(in: 0..<20) > 0 }
        for index in rows.indices where int(in: 0..<4) == 0 {
            // A timer that runs, one that starts anew, and a change of anything.
            rows[index].timer = rows[index].timer.map { chance() ? $0 &- UInt32(int(in: 0..<400)) : number() }
            if int(in: 0..<8) == 0 { rows[index].state = state() }
            if int(in: 0..<8) == 0 { rows[index].uid = optional() }
        }
        if int(in: 0..<8) == 0 { rows.removeFirst(min(rows.count, int(in: 0..<40))) }
        for _ in 0..<int(in: 0..<20) { rows.insert(row(), at: int(in: 0..<(rows.count + 1))) }
        let scope = DumpScope.allCases.randomElement(using: &random) ?? .all
        var entries: [JournalEntry] = [.input(watcher: watcher, Input(.dumpBegan(scope), at: began))]
        for row in rows {
            entries.append(.input(watcher: watcher, Input(.row(row), at: int(in: 0..<30) == 0 ? tick() : time)))
        }
        if int(in: 0..<8) > 0 {
            entries.append(.input(watcher: watcher, Input(.dumpEnded(isComplete: chance()), at: tick())))
        }
        return entries
    }

    private mutating func retransmission() -> Retransmission {
        Retransmission(
            name().identity,
            in: state(),
            Retransmission.Kind.allCases.randomElement(using: &random) ?? .data,
            time: tick(),
            uid: optional()
        )
    }

    private mutating func fact() -> Input.Fact {
        switch int(in: 0..<12) {
        case 0: .answer(LookupAnswer(lookup(), askedAt: moment(), answer()))
        case 1: .destroyed(destroyed())
        case 2: .row(row())  // outside of a dump
        case 3: .retransmitted(RetransmittedHandshake(name(), isRequest: chance(), matching: matching()))
        case 4: .reset(ReportedReset(SocketCookie(rawValue: number()), in: state(), reason: optional()))
        case 5: chance() ? .boundDestroyed(cookie()) : .released(cookie())
        case 6: .lost(loss())
        case 7: chance() ? .wake : .resynchronize
        case 8: .configured(interval: number(), needsInodes: chance())
        case 9: .matching(name(), matching())
        default: .transition(transition())
        }
    }

    private mutating func cookie() -> SocketCookie { SocketCookie(rawValue: number()) }

    mutating func row() -> SocketRow {
        SocketRow(
            name(),
            state(),
            isMinisocket: chance(),
            inode: number(),
            uid: optional(),
            timer: optional(),
            matching: matching()
        )
    }

    private mutating func transition() -> TracedTransition {
        var rest: SocketRest?
        if chance() {
            let error = SocketFailure.allCases.randomElement(using: &random) ?? .none
            rest = SocketRest(counters(), error: error, isPeerDone: chance(), isOrphan: chance())
            rest?.isUnaccepted = chance()
            rest?.isBelowTimeWaitLimit = chance() ? nil : chance()
        }
        let pid = chance() ? Int32(bitPattern: number() as UInt32) : nil
        return TracedTransition(
            name(),
            from: state(),
            to: state(),
            uid: number(),
            pid: pid,
            processName: pid != nil && chance() ? ProcessName("a b") : nil,
            rtt: number(),
            matching: matching(),
            rest: rest
        )
    }

    private mutating func destroyed() -> DestroyedSocket {
        DestroyedSocket(
            name(),
            counters: chance() ? counters() : nil,
            acknowledgedControls: optional(),
            idleMilliseconds: optional(),
            verdict()
        )
    }

    private mutating func verdict() -> FilterVerdict {
        switch int(in: 0..<3) {
        case 0: .finds
        case 1: .passesOver
        default: .undecided((0...int(in: 0..<3)).map { "uid = \($0)" })
        }
    }

    private mutating func lookup() -> Lookup {
        let purpose = Lookup.Purpose.allCases.randomElement(using: &random) ?? .state
        return Lookup(name(), purpose, about: chance() ? nil : SocketCookie(rawValue: number()))
    }

    private mutating func answer() -> LookupAnswer.Result {
        switch int(in: 0..<3) {
        case 0: .found(row())
        case 1: .gone
        default: .failed
        }
    }

    private mutating func loss() -> Loss {
        let reason = Loss.Reason.allCases.randomElement(using: &random) ?? .overrun
        return Loss(source(), reason, count: optional(), includesRefusals: chance())
    }

    private mutating func gap() -> Gap {
        var gap = Gap(source: source(), reason: "a \u{1b}[31m sentence, \"quoted\"", lost: optional())
        if chance() { gap.time = tick() }
        return gap
    }

    private mutating func source() -> Gap.Source {
        [.trace, .poll, .destroy, .reader, .namespace].randomElement(using: &random) ?? .trace
    }

    private mutating func counters() -> SocketCounters {
        var counters = SocketCounters()
        (counters.bytesSent, counters.bytesReceived) = (number(), number())
        (counters.segmentsOut, counters.segmentsIn) = (number(), number())
        (counters.retransmits, counters.rtt) = (number(), number())
        return counters
    }

    mutating func name() -> SocketName {
        let family: AddressFamily = [.ipv4, .ipv6, .ipv6, AddressFamily(rawValue: number())][int(in: 0..<4)]
        let endpoints = Endpoints(
            local: (family == .ipv4 && chance() ? 0 : number(), number()),
            number(),
            remote: (family == .ipv4 && chance() ? 0 : number(), number()),
            number(),
            interface: chance() ? 0 : number()
        )
        return SocketName(SocketCookie(rawValue: int(in: 0..<20) == 0 ? .max : number()), endpoints, family: family)
    }

    private mutating func owners() -> [SocketOwner] {
        (0..<int(in: 0..<4)).map { _ in
            SocketOwner(
                pid: Int32(bitPattern: number()),
                name: ProcessName(bytes: (0..<int(in: 0..<16)).map { _ in number() as UInt8 }),
                descriptor: chance() ? Int32(bitPattern: number()) : nil
            )
        }
    }

    private mutating func namespace() -> NetworkNamespace {
        let id = NetworkNamespace.ID(device: number(), inode: number())
        var namespace = NetworkNamespace(id: id, path: "", label: "web ü", name: chance() ? "web" : nil)
        namespace.pid = chance() ? 4711 : nil
        namespace.containerID = chance() ? String(repeating: "0a", count: 32) : nil
        return namespace
    }

    private mutating func configuration() -> TrackerConfiguration {
        var configuration = TrackerConfiguration()
        configuration.reportsTransitions = chance()
        configuration.reportsDestroyed = chance()
        configuration.reportsRefusals = chance()
        configuration.reportsExisting = chance()
        configuration.needsInodes = chance()
        configuration.interval = moment()
        for _ in 0..<int(in: 0..<50) { configuration.resetReasons[number()] = .abortOnClose }
        return configuration
    }

    private mutating func tick() -> EventTime {
        switch int(in: 0..<8) {
        case 0: time = EventTime(monotonicNanoseconds: moment(), realtimeNanoseconds: number())
        case 1: time.monotonicNanoseconds -= min(time.monotonicNanoseconds, number() & 0xffff)
        case 2, 3: break
        default:
            let step = (number() as UInt64) & 0xfff_ffff
            time.monotonicNanoseconds = min(time.monotonicNanoseconds + step, JournalCursor.endOfTime)
            time.realtimeNanoseconds = time.realtimeNanoseconds &+ step &+ UInt64(int(in: 0..<2))
        }
        return time
    }

    private mutating func moment() -> UInt64 { (number() as UInt64) >> 2 }
    private mutating func state() -> TCPState { TCPState(rawValue: chance() ? UInt8(int(in: 1..<14)) : number()) }
    private mutating func matching() -> StateMask { int(in: 0..<4) == 0 ? StateMask(rawValue: number()) : .all }
    private mutating func watcher() -> UInt32 { chance() ? 0 : 1 }
    private mutating func chance() -> Bool { .random(using: &random) }
    mutating func int(in range: Range<Int>) -> Int { .random(in: range, using: &random) }
    private mutating func optional<Number: FixedWidthInteger>() -> Number? { chance() ? nil : number() }

    /// A number of any length, and often the least or the greatest.
    private mutating func number<Number: FixedWidthInteger>() -> Number {
        switch int(in: 0..<10) {
        case 0: .min
        case 1: .max
        default: Number(truncatingIfNeeded: random.next() >> UInt64(int(in: 0..<64)))
        }
    }
}
