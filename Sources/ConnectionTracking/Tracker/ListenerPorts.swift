/// How many listeners there are on each port, and since when: a connection to one of them was opened by the peer.
struct ListenerPorts {
    private struct Port {
        var count: Int
        var since: UInt64
    }

    private var ports: [UInt16: Port] = [:]

    var isEmpty: Bool { ports.isEmpty }

    /// Whether a socket listens on the port.
    func contains(_ port: UInt16) -> Bool { ports[port] != nil }

    /// Since when one does, monotonic nanoseconds; 0 where that was before watching began, or none does.
    func since(_ port: UInt16) -> UInt64 { ports[port]?.since ?? 0 }

    mutating func add(_ port: UInt16, since: UInt64) {
        if ports[port] == nil { ports[port] = Port(count: 1, since: since) } else { ports[port]?.count += 1 }
    }

    mutating func remove(_ port: UInt16) {
        guard let count = ports[port]?.count else { return }
        if count > 1 { ports[port]?.count = count - 1 } else { ports[port] = nil }
    }
}
