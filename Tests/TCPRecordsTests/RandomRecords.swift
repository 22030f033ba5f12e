import SeededRandom
import SockDiag
import TCPDiagnosis
import TCPRecords
import TCPWatch

/// Records of any content, the same for the same seed.
struct RandomRecords {
    private var random: SplitMix64

    init(_ seed: UInt64) { random = SplitMix64(seed) }

    private static let texts = [
        "", "eth0", "a,b \"c\"", "évil\u{1b}[31m\u{9b}\n\\", "\\x1b", "x\u{202e}\u{2028}🙂", "two words", "\"", "'",
    ]
    private static let states = TCPState.allCases + [TCPState(rawValue: 14), TCPState(rawValue: 255)]

    mutating func record() -> Record {
        var record = Record(content())
        switch record.content {
        case .ready, .run, .access: break
        case .summary, .gap, .finding, .unixSocket: record.names.namespace = maybe { $0.text }
        default:
            record.names.interface = maybe { $0.text }
            record.names.namespace = maybe { $0.text }
            record.names.localHost = maybe { $0.text }
            record.names.remoteService = maybe { $0.text }
        }
        if case .socket = record.content { record.names.cgroup = maybe { $0.text } }
        if case .summary(var summary) = record.content {
            summary.namespace = summary.keys.contains(.namespace) ? text : nil
            record.names.namespace = summary.namespace
            record.content = .summary(summary)
        }
        return record
    }

    private mutating func content() -> Record.Content {
        switch random.below(11) {
        case 9: .retransmission(retransmission())
        case 0: .socket(socket())
        case 1: .ready
        case 2: .transition(transition())
        case 3: .gap(gap())
        case 4: .connection(connection())
        case 5: .leak(leak())
        case 6: .summary(summary())
        case 7: .run(run())
        case 8: .unixSocket(unixSocket())
        default: random.happens(500) ? .finding(finding()) : .access(access())
        }
    }

    private mutating func retransmission() -> Retransmission {
        Retransmission(
            identity(),
            in: state,
            random.one(of: Retransmission.Kind.allCases),
            time: time(),
            uid: maybe { $0.number() },
            owners: list { $0.owner() }
        )
    }

    private mutating func maybe<Value>(_ make: (inout RandomRecords) -> Value) -> Value? {
        random.happens(600) ? make(&self) : nil
    }

    private mutating func list<Value>(_ make: (inout RandomRecords) -> Value) -> [Value] {
        var values: [Value] = []
        for _ in 0..<random.below(4) { values.append(make(&self)) }
        return values
    }

    /// Bytes of no meaning.
    mutating func noise() -> [UInt8] { (0..<random.below(40)).map { _ in UInt8(truncatingIfNeeded: random.next()) } }

    private var text: String { mutating get { random.one(of: Self.texts) } }
    private var state: TCPState { mutating get { random.one(of: Self.states) } }

