internal import SockDiag

/// The listeners of one endpoint: one, or several that share the port.
struct Listener: Sendable {
    private(set) var inodes: [UInt32] = []
    /// Connections that wait to be accepted.
    private(set) var waiting = 0
    /// The number that may wait; also that of half-open requests.
    private(set) var limit = 0
    /// Whether one of them is full.
    private(set) var hasFullQueue = false
    /// What they dropped since they began to listen.
    private(set) var drops = 0

    mutating func add(_ socket: borrowing SocketRecord) {
        if let inode = socket.inode { inodes.append(inode) }
        waiting += Int(socket.receiveQueue)
        limit += Int(socket.sendQueue)
        // The kernel lets in one more than the limit (`sk_acceptq_is_full()`).
        if socket.receiveQueue > socket.sendQueue { hasFullQueue = true }
        drops += Int(socket.memory?.drops ?? 0)
    }
}

/// Half-open requests of one listener.
struct Requests: Sendable {
    private(set) var count = 0
    /// Those that were there at the snapshot before.
    private(set) var stuck = 0
    private(set) var sources: [IPAddress: Int] = [:]

    mutating func add(_ socket: borrowing SocketRecord, isStuck: Bool) {
        count += 1
        if isStuck { stuck += 1 }
        sources[socket.remote.address.unmapped, default: 0] += 1
    }

    mutating func add(_ other: Requests) {
        count += other.count
        stuck += other.stuck
        sources.merge(other.sources, uniquingKeysWith: +)
    }
}

extension Survey {
    /// The endpoint of the listener that a request came to: that of its very address, or of all.
    func listener(for local: SocketEndpoint) -> SocketEndpoint? {
        let exact = SocketEndpoint(local.address, port: local.port)
        let family = SocketEndpoint(local.address.family == .ipv4 ? .anyIPv4 : .anyIPv6, port: local.port)
        return [local, exact, local.unmapped, family].first { listeners[$0] != nil }
    }

    /// The requests of each listener. Those of a listener that is closed already have none.
    var requestsByListener: [SocketEndpoint: Requests] {
        requests.reduce(into: [:]) { all, entry in
            guard let listener = listener(for: entry.key) else { return }
            all[listener, default: Requests()].add(entry.value)
        }
    }
}
