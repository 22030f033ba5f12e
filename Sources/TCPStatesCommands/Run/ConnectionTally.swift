internal import SockDiag
internal import SocketLeaks
internal import TCPWatch

/// COMMAND's connections, counted by whom they were made to or accepted from: no larger than there are such.
struct ConnectionTally {
    /// What connections are counted by: made to a server, or accepted by a listener from a host.
    struct Kind: Hashable {
        let side: OpeningSide
        /// The server, or the listener.
        let service: SocketEndpoint
        /// Of accepted ones, who connected.
        let host: IPAddress?
        let namespace: NetworkNamespace?
    }

    /// What they came to together.
    struct Sum {
        private(set) var count = 0
        /// The number that is not over.
        private(set) var open = 0
        /// The number that was not measured: the bytes are fewer than there were.
        private(set) var unmeasured = 0
        private(set) var bytesSent: UInt64?
        private(set) var bytesReceived: UInt64?
        private(set) var retransmits: UInt64 = 0
        private(set) var shortest: Duration?
        private(set) var longest: Duration?

        fileprivate mutating func add(_ socket: SocketAccount, at now: EventTime) {
            count += 1
            if socket.life.endedAt == nil { open += 1 }
            if socket.life.counters?.bytesSent == nil { unmeasured += 1 }
            if let sent = socket.life.counters?.bytesSent { bytesSent = (bytesSent ?? 0) &+ sent }
            if let received = socket.life.counters?.bytesReceived { bytesReceived = (bytesReceived ?? 0) &+ received }
            retransmits &+= socket.life.counters?.retransmits ?? 0
            guard let duration = socket.life.duration(at: now) else { return }
            shortest = min(shortest ?? duration, duration)
            longest = max(longest ?? duration, duration)
        }
    }

    private(set) var sums: [Kind: Sum] = [:]

    /// Adds a connection.
    mutating func add(_ socket: SocketAccount, at now: EventTime) {
        sums[Kind(socket), default: Sum()].add(socket, at: now)
    }

    /// The number of connections.
    var count: Int { sums.values.reduce(0) { $0 + $1.count } }

    /// Returns the number of connections that the sides opened.
    func count(_ sides: OpeningSide...) -> Int {
        sums.lazy.filter { sides.contains($0.key.side) }.reduce(0) { $0 + $1.value.count }
    }

    /// The kinds, those with the most connections first.
    var ranked: [(kind: Kind, sum: Sum)] {
        sums.map { (kind: $0.key, sum: $0.value) }.sorted { left, right in
            if left.kind.side != right.kind.side { return left.kind.side.rawValue < right.kind.side.rawValue }
            if left.sum.count != right.sum.count { return left.sum.count > right.sum.count }
            return left.kind.service.description < right.kind.service.description
        }
    }
}

extension ConnectionTally.Kind {
    fileprivate init(_ socket: SocketAccount) {
        side = socket.side
        let isAccepted = socket.side == .passive
        service = isAccepted ? socket.identity.local : socket.identity.remote
        host = isAccepted ? socket.identity.remote.address : nil
        namespace = socket.namespace
    }
}