    /// Mostly small, at times the greatest.
    private mutating func number<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) -> Number {
        switch random.below(4) {
        case 0: 0
        case 1: Number.max
        case 2: Number(random.below(100))
        default: Number(truncatingIfNeeded: random.next()) & Number.max
        }
    }

    private mutating func duration() -> Duration { .nanoseconds(number(UInt64.self)) }

    private mutating func time() -> EventTime {
        EventTime(monotonicNanoseconds: number(), realtimeNanoseconds: number())
    }

    private mutating func address(_ family: AddressFamily) -> IPAddress {
        guard family == .ipv6 else { return IPAddress(ipv4: number()) }
        switch random.below(4) {
        case 0: return IPAddress(ipv6: 0, 0xffff << 32 | UInt64(number(UInt32.self)))
        case 1: return IPAddress(ipv6: 0xfe80 << 48, number())
        default: return IPAddress(ipv6: number(), number())
        }
    }

    /// The identity of a socket whose interface has no name.
    private mutating func identity() -> SocketIdentity {
        let family: AddressFamily = random.happens(500) ? .ipv6 : .ipv4
        let interface = maybe { NetworkInterface(rawValue: max(1, $0.number())) }
        func endpoint(_ address: IPAddress, _ port: UInt16) -> SocketEndpoint {
            SocketEndpoint(address, port: port, scope: address.isLinkLocal ? interface : nil)
        }
        return SocketIdentity(
            family: family,
            local: endpoint(address(family), number()),
            remote: endpoint(address(family), number()),
            cookie: SocketCookie(rawValue: number()),
            interface: interface
        )
    }

    private mutating func owner() -> SocketOwner {
        let name = ProcessName(random.one(of: ["nginx", "a b", "(1):2", "évil\u{1b}", "\\", "", "x,\"y\""]))
        return SocketOwner(pid: max(0, number()), name: name, descriptor: maybe { max(0, $0.number()) })
    }

    /// A socket of the fixed part alone.
    private mutating func socket() -> WatchedSocket {
        var message = [UInt8](repeating: 0, count: 72)
        for index in message.indices { message[index] = UInt8(truncatingIfNeeded: random.next()) }
        message[0] = random.happens(500) ? 10 : 2
        message[1] = random.one(of: Self.states).rawValue
        if message[1] == 13 { message[1] = 7 }
        message[2] = UInt8(random.below(7))
        let hasTimer = message[2] != 0
        if !hasTimer { message.replaceSubrange(3..<4, with: [0]) }
        if !hasTimer { message.replaceSubrange(52..<56, with: [0, 0, 0, 0]) }
        if message[0] == 2 {
            message.replaceSubrange(12..<24, with: [UInt8](repeating: 0, count: 12))
            message.replaceSubrange(28..<40, with: [UInt8](repeating: 0, count: 12))
        }
        guard let socket = try? InetSocket(message: message) else { return WatchedSocket(socket: InetSocket(Zero())) }
        var watched = WatchedSocket(socket: socket, owners: list { $0.owner() }, time: maybe { $0.time() })
        watched.incarnation = random.happens(900) ? 0 : number()
        return watched
    }

    private mutating func unixSocket() -> UnixSocketRecord {
        var socket = UnixSocket(type: random.one(of: [.stream, .datagram, .sequencedPackets]), state: .established)
        socket.state = random.one(of: [.listen, .established, .closed])
        socket.cookie = SocketCookie(rawValue: number())
        socket.name = maybe { Array($0.random.one(of: ["/run/a,b", "\0bus\0x", "/évil\u{1b}", "\0"]).utf8) }
        (socket.inode, socket.peerInode) = (maybe { $0.number() }, maybe { $0.number() })
        (socket.receiveQueue, socket.sendQueue) = (maybe { $0.number() }, maybe { $0.number() })
        socket.uid = maybe { $0.number() }
        socket.shutdown = maybe { $0.random.one(of: [[], .receive, .send, [.receive, .send]]) }
        socket.file = maybe { UnixSocket.File(inode: $0.number(), device: $0.number()) }
        return UnixSocketRecord(
            socket,
            peerPath: maybe { $0.random.one(of: ["/run/x", "@y"]) },
            owners: list { $0.owner() }
        )
    }

    mutating func transition() -> Transition {
        var transition = Transition(
            identity(),
            from: maybe { $0.state },
            to: state,
            via: list { $0.state },
            certainty: random.one(of: [.exact, .derived, .observed, .inferred]),
            source: random.one(of: [.trace, .poll, .destroy]),
            time: time()
        )
        transition.incarnation = number()
        transition.cause = maybe { $0.random.one(of: TCPStep.Trigger.allCases) }
        transition.resetReason = maybe { $0.random.one(of: [.abortOnClose, ResetReason(rawValue: "TCP_NEW")]) }
        transition.undecided = list { $0.random.one(of: ["pid=1", "process=\"a,b\""]) }
        transition.pid = maybe { max(0, $0.number()) }
        if transition.pid == nil { transition.pidNamespace = maybe { $0.number() } }
        if transition.pid != nil || transition.pidNamespace != nil {
            transition.processName = maybe { _ in ProcessName("évil\u{1b}, \"(1)") }
        }
        transition.openedBy = random.one(of: [.unknown, .active, .passive])
        transition.timeInState = maybe { $0.duration() }
        transition.timeOpen = maybe { $0.duration() }
        (transition.uid, transition.inode) = (maybe { $0.number() }, maybe { $0.number() })
        transition.owners = list { $0.owner() }
        transition.final = maybe { $0.counters() }
        return transition
    }

    private mutating func counters() -> FinalCounters {
        var counters = FinalCounters()
        counters.bytesSent = number()
        counters.bytesReceived = maybe { $0.number() }
        (counters.segmentsOut, counters.segmentsIn) = (maybe { $0.number() }, maybe { $0.number() })
        (counters.retransmits, counters.rttMicroseconds) = (maybe { $0.number() }, maybe { $0.number() })
        counters.duration = maybe { $0.duration() }
        return counters
    }

    mutating func gap() -> Gap {
        let source: Gap.Source = random.one(of: [.trace, .poll, .destroy, .reader, .namespace])
        var gap = Gap(source: source, reason: text, lost: maybe { $0.number() })
        gap.time = time()
        return gap
    }

    private mutating func connection() -> ConnectionRecord {
        ConnectionRecord(
            identity(),
            state: state,
            owners: list { $0.owner() },
            final: random.happens(500) ? counters() : FinalCounters(),
            openedBy: random.one(of: [.unknown, .active, .passive]),
            isAttributed: random.happens(500),
            isOpenAtExit: random.happens(500)
        )
    }

    private mutating func leak() -> LeakRecord {
        var socket = socket()
        // A leak has no timer.
        let message = socket.withMessage { $0.withUnsafeBytes { [UInt8]($0) } }
        var plain = message
        (plain[2], plain[3]) = (0, 0)
        plain.replaceSubrange(52..<56, with: [0, 0, 0, 0])
        socket.socket = (try? InetSocket(message: plain)) ?? socket.socket
        socket.time = nil
        return LeakRecord(
            socket,
            reason: text,
            age: maybe { $0.duration() },
            tests: list { $0.random.one(of: ["App.S/first()", "second", "x\\y,\""]) },
            history: list { $0.state },
            openedBy: random.one(of: [.unknown, .active, .passive]),
            isOpenAtExit: random.happens(500)
        )
    }

    private mutating func summary() -> SummaryRecord {
        let keys = SummaryRecord.Key.allCases.shuffled(using: &random).prefix(1 + random.below(6))
        var summary = SummaryRecord(by: Array(keys), count: random.below(1_000_000))
        for key in keys {
            switch key {
            case .state: summary.state = state
            case .localPort: summary.localPort = number()
            case .peer:
                summary.peer = address(random.happens(500) ? .ipv4 : .ipv6)
                summary.interface = maybe { $0.text }
            case .process: summary.process = text
            case .uid: summary.uid = number()
            default: break
            }
        }
        summary.peak = maybe { $0.random.below(100) }
        return summary
    }

    private mutating func run() -> RunRecord {
        RunRecord(
            command: ["./server"] + list { $0.random.one(of: ["--port", "8080\u{1b}[31m"]) },
            status: maybe { $0.number() },
            signal: maybe { $0.number() },
            duration: duration(),
            connectionsMade: random.below(1000),
            connectionsAccepted: random.below(1000),
            connectionsUnattributed: random.below(1000),
            peak: random.below(1000),
            leaks: random.below(1000)
        )
    }

    private mutating func finding() -> FindingRecord {
        FindingRecord(
            random.one(of: [.closeWait, .halfOpenFlood]),
            at: time(),
            title: text,
            local: maybe { SocketEndpoint($0.address(.ipv4), port: $0.number()) },
            remote: maybe { SocketEndpoint($0.address(.ipv4), port: $0.number()) },
            owners: list { $0.owner() },
            evidence: [FindingRecord.Evidence("used", number()), FindingRecord.Evidence("range", number())],
            meaning: text,
            remedies: list { FindingRecord.Remedy($0.text, command: $0.maybe { $0.text }, price: $0.maybe { $0.text }) }
        )
    }

    private mutating func access() -> AccessRecord {
        AccessRecord("trace", isAvailable: random.happens(500), shortfall: maybe { $0.text })
    }
}

/// A socket of which nothing is known.
struct Zero: SocketFields {
    private let message = InlineArray<72, UInt8>(repeating: 0)

    func withMessage<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        try body(message.span.bytes)
    }
}
