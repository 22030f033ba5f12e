internal import SockDiag
internal import TCPWatch

/// What dumps show of the sockets that some processes hold, in the namespaces that these are in.
struct SocketInventory {
    /// A connection that nobody has accepted.
    private struct Waiting {
        let identity: SocketIdentity
        let namespace: NetworkNamespace?
        let age: Duration
    }

    /// Where a listener is; several have one endpoint (`SO_REUSEPORT`).
    private struct Place: Hashable {
        let endpoint: SocketEndpoint
        let namespace: NetworkNamespace?
    }

    private let rules: LeakRules
    /// The sockets that are held, by inode. Of several subflows of one MPTCP socket it is the one that lives.
    private(set) var sockets: [UInt32: WatchedSocket] = [:]
    /// The rules of the namespaces that were read; nil stands for this thread's.
    private var matchers: [NetworkNamespace?: LeakMatcher] = [:]
    private var waiting: [Waiting] = []
    private var table = ListenerTable()
    private var listeners: [SocketCookie: (place: Place, queue: Int)] = [:]
    private var queues: [Place: Int] = [:]

    init(_ rules: LeakRules) { self.rules = rules }

    /// What can be in use or forgotten: neither requests nor TIME_WAIT are held.
    private static let states = TCPStateSet.all.subtracting([.timeWait, .synReceived])

    /// Reads the sockets of a namespace; nil stands for this thread's.
    ///
    /// - Parameters:
    ///   - namespace: The namespace.
    ///   - waitingSince: When connections that wait to be accepted were first found, by cookie.
    ///   - now: The time, monotonic nanoseconds.
    ///   - isHeld: Whether a process holds the socket of an inode.
    /// - Throws: ``/SockDiag/KernelError``.
    mutating func read(
        _ namespace: NetworkNamespace?,
        waitingSince: inout [SocketCookie: UInt64],
        at now: UInt64,
        isHeld: (UInt32) -> Bool
    ) throws(KernelError) {
        var client = try SockDiagClient(in: namespace)
        let matcher = try LeakMatcher(rules, for: &client, in: namespace)
        matchers[namespace] = matcher
        let query = SocketQuery(states: Self.states, extensions: matcher.extensions.union(.info))
        var (found, queued): ([InetSocket], [InetSocket]) = ([], [])
        try client.forEach(query) { record in
            if record.state == .listen {
                found.append(InetSocket(record))
            } else if let inode = record.inode {
                if isHeld(inode) { found.append(InetSocket(record)) }
            } else if record.state == .established || record.state == .closeWait {
                queued.append(InetSocket(record))
            }
        }
        for socket in found {
            if socket.state == .listen { insert(listener: socket, in: namespace) }
            guard let inode = socket.inode, isHeld(inode), sockets[inode]?.state != .established else { continue }
            sockets[inode] = WatchedSocket(socket: socket, namespace: namespace)
        }
        for socket in queued {
            let since = waitingSince[socket.cookie] ?? now
            waitingSince[socket.cookie] = since
            // Nobody could send on it yet, so the last time that it did is that of the handshake.
            let handshake = Duration.milliseconds(Int64(clamping: socket.tcpInfo?[.lastDataSent] ?? 0))
            let age = max(handshake, .nanoseconds(Int64(clamping: now - min(now, since))))
            waiting.append(Waiting(identity: socket.identity, namespace: namespace, age: age))
        }
    }

    /// Removes from these inodes what the dump of MPTCP sockets has.
    func removeMPTCP(from inodes: inout Set<UInt32>, in namespace: NetworkNamespace?) throws(KernelError) {
        var client = try SockDiagClient(in: namespace)
        var listed: [UInt32] = []
        try client.forEach(SocketQuery(protocol: .mptcp)) { if let inode = $0.inode { listed.append(inode) } }
        inodes.subtract(listed)
    }

    private mutating func insert(listener: InetSocket, in namespace: NetworkNamespace?) {
        let place = Place(
            endpoint: SocketEndpoint(listener.local.address.unmapped, port: listener.local.port),
            namespace: namespace
        )
        guard listeners[listener.cookie] == nil else { return }
        table.insert(listener.identity, in: namespace)
        listeners[listener.cookie] = (place, Int(listener.receiveQueue))
        queues[place, default: 0] += Int(listener.receiveQueue)
    }

    /// How long connections have waited at each listener's endpoint.
    private func waitingAges() -> [Place: [Duration]] {
        var ages: [Place: [Duration]] = [:]
        for connection in waiting {
            guard let cookie = table.listener(of: connection.identity, in: connection.namespace),
                let place = listeners[cookie]?.place
            else { continue }
            ages[place, default: []].append(connection.age)
        }
        return ages
    }

    /// The sockets that may be forgotten, with the rule that applies; of a listener the number that waits.
    func suspects() -> [(inode: UInt32, socket: WatchedSocket, rule: ForgottenRule, waiting: Int)] {
        let ages = waiting.isEmpty ? [:] : waitingAges()
        return sockets.compactMap { inode, socket in
            guard socket.state == .listen else {
                return ForgottenRule(socket).map { (inode, socket, $0, 0) }
            }
            guard let (place, queue) = listeners[socket.cookie], queue > 0, let ages = ages[place] else { return nil }
            let others = (queues[place] ?? queue) - queue
            return ForgottenRule(listenerWith: ages, others: others).map { (inode, socket, $0, queue) }
        }
    }

    /// Whether the rules let a socket count.
    func counts(_ socket: WatchedSocket) -> Bool {
        matchers[socket.namespace]?.counts(socket, isHeld: true) ?? true
    }

    /// The cookies of the connections that wait.
    var waitingCookies: Set<SocketCookie> { Set(waiting.map(\.identity.cookie)) }
}
