internal import Glibc
internal import SockDiag
internal import Synchronization
internal import TCPStateLab
internal import TCPWatch

/// Connections over the loopback device that come and go at a steady pace.
struct Storm {
    let rate: Int
    let duration: Duration

    /// How one connection ends; they take turns.
    private enum Ending: Int, CaseIterable { case clientCloses, serverCloses, clientAborts, serverAborts }

    private static let ports: [UInt16] = [5001, 5002, 5003, 5004]

    /// Listeners for the connections: they are there before the storm and after it.
    static func listeners() throws -> [Int32] {
        try ports.map { port in
            let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            try check(withAddress(port) { bind(listener, $0, $1) })
            try check(listen(listener, 128))
            return listener
        }
    }

    /// Makes connections, and answers how many: rate times duration.
    func run(_ listeners: [Int32]) throws -> Int {
        let begin = ContinuousClock.now
        let total = rate * Int(duration.components.seconds)
        for index in 0..<total {
            let due = begin + .seconds(1) * index / rate
            while .now < due { usleep(500) }
            try Self.connect(listeners[index / 4 % listeners.count], Self.ports[index / 4 % listeners.count], index)
        }
        return total
    }

    private static func connect(_ listener: Int32, _ port: UInt16, _ index: Int) throws {
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        try check(withAddress(port) { Glibc.connect(client, $0, $1) })
        let accepted = accept(listener, nil, nil)
        try check(accepted)
        switch Ending(rawValue: index % Ending.allCases.count) {
        case .clientCloses: _ = (close(client), close(accepted))
        case .serverCloses: _ = (close(accepted), close(client))
        case .clientAborts: _ = (abort(client), close(accepted))
        case .serverAborts, nil: _ = (abort(accepted), close(client))
        }
    }

    private static func abort(_ descriptor: Int32) -> Int32 {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        return close(descriptor)
    }

    private static func withAddress(
        _ port: UInt16,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, size) }
        }
    }

    private static func check(_ result: Int32) throws {
        struct Failure: Error { let errno: Int32 }
        if result < 0 { throw Failure(errno: errno) }
    }
}

/// What a reader of the events knows.
final class Ledger: Sendable {
    struct Page {
        /// What lives, by the last event about it.
        var states: [SocketCookie: TCPState] = [:]
        /// The connections' ends that have been reported.
        var ended = 0
        /// How many of these were half-open requests.
        var endedRequests = 0
        /// Transitions that were reported before: cookie and state.
        var repeated: [String] = []
        var gaps: [Gap] = []
        var isReady = false
        /// Every transition that was reported, in open addressing; it never grows, so that it does not hide what does.
        fileprivate var transitions = [UInt64](repeating: 0, count: 1 << 23)
    }

    private let page = Mutex(Page())

    /// Reads the page.
    func read<Value>(_ body: (borrowing Page) -> Value) -> Value { page.withLock { body($0) } }

    func note(_ event: SocketEvent) {
        page.withLock { page in
            switch event {
            case .socket(let socket): page.states[socket.cookie] = socket.state
            case .ready: page.isReady = true
            case .transition(let transition): page.note(transition)
            case .gap(let gap): page.gaps.append(gap)
            case .slowed, .retransmission: break
            }
        }
    }
}

extension Ledger.Page {
    fileprivate mutating func note(_ transition: Transition) {
        let cookie = transition.identity.cookie
        if !insert(cookie.rawValue << 4 | UInt64(transition.to.rawValue)) {
            repeated.append("\(cookie) \(transition.to)")
        }
        guard transition.to == .closed else { return states[cookie] = transition.to }
        states[cookie] = nil
        guard transition.from != .listen, transition.from != .bound else { return }
        ended += 1
        if transition.from == .synReceived { endedRequests += 1 }
    }

    private mutating func insert(_ transition: UInt64) -> Bool {
        var slot = Int((transition &* 0x9e37_79b9_7f4a_7c15) >> 41)
        while transitions[slot] != 0 {
            if transitions[slot] == transition { return false }
            slot = (slot + 1) & (transitions.count - 1)
        }
        transitions[slot] = transition
        return true
    }

    /// How many connections live.
    var alive: Int { states.values.count { $0 != .listen && $0 != .bound } }
}
