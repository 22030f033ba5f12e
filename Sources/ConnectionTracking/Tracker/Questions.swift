internal import SocketValues

/// Lookups that are under way, and what waits for their answers.
struct Questions {
    /// A socket that the kernel has destroyed: a lookup decides whether a minisocket took its place.
    struct Destruction {
        let message: DestroyedSocket
        let time: EventTime
    }

    /// What was destroyed and is looked up: by the known socket's cookie, or the cookie that came with the message.
    private(set) var destructions: [SocketCookie: Destruction] = [:]
    /// How many lookups are under way.
    private(set) var count = 0
    /// What has ended while lookups were under way: an answer that was asked before does not bring it back.
    private var departed: Set<SocketCookie> = []
    /// How often a lookup has failed in a row, for the pause before the next.
    private(set) var failures = 0

    /// Lookups that have failed and are asked for again, the earliest first.
    private var later: [(due: UInt64, lookup: Lookup)] = []

    var isEmpty: Bool { count == 0 && destructions.isEmpty && departed.isEmpty && later.isEmpty }

    /// When the first is asked for again, monotonic nanoseconds.
    var nextRetry: UInt64 { later.first?.due ?? .max }

    /// Asks again at a moment.
    mutating func repeatLater(_ lookup: Lookup, due: UInt64) {
        let index = later.firstIndex { $0.due > due } ?? later.count
        later.insert((due, lookup), at: index)
    }

    /// Takes those whose time has come.
    mutating func takeRetries(at time: UInt64) -> [Lookup] {
        let count = later.firstIndex { $0.due > time } ?? later.count
        defer { later.removeFirst(count) }
        return later.prefix(count).map(\.lookup)
    }

    mutating func noteAsked() { count += 1 }

    mutating func noteAnswered(failed: Bool) { failures = failed ? failures + 1 : 0 }

    /// An answer has been taken.
    mutating func noteTaken() {
        count = max(0, count - 1)
        if count == 0 { departed = [] }
    }

    mutating func noteDeparture(of cookie: SocketCookie, isDestroyed: Bool) {
        if count > 0 { departed.insert(cookie) }
        if isDestroyed { destructions[cookie] = nil }
    }

    func hasDeparted(_ cookie: SocketCookie) -> Bool { departed.contains(cookie) }

    /// Keeps a message until the answer comes.
    mutating func keep(_ message: DestroyedSocket, about cookie: SocketCookie, at time: EventTime) {
        destructions[cookie] = Destruction(message: message, time: time)
    }

    /// Whether a message about the socket with this cookie, maybe with these endpoints, waits for an answer.
    func isDestroyed(_ name: SocketName) -> Bool {
        destructions[name.cookie]?.message.name.endpoints.isCompatible(with: name.endpoints) ?? false
    }

    mutating func takeDestruction(of cookie: SocketCookie) -> Destruction? { destructions.removeValue(forKey: cookie) }
}
