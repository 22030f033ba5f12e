internal import ConnectionTracking
internal import SocketValues

/// A tracker with a clock of its own, for tests that make each input by hand.
final class HandTracker {
    private var tracker: ConnectionTracker
    private var outputs: [Output] = []
    /// Monotonic nanoseconds.
    var time: UInt64 = 1_000_000_000_000
    /// The lookups that wait for an answer.
    private(set) var lookups: [Lookup] = []
    private(set) var gaps: [Gap] = []
    private(set) var sockets: [TrackedSocket] = []
    private var transitions: [Transition] = []

    /// A tracker that has seen these, and nothing else; nil for one whose first dump is still to come.
    init(
        existing: [SocketRow]? = [],
        _ configure: (inout ConnectionTracker.Configuration) -> Void = { _ in }
    ) {
        var configuration = ConnectionTracker.Configuration()
        configure(&configuration)
        tracker = ConnectionTracker(configuration)
        if let existing { dump(existing) }
    }

    /// How many connections, listeners and bound sockets are known.
    var count: Int { tracker.count }
    /// How many objects of the kernel are remembered.
    var objectCount: Int { tracker.objectCount }
    /// Whether nothing at all is remembered.
    var isEmpty: Bool { tracker.isEmpty }

    func take(_ fact: Input.Fact) {
        time += 1_000_000
        take(fact, at: time)
    }

    private func take(_ fact: Input.Fact, at time: UInt64) {
        let time = EventTime(monotonicNanoseconds: time, realtimeNanoseconds: time)
        tracker.take(Input(fact, at: time), into: &outputs)
        for output in outputs {
            switch output {
            case .transition(let transition): transitions.append(transition)
            case .socket(let socket): sockets.append(socket)
            case .gap(let gap): gaps.append(gap)
            case .lookUp(let lookup): lookups.append(lookup)
            case .ready, .dump: break
            }
        }
        outputs = []
    }

    /// A dump that shows these.
    func dump(_ rows: [SocketRow], _ scope: DumpScope = .all, isComplete: Bool = true) {
        take(.dumpBegan(scope))
        let began = time
        for row in rows { take(.row(row), at: began) }
        take(.dumpEnded(isComplete: isComplete))
    }

    /// Answers all lookups that wait.
    func answer(_ find: (Lookup) -> LookupAnswer.Result) {
        var rounds = 0
        while !lookups.isEmpty, rounds < 10 {
            let asked = lookups
            lookups = []
            for lookup in asked {
                time += 1_000_000
                take(.answer(LookupAnswer(lookup, askedAt: time, find(lookup))))
            }
            rounds += 1
        }
    }

    /// Lets time pass, with each wake-up at its time; lookups are answered so.
    func pass(_ duration: Duration, _ find: (Lookup) -> LookupAnswer.Result) {
        let end = time + duration.nanoseconds
        while tracker.wakeTime <= end {
            time = max(time, tracker.wakeTime)
            take(.wake)
            answer(find)
        }
        time = max(time, end)
    }

    /// The transitions since this was called last, as `cookie/incarnation FROM(VIA)>TO`.
    func paths() -> [String] { takeTransitions().map(\.path) }

    func takeTransitions() -> [Transition] {
        defer { transitions = [] }
        return transitions
    }
}

extension Transition {
    var path: String {
        let through = via.isEmpty ? "" : "(" + via.map(\.description).joined(separator: ",") + ")"
        let number = incarnation == 0 ? "" : "/\(incarnation)"
        return "\(identity.cookie)\(number) \(from?.description ?? "?")\(through)>\(to)"
    }
}

/// A name on loopback.
func name(_ cookie: UInt64, _ local: UInt16 = 1000, _ remote: UInt16 = 2000) -> SocketName {
    SocketName(
        SocketCookie(rawValue: cookie),
        Endpoints(local: (0, 0x7f00_0001), local, remote: (0, 0x7f00_0001), remote, interface: 0),
        family: .ipv4
    )
}

/// The same 4-tuple as an IPv6 socket has it.
func mapped(_ name: SocketName) -> SocketName {
    var mapped = name
    mapped.family = .ipv6
    mapped.endpoints.localLow |= 0xffff << 32
    mapped.endpoints.remoteLow |= 0xffff << 32
    return mapped
}

/// A listener's name.
func listener(_ cookie: UInt64, _ port: UInt16) -> SocketName {
    SocketName(
        SocketCookie(rawValue: cookie),
        Endpoints(local: (0, 0), port, remote: (0, 0), 0, interface: 0),
        family: .ipv4
    )
}

/// A row of a socket that is held.
func row(_ name: SocketName, _ state: TCPState) -> SocketRow { SocketRow(name, state, inode: 77, uid: 1000) }

/// A row of a TIME_WAIT.
func timeWait(_ name: SocketName, rest: UInt32 = 60_000) -> SocketRow {
    SocketRow(name, .timeWait, isMinisocket: true, timer: rest)
}
