internal import SocketValues

/// How many connections the sockets have had that have ended last, by their cookies: what is left of one may be seen for the
/// first time when its socket is gone. A bounded number of them; two in one slot push each other out.
struct RecentNumbers {
    private static let capacity = 1024

    private var all: [(cookie: SocketCookie, next: UInt8)] = []

    /// A connection has ended.
    mutating func note(_ cookie: SocketCookie, _ incarnation: UInt8) {
        if all.isEmpty { all = Array(repeating: (.any, 0), count: Self.capacity) }
        let slot = Self.slot(cookie)
        let next = incarnation == .max ? .max : incarnation + 1
        all[slot] = (cookie, all[slot].cookie == cookie ? max(all[slot].next, next) : next)
    }

    /// The number of the next connection of a socket, as far as those that have ended tell; else 0.
    func next(of cookie: SocketCookie) -> UInt8 {
        guard !all.isEmpty, all[Self.slot(cookie)].cookie == cookie else { return 0 }
        return all[Self.slot(cookie)].next
    }

    private static func slot(_ cookie: SocketCookie) -> Int {
        Int(truncatingIfNeeded: HashIndex.hash(cookie.rawValue) >> 54)
    }
}
