package import SockDiag

/// A socket that listens: the only one of its endpoint, or one of several that share the port.
struct Listener: Sendable {
    let cookie: SocketCookie
    let inode: UInt32?
    /// Connections that wait to be accepted.
    let waiting: Int
    /// The number that may wait; also that of half-open requests.
    let limit: Int
    /// What it dropped since it began to listen.
    let drops: Int

    init(_ socket: borrowing SocketRecord) {
        (cookie, inode) = (socket.cookie, socket.inode)
        (waiting, limit) = (Int(socket.receiveQueue), Int(socket.sendQueue))
        drops = Int(socket.memory?.drops ?? 0)
    }

    /// Whether nothing more gets in. The kernel lets in one more than the limit (`sk_acceptq_is_full()`).
    var isFull: Bool { waiting > limit }
}

/// Half-open requests of the listeners of one endpoint; which of several each came to is not reported.
struct Requests: Sendable {
    private(set) var count = 0
    /// Those that were there at the snapshot before.
    private(set) var stuck = 0
    private(set) var sources: [Host: Int] = [:]

    mutating func add(_ socket: borrowing SocketRecord, isStuck: Bool) {
        count += 1
        if isStuck { stuck += 1 }
        sources[Host(of: socket.remote), default: 0] += 1
    }

    mutating func add(_ other: Requests) {
        count += other.count
        stuck += other.stuck
        sources.merge(other.sources, uniquingKeysWith: +)
    }
}

extension Survey {
    /// The endpoint of the listener that a request came to.
    func listener(for local: SocketEndpoint) -> SocketEndpoint? { local.listener { listeners[$0] != nil } }

    /// The requests of each listener. Those of a listener that is closed already have none.
    var requestsByListener: [SocketEndpoint: Requests] {
        requests.reduce(into: [:]) { all, entry in
            guard let listener = listener(for: entry.key) else { return }
            all[listener, default: Requests()].add(entry.value)
        }
    }
}

extension SocketEndpoint {
    /// The endpoint of the listener that a connection to this one came to, of those that are there: that of its very
    /// address, or of all.
    package func listener(isThere: (SocketEndpoint) -> Bool) -> SocketEndpoint? {
        let exact = SocketEndpoint(address, port: port)
        let family = SocketEndpoint(address.family == .ipv4 ? .anyIPv4 : .anyIPv6, port: port)
        return [self, exact, unmapped, family].first(where: isThere)
    }
}
