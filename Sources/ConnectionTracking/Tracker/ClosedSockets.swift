internal import SocketValues

/// How many sockets are kept in CLOSED: their connections have ended, and a program may hold a descriptor.
///
/// The kernel's message that such a socket is destroyed reports no other end, and a connection that begins on it is its
/// next. No dump shows those that are bound automatically, and the message may be lost; so each is kept for a time, and no more
/// than a number of them: the oldest gives way, and ``RecentNumbers`` knows it for some time more.
struct ClosedSockets {
    static let timeout: UInt64 = 600_000_000_000
    static let limit = 8192

    private(set) var count = 0
    /// In the order in which they came, from ``first`` on; some of them are gone.
    private var order: [(cookie: SocketCookie, since: UInt64)] = []
    private var first = 0

    /// Whether one has to give way.
    var isFull: Bool { count > Self.limit }

    /// Whether most of what is remembered of the order is of those that are gone.
    var isSparse: Bool { order.count > 2 * (count + Self.limit) }

    /// A socket has come to CLOSED at a time.
    mutating func add(_ cookie: SocketCookie, since time: UInt64) {
        count += 1
        order.append((cookie, time))
    }

    /// One of them is gone, or connected again.
    mutating func remove() {
        count -= 1
        if count == 0 { (order, first) = ([], 0) }
    }

    /// The oldest, which may be gone; its turn is over.
    mutating func takeOldest() -> (cookie: SocketCookie, since: UInt64)? {
        guard first < order.count else { return nil }
        first += 1
        return order[first - 1]
    }

    /// Forgets the order of those that are gone. O(n)
    mutating func compact(keeping isKept: (SocketCookie, UInt64) -> Bool) {
        order = order[first...].filter { isKept($0.cookie, $0.since) }
        first = 0
    }
}
