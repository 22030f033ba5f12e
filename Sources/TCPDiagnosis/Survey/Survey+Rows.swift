internal import SockDiag

/// A connection that waits for the program that holds it, or for its peer.
struct Waiting: Sendable {
    let inode: UInt32
    let local: SocketEndpoint
    let remote: SocketEndpoint
    /// The listener that it came to; nil where it was opened here.
    let listener: SocketEndpoint?
    let unread: UInt32
    /// Bytes that the peer has not acknowledged.
    let unsent: UInt32
    /// Retransmissions or probes in a row.
    let attempts: UInt8
    /// The time until the next of them.
    let nextMilliseconds: UInt64
    /// The time since the last segment from the peer.
    let silentMilliseconds: UInt64
    /// The time since data came or went, or was acknowledged.
    let idleMilliseconds: UInt64
    /// The time since the first attempt to send what is still not acknowledged, at the least: the timeouts that have passed.
    let unansweredMilliseconds: UInt64
    /// The time since the peer's window closed, at the least: the probes that have gone out.
    let probedMilliseconds: UInt64

    init(_ socket: borrowing SocketRecord, acceptedBy listener: SocketEndpoint?) {
        (inode, local, remote) = (socket.inode ?? 0, socket.local, socket.remote.unmapped)
        (self.listener, unread, unsent) = (listener, socket.receiveQueue, socket.sendQueue)
        (attempts, nextMilliseconds) = (socket.retransmits, UInt64(socket.timer?.milliseconds ?? 0))
        let measured = socket.withAttribute(.info) { bytes -> [UInt64]? in
            let info = BorrowedTCPInfo(bytes)
            return [.lastAckRecv, .lastDataSent, .lastDataRecv, .rto, .backoff].map { info[$0] ?? 0 }
        }
        let info = measured ?? [0, 0, 0, 0, 0]
        // A segment with data that acknowledges nothing new counts as data alone (`tcp_rcv_established()`).
        silentMilliseconds = min(info[0], info[2])
        idleMilliseconds = info.prefix(3).min() ?? 0
        let (timeout, backoff) = (info[3] / 1000, min(info[4], 63))
        // The timeout doubles each time, up to a limit: each one that has passed had half of the next, or more. A peer that
        // acknowledges something else is alive, and its last segment younger.
        let retransmits = UInt64(attempts)
        let passed = (1...max(retransmits, 1)).reduce(0) { $0 + timeout >> min($1, backoff) }
        let running = timeout - min(timeout, nextMilliseconds)
        unansweredMilliseconds = retransmits == 0 ? 0 : min(passed + running, silentMilliseconds)
        // Here the timeout stays as it was, and the probes double it (`tcp_probe0_when()`).
        probedMilliseconds = (0..<backoff).reduce(0) { min($0 + min(timeout << min($1, 20), 120_000), 1 << 40) }
    }
}

/// A host, by its address: one of the link on one interface is another than on another one.
struct Host: Hashable, Sendable {
    let address: IPAddress
    let scope: NetworkInterface?

    /// The host of an endpoint, whether an IPv4 socket sees it or an IPv6 one.
    init(of endpoint: SocketEndpoint) { (address, scope) = (endpoint.address.unmapped, endpoint.scope) }

    func endpoint(port: UInt16) -> SocketEndpoint { SocketEndpoint(address, port: port, scope: scope) }
}

extension Host: Comparable, CustomStringConvertible {
    /// By address, and by interface.
    static func < (left: Host, right: Host) -> Bool {
        (left.address, left.scope?.rawValue ?? 0) < (right.address, right.scope?.rawValue ?? 0)
    }

    var description: String { "\(address)" + (scope.map { "%\($0.rawValue)" } ?? "") }
}

/// From an address to a destination: what a port has to be free for.
struct Route: Hashable, Sendable {
    let from: IPAddress
    let to: SocketEndpoint
}

/// The number of ports that a route takes.
struct PortUse: Sendable {
    var open = 0
    var timeWaits = 0
    /// One of those that hold them.
    var inode: UInt32?
}

/// The ports that are taken from one source address.
///
/// `connect()` alone gives a port to several destinations, even numbers first, and so does IP_BIND_ADDRESS_NO_PORT. What is
/// bound before has its port for itself. The kernel does not report which it was; but ports that none shares, more than half
/// of all and to several destinations, are not what `connect()` chooses.
struct SourcePorts: Sendable {
    /// By each port the inode of the only socket, 0 for a TIME_WAIT; nil where it is shared.
    private(set) var ports: [UInt16: UInt32?] = [:]

    mutating func add(_ socket: borrowing SocketRecord) {
        let port = socket.local.port
        let isChosenLate = socket.options?.contains(.bindAddressNoPort) == true
        let isAlone = ports[port] == nil && !isChosenLate
        ports.updateValue(isAlone ? socket.inode ?? 0 : nil, forKey: port)
    }

    /// The inodes of those that have a port for themselves.
    var reserved: [UInt32] { ports.values.compactMap { $0 } }
}

/// Connections that are being opened to one address.
struct Openings: Sendable {
    private(set) var count = 0
    /// Those whose SYN was sent again.
    private(set) var repeated = 0
    /// Where those go.
    private(set) var ports: Set<UInt16> = []
    private(set) var inodes: [UInt32] = []

    mutating func add(_ socket: borrowing SocketRecord) {
        count += 1
        guard socket.retransmits > 0 else { return }
        repeated += 1
        ports.insert(socket.remote.port)
        if let inode = socket.inode { inodes.append(inode) }
    }
}

/// Connections whose peer has not closed.
struct FinWait2: Sendable {
    private(set) var count = 0
    /// Those that a program here holds, for which there is no timer.
    private(set) var held: [UInt32] = []
    private(set) var peers: [Host: Int] = [:]

    mutating func add(_ socket: borrowing SocketRecord) {
        count += 1
        if let inode = socket.inode { held.append(inode) }
        peers[Host(of: socket.remote), default: 0] += 1
    }
}
