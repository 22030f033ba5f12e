internal import LinuxSystem
internal import SockDiag

/// A snapshot of a network namespace, counted by what is asked of it later. As large as there are listeners,
/// destinations and connections in trouble.
struct Survey: Sendable {
    /// Nanoseconds of CLOCK_MONOTONIC.
    let time: UInt64
    let settings: KernelSettings
    let counters: KernelCounters

    /// Every listener; several may share an endpoint (SO_REUSEPORT).
    private(set) var listeners: [SocketEndpoint: Listener] = [:]
    /// Half-open requests by the listener's endpoint.
    private(set) var requests: [SocketEndpoint: Requests] = [:]
    /// Their cookies.
    private(set) var requestCookies: Set<SocketCookie> = []
    /// Connections in CLOSE_WAIT that a descriptor holds.
    private(set) var closeWaits: [Waiting] = []
    /// Ports taken by connections to each destination.
    private(set) var routes: [Route: PortUse] = [:]
    /// Connections in SYN_SENT by the address that they go to.
    private(set) var openings: [IPAddress: Openings] = [:]
    private(set) var finWait2 = FinWait2()
    /// Connections that are being retransmitted, by the peer's address.
    private(set) var retransmitting: [IPAddress: Int] = [:]
    /// Connections whose peer has closed its window, by the peer.
    private(set) var closedByPeer: [IPAddress: [UInt32]] = [:]
    /// Connections whose own window is closed, because the program does not read.
    private(set) var closedHere: [Waiting] = []

    /// Takes the snapshot. Without one before, only of what the next one has to be compared with.
    init(of namespace: NetworkNamespace, since before: Survey?) throws(KernelError) {
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
                listeners[socket.local, default: Listener()].add(socket)
                listeningPorts.insert(socket.local.port)
            case .synReceived:
                requestCookies.insert(socket.cookie)
                let isStuck = before?.requestCookies.contains(socket.cookie) ?? false
                requests[socket.local, default: Requests()].add(socket, isStuck: isStuck)
            default:
                count(socket)
                let port = socket.local.port
                if ports?.contains(port) == true, !listeningPorts.contains(port) { countPort(socket) }
            }
        }
    }

    private mutating func count(_ socket: borrowing SocketRecord) {
        let timer = socket.timer
        switch socket.state {
        case .synSent: return openings[socket.remote.address.unmapped, default: Openings()].add(socket)
        case .finWait2: finWait2.add(socket)
        case .closeWait where socket.inode != nil: closeWaits.append(Waiting(socket))
        default: break
        }
        guard !socket.isMinisocket, let timer else { return countClosedWindow(socket) }
        let peer = socket.remote.address.unmapped
        switch timer.kind {
        case .retransmission where timer.retransmits > 0: retransmitting[peer, default: 0] += 1
        case .windowProbe where timer.retransmits > 0: closedByPeer[peer, default: []].append(socket.inode ?? 0)
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
        if isClosed == true { closedHere.append(Waiting(socket)) }
    }

    private mutating func countPort(_ socket: borrowing SocketRecord) {
        guard socket.remote.port != 0 else { return }
        let route = Route(from: socket.local.address.unmapped, to: socket.remote.unmapped)
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
    var unmapped: SocketEndpoint { SocketEndpoint(address.unmapped, port: port, scope: scope) }
}
