internal import SockDiag

/// A connection that waits for the program that holds it.
struct Waiting: Sendable {
    let inode: UInt32
    /// The time since the last segment from the peer.
    let silentMilliseconds: UInt64
    let unread: UInt32
    let local: SocketEndpoint

    init(_ socket: borrowing SocketRecord) {
        inode = socket.inode ?? 0
        silentMilliseconds = socket.withAttribute(.info) { BorrowedTCPInfo($0)[.lastAckRecv] } ?? 0
        unread = socket.receiveQueue
        local = socket.local
    }
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
    private(set) var peers: [IPAddress: Int] = [:]

    mutating func add(_ socket: borrowing SocketRecord) {
        count += 1
        if let inode = socket.inode { held.append(inode) }
        peers[socket.remote.address.unmapped, default: 0] += 1
    }
}
