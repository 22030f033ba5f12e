internal import SocketValues

/// Minisockets that ended before the kernel reported the end of the socket before them, by their endpoints: that message, when it
/// comes, reports no other end.
///
/// The kernel gives a cookie on first need. A socket that nobody asked for while it lived gets one with its destroy
/// message, and its minisocket, made before, another: only the endpoints join them.
struct LateNames {
    /// How long such a message is awaited, nanoseconds: as long as sockets in CLOSED are kept, for a program may hold this one.
    static let timeout = ClosedSockets.timeout
    /// How late a message is read, nanoseconds: what its age says may be off by as much.
    private static let lateness: UInt64 = 5_000_000_000
    private static let limit = 8192

    /// When they ended, the first one first: the same 4-tuple may be used again before a message comes.
    private var ended: [Endpoints: [End]] = [:]
    /// The same in order of time.
    private var order: [(time: UInt64, endpoints: Endpoints)] = []

    private struct End {
        let time: UInt64
        /// That of the minisocket or request.
        let cookie: SocketCookie
    }

    var isEmpty: Bool { order.isEmpty }

    mutating func noteEnd(of cookie: SocketCookie, between endpoints: Endpoints, at time: UInt64) {
        if order.count == Self.limit { forget(until: order[Self.limit / 4].time + Self.timeout) }
        ended[endpoints, default: []].append(End(time: time, cookie: cookie))
        order.append((time, endpoints))
    }

    /// Whether the message about a socket of this 4-tuple, which was active last at a time, reports such an end; once. One
    /// that was active later is another.
    mutating func takeEnd(between endpoints: Endpoints, activeAt time: UInt64) -> Bool {
        guard let ends = ended[endpoints], let end = ends.firstIndex(where: { time <= $0.time + Self.lateness }) else {
            return false
        }
        remove(end, of: endpoints)
        return true
    }

    /// The message has come that was awaited, and is known by its cookie: it stands for no other's.
    mutating func removeEnd(of cookie: SocketCookie, between endpoints: Endpoints) {
        if let index = ended[endpoints]?.firstIndex(where: { $0.cookie == cookie }) { remove(index, of: endpoints) }
    }

    private mutating func remove(_ index: Int, of endpoints: Endpoints) {
        ended[endpoints]?.remove(at: index)
        if ended[endpoints]?.isEmpty == true { ended[endpoints] = nil }
    }

    /// Forgets those that have waited long enough.
    mutating func forget(until time: UInt64) {
        let late = order.prefix { $0.time + Self.timeout <= time }
        for end in late {
            if let index = ended[end.endpoints]?.firstIndex(where: { $0.time == end.time }) {
                remove(index, of: end.endpoints)
            }
        }
        order.removeFirst(late.count)
        if order.isEmpty { (order, ended) = ([], [:]) }
    }
}
