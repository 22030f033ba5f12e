internal import SocketValues

/// How many connections the sockets have had that have ended last, by their cookies: what is left of one may be seen for the
/// first time when its socket is gone, and one that has given way may be connected again. A bounded number of them, of which the
/// oldest is forgotten.
struct RecentNumbers {
    /// A dump of all shows what is left within some ten seconds: enough for 6,000 ends a second.
    static let capacity = 65_536

    private struct Number {
        var next: UInt8
        /// When it was noted last, in ends.
        var position: UInt32
    }

    private var numbers: [SocketCookie: Number] = [:]
    /// The cookies in the order of their ends, a ring.
    private var order: [SocketCookie] = []
    private var end: UInt32 = 0

    /// A connection has ended.
    mutating func note(_ cookie: SocketCookie, _ incarnation: UInt8) {
        let next = incarnation == .max ? .max : incarnation + 1
        numbers[cookie] = Number(next: max(next, numbers[cookie]?.next ?? 0), position: end)
        if order.count < Self.capacity {
            order.append(cookie)
        } else {
            let slot = Int(end) % Self.capacity
            if numbers[order[slot]]?.position == end &- UInt32(Self.capacity) { numbers[order[slot]] = nil }
            order[slot] = cookie
        }
        end &+= 1
    }

    /// The number of the next connection of a socket, as far as those that have ended are known; else 0.
    func next(of cookie: SocketCookie) -> UInt8 { numbers[cookie]?.next ?? 0 }
}
