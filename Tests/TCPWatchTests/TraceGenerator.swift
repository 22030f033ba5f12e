internal import Glibc
internal import SockDiag
internal import Synchronization
internal import TCPWatch

/// Connections over the loopback device by one who writes down what it has done.
struct TraceGenerator {
    /// What became of a connection, as one of its sockets saw it.
    struct Side: Sendable {
        let isClient: Bool
        let sent: UInt64
        let received: UInt64
        let ending: Ending

        /// The states that it went through.
        var path: [TCPState] {
            let begin: [TCPState] = [isClient ? .synSent : .synReceived, .established]
            let closesFirst = ending == (isClient ? .clientCloses : .serverCloses)
            switch ending {
            case .clientAborts, .serverAborts: return begin + [.closed]
            case _ where closesFirst: return begin + [.finWait1, .finWait2, .timeWait]
            default: return begin + [.closeWait, .lastAck, .closed]
            }
        }
    }

    /// How a connection ends; they take turns.
    enum Ending: Int, CaseIterable, Sendable { case clientCloses, serverCloses, clientAborts, serverAborts }

    struct Failure: Error {
        let call: String
        let errno: Int32
    }

    let listener: Int32
    private let address: sockaddr_in
    private(set) var book: [SocketCookie: Side] = [:]

    init(port: UInt16 = 7000) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        address = Self.loopback(port: port, last: 1)
        try Self.check("bind", Self.with(address) { [listener] in bind(listener, $0, $1) })
        try Self.check("listen", listen(listener, 128))
    }

    /// Makes so many connections a second, from the port of an address of its own each, or all from the same port.
    mutating func run(_ count: Int, rate: Int? = nil, endings: [Ending] = Ending.allCases, port: UInt16? = nil) throws {
        let begin = ContinuousClock.now
        for index in 0..<count {
            if let rate {
                let due = begin + .seconds(1) * index / rate
                while .now < due { usleep(300) }
            }
            let source = Self.loopback(port: port ?? 0, last: port == nil ? 2 + UInt8(index / 10_000 % 200) : 2)
            let cookies = try connect(from: source, endings[index % endings.count], index)
            if let port { try awaitEnd(of: cookies, clientPort: port) }
        }
    }

    /// Waits until the ports are free again. A close is not always done when the call returns: whoever reads
    /// /proc/PID/fd at that moment keeps the socket for as long as that takes.
    private func awaitEnd(of cookies: (client: SocketCookie, server: SocketCookie), clientPort: UInt16) throws {
        let client = SocketEndpoint(IPAddress(ipv4: 0x7f00_0002), port: clientPort)
        let server = SocketEndpoint(IPAddress(ipv4: 0x7f00_0001), port: UInt16(bigEndian: address.sin_port))
        var kernel = try SockDiagClient()
        for (cookie, local, remote) in [(cookies.client, client, server), (cookies.server, server, client)] {
            let identity = SocketIdentity(family: .ipv4, local: local, remote: remote, cookie: cookie)
            while let socket = try kernel.socket(identity), socket.state != .timeWait { sched_yield() }
        }
    }

    private mutating func connect(
        from source: sockaddr_in,
        _ ending: Ending,
        _ index: Int
    ) throws -> (client: SocketCookie, server: SocketCookie) {
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var on: Int32 = 1
        setsockopt(client, SOL_SOCKET, SO_REUSEADDR, &on, 4)
        setsockopt(client, Int32(IPPROTO_IP), 24, &on, 4)  // IP_BIND_ADDRESS_NO_PORT
        try Self.check("bind", Self.with(source) { bind(client, $0, $1) })
        try Self.check("connect", Self.with(address) { Glibc.connect(client, $0, $1) })
        let accepted = accept(listener, nil, nil)
        try Self.check("accept", accepted)
        var bytes = [UInt8](repeating: 1, count: 64)
        let (there, back) = (1 + index % 7, 1 + index % 5)
        try Self.check("send", Int32(send(client, bytes, there, 0)))
        try Self.check("recv", Int32(recv(accepted, &bytes, there, Int32(MSG_WAITALL))))
        try Self.check("send", Int32(send(accepted, bytes, back, 0)))
        try Self.check("recv", Int32(recv(client, &bytes, back, Int32(MSG_WAITALL))))
        let (near, far) = (UInt64(there), UInt64(back))
        let cookies = (try Self.cookie(client), try Self.cookie(accepted))
        book[cookies.0] = Side(isClient: true, sent: near, received: far, ending: ending)
        book[cookies.1] = Side(isClient: false, sent: far, received: near, ending: ending)
        let (first, second) =
            ending == .clientCloses || ending == .clientAborts ? (client, accepted) : (accepted, client)
        if ending == .clientAborts || ending == .serverAborts {
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(first, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        }
        close(first)
        close(second)
        return cookies
    }

    private static func cookie(_ descriptor: Int32) throws -> SocketCookie {
        var cookie: UInt64 = 0
        var size = socklen_t(8)
        try check("SO_COOKIE", getsockopt(descriptor, SOL_SOCKET, 57, &cookie, &size))
        return SocketCookie(rawValue: cookie)
    }

    private static func loopback(port: UInt16, last: UInt8) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = (0x7f00_0000 | UInt32(last)).bigEndian
        return address
    }

    private static func with(_ address: sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = address
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }

    private static func check(_ call: String, _ result: Int32) throws {
        if result < 0 { throw Failure(call: call, errno: errno) }
    }
}

