internal import SocketValues

/// The last connections that were opened here, and when: where their peer is in the same namespace, its request is not older.
struct RecentSYNs {
    private static let capacity = 32

    private var all: [(digest: UInt64, time: UInt64)] = []
    private var next = 0

    /// A SYN was sent.
    mutating func note(_ endpoints: Endpoints, at time: UInt64) {
        guard endpoints.localPort != 0 else { return }
        if all.count < Self.capacity {
            all.append((endpoints.digest, time))
        } else {
            all[next] = (endpoints.digest, time)
        }
        next = (next + 1) % Self.capacity
    }

    /// When the last one was sent between these endpoints, monotonic nanoseconds; 0 where that is not known.
    func time(from endpoints: Endpoints) -> UInt64 {
        let digest = endpoints.digest
        return all.reduce(0) { $1.digest == digest ? max($0, $1.time) : $0 }
    }
}
