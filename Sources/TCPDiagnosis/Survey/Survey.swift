internal import LinuxSystem
package import SockDiag

/// A snapshot of a network namespace, counted by what is asked of it later. As large as there are listeners,
/// destinations and connections in trouble.
struct Survey: Sendable {
    /// Nanoseconds of CLOCK_MONOTONIC.
    let time: UInt64
    let settings: KernelSettings
    let counters: KernelCounters

    /// Every listener; several may share an endpoint (SO_REUSEPORT).
    private(set) var listeners: [SocketEndpoint: [Listener]] = [:]
    /// Half-open requests by the listener's endpoint.
    private(set) var requests: [SocketEndpoint: Requests] = [:]
    /// Their cookies.
    private(set) var requestCookies: Set<SocketCookie> = []
    /// Connections in CLOSE_WAIT that a descriptor holds.
    private(set) var closeWaits: [Waiting] = []
    /// Ports taken by connections to each destination.
    private(set) var routes: [Route: PortUse] = [:]
    /// Ports taken from each source address, whatever the destination.
    private(set) var sources: [IPAddress: SourcePorts] = [:]
    /// Connections in ESTABLISHED at each port that is listened on.
    private(set) var accepted: [UInt16: Int] = [:]
    /// Connections in SYN_SENT by the address that they go to.
    private(set) var openings: [Host: Openings] = [:]
    private(set) var finWait2 = FinWait2()
    /// Connections that are being retransmitted, by the peer's address.
    private(set) var retransmitting: [Host: Int] = [:]
    /// Connections that a program holds and whose data is sent again and again.
    private(set) var unacknowledged: [Waiting] = []
    /// Connections whose peer has closed its window.
    private(set) var closedByPeer: [Waiting] = []
    /// Connections whose own window is closed, because the program does not read.
    private(set) var closedHere: [Waiting] = []
    /// Connections without keepalive on which nothing has come or gone for so long.
    private(set) var idle: [Waiting] = []

    /// Takes the snapshot. Without one before, only of what the next one has to be compared with. Idle connections are wanted
    /// where there is an age from which on they are idle.
    init(of namespace: NetworkNamespace, since before: Survey?, idleAge: Duration? = nil) throws(KernelError) {
        (settings, counters) = try namespace.run { () throws(KernelError) in (KernelSettings(), KernelCounters()) }
        time = SystemClock.monotonic.nanoseconds
        var query = SocketQuery(extensions: [.info, .memory])
        if before == nil { query.states = [.listen, .synReceived] }
        var client = try SockDiagClient(in: namespace)
        let ports = settings.ephemeralPorts
        var listeningPorts = Set(before?.listeners.keys.map(\.port) ?? [])
        try client.forEach(query) { socket in
            switch socket.state {
            case .listen:
                listeners[socket.local, default: []].append(Listener(socket))
                listeningPorts.insert(socket.local.port)
            case .synReceived:
                requestCookies.insert(socket.cookie)
                let isStuck = before?.requestCookies.contains(socket.cookie) ?? false
                requests[socket.local, default: Requests()].add(socket, isStuck: isStuck)
            default:
                count(socket, idleAge)
                let port = socket.local.port
                if socket.state == .established, listeningPorts.contains(port) { accepted[port, default: 0] += 1 }
                if ports?.contains(port) == true, !listeningPorts.contains(port) { countPort(socket) }
            }
        }
    }

    private mutating func count(_ socket: borrowing SocketRecord, _ idleAge: Duration?) {
        let timer = socket.timer
        switch socket.state {
        case .synSent: return openings[Host(of: socket.remote), default: Openings()].add(socket)
        case .finWait2: finWait2.add(socket)
        case .closeWait where socket.inode != nil: closeWaits.append(waiting(socket))
        default: break
        }
        guard !socket.isMinisocket, let timer else {
            if let idleAge { countIdle(socket, idleAge) }
            return countClosedWindow(socket)
        }
        switch timer.kind {
        case .retransmission where timer.retransmits > 0:
            retransmitting[Host(of: socket.remote), default: 0] += 1
            if socket.inode != nil { unacknowledged.append(waiting(socket)) }
        case .windowProbe:
            let closed = waiting(socket)
            // A peer that opens its window a little late is no trouble, and one that answers each probe is.
            if closed.probedMilliseconds >= 500 { closedByPeer.append(closed) } else { countClosedWindow(socket) }
        default: countClosedWindow(socket)
        }
    }

    /// A program that reads a little late is no trouble: nothing has come for half a second.
    private mutating func countClosedWindow(_ socket: borrowing SocketRecord) {
        guard socket.receiveQueue > 0, socket.inode != nil else { return }
        let isClosed = socket.withAttribute(.info) { bytes -> Bool? in
            let info = BorrowedTCPInfo(bytes)
            return info[.rcvWnd] == 0 && info[.lastDataRecv] ?? 0 >= 500
        }
        if isClosed == true { closedHere.append(waiting(socket)) }
    }

    /// Nothing is on the way and nothing waits; a keepalive would be a timer.
    private mutating func countIdle(_ socket: borrowing SocketRecord, _ age: Duration) {
        guard socket.state == .established, socket.inode != nil, socket.receiveQueue == 0, socket.sendQueue == 0
        else { return }
        let silent = waiting(socket)
        if .milliseconds(Int64(clamping: silent.idleMilliseconds)) >= age { idle.append(silent) }
    }

    private func waiting(_ socket: borrowing SocketRecord) -> Waiting {
        Waiting(socket, acceptedBy: listener(of: socket.local, from: socket.remote))
    }

    /// The listener that a connection came to; nil for one that was opened here. Where the listener is closed by now, the
    /// ports tell: it is the client's that the kernel chose.
    private func listener(of local: SocketEndpoint, from remote: SocketEndpoint) -> SocketEndpoint? {
        if let listener = listener(for: local) { return listener }
        guard let ports = settings.ephemeralPorts, !ports.contains(local.port), ports.contains(remote.port)
        else { return nil }
        return local.unmapped
    }

    private mutating func countPort(_ socket: borrowing SocketRecord) {
        let address = socket.local.address.unmapped
        // Bound to all addresses: it has no source yet.
        if address != .anyIPv4, address != .anyIPv6 { sources[address, default: SourcePorts()].add(socket) }
        guard socket.remote.port != 0 else { return }
        let route = Route(from: address, to: socket.remote.unmapped)
        if socket.state == .timeWait {
            routes[route, default: PortUse()].timeWaits += 1
        } else {
            routes[route, default: PortUse()].open += 1
            if let inode = socket.inode { routes[route, default: PortUse()].inode = inode }
        }
    }
}

extension SocketEndpoint {
    /// One peer, whether it is seen by an IPv4 socket or by an IPv6 one.
    package var unmapped: SocketEndpoint { SocketEndpoint(address.unmapped, port: port, scope: scope) }
}