/// What a watcher has reported, life by life.
final class LifeBook: Sendable {
    struct Life: Sendable {
        var path: [TCPState] = []
        /// Whether each transition began where the one before it ended, and in time.
        var isInOrder = true
        var isExact = true
        var lastTime: UInt64 = 0
        var lastCause: TCPStep.Trigger?
        var final: FinalCounters?
        var endpoints: Set<SocketEndpoint> = []
    }

    struct Page {
        var lives: [SocketCookie: Life] = [:]
        var connections: [SocketCookie: Life] { lives.filter { !$0.value.path.contains(.listen) } }
        var gaps: [Gap] = []
        var isReady = false
        /// What was lost, but for ``passedOver``.
        var losses: [Gap] { gaps.filter { !$0.isPassedOver } }
        /// How many events the kernel passed over while a program ran on the same processor. That is counted for all
        /// namespaces together, and the busier other tests are the more there is of it: so many lives may be reported
        /// wrong.
        var passedOver: Int { gaps.reduce(0) { $0 + ($1.isPassedOver ? Int($1.lost ?? 0) : 0) } }
    }

    private let page = Mutex(Page())

    func read<Value>(_ body: (borrowing Page) -> Value) -> Value { page.withLock { body($0) } }

    func note(_ event: SocketEvent) {
        page.withLock { page in
            switch event {
            case .ready: page.isReady = true
            case .gap(let gap): page.gaps.append(gap)
            case .transition(let transition): page.lives[transition.identity.cookie, default: Life()].note(transition)
            case .socket, .slowed, .retransmission: break
            }
        }
    }
}

extension Gap {
    /// Whether it reports events that the kernel passed over while it reported others.
    var isPassedOver: Bool { reason.hasPrefix("the kernel passed over") }
}

extension LifeBook.Life {
    fileprivate mutating func note(_ transition: Transition) {
        if transition.from != path.last ?? .closed || transition.time.monotonicNanoseconds < lastTime {
            isInOrder = false
        }
        path += transition.via + [transition.to]
        lastTime = transition.time.monotonicNanoseconds
        // Neither a request that a dump has met, the FIN that an orphan gets nor the end of a TIME_WAIT is a transition
        // of a socket.
        let isSocketTransition =
            transition.to != .synReceived && transition.to != .timeWait && transition.from != .timeWait
            && transition.cause != .reuse
        if isSocketTransition, transition.certainty != .exact { isExact = false }
        lastCause = transition.cause
        if let final = transition.final { self.final = final }
        endpoints.formUnion([transition.identity.local, transition.identity.remote])
    }
}
