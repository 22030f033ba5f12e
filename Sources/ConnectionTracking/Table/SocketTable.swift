internal import SocketValues

/// The known objects of the kernel: one entry for each socket, half-open request and minisocket.
///
/// The key of an object is its cookie and its kind; of minisockets the endpoints too, for one socket may leave several. An
/// entry keeps its place until it is removed, and no other entry is moved by that.
///
/// A dump yields the sockets in the order of the kernel's table, which is the same from one dump to the next as long as
/// they live. The entries mostly lie in the order in which they were first seen, so the entry of the next row mostly is
/// the next entry: then it is found without the index, in memory that the processor has read ahead.
struct SocketTable: ~Copyable {
    /// Where an entry lies, from its insertion to its removal.
    typealias Place = Int

    private var entries: [SocketEntry] = []
    private var freePlaces: [UInt32] = []
    private var cookies = HashIndex()
    /// The minisockets by their endpoints.
    private var tuples = HashIndex()
    private var buckets: [Bucket] = []
    private var freeBuckets: [UInt32] = []
    private var cursor = 0

    /// How many objects are known.
    var count: Int { entries.count - freePlaces.count }

    /// Change an entry in place; what finds it (cookie, kind, a minisocket's endpoints) by the functions below.
    subscript(place: Place) -> SocketEntry {
        get { entries[place] }
        _modify { yield &entries[place] }
    }

    // MARK: Finding

    /// The socket or request of a cookie. O(1).
    mutating func socket(_ cookie: SocketCookie) -> Place? {
        if cursor < entries.count, isSocket(cursor, cookie) {
            cursor += 1
            return cursor - 1
        }
        let entries = entries
        guard let place = cookies.first(Self.hash(cookie), where: { Self.isSocket(entries[$0], cookie) }) else {
            return nil
        }
        cursor = place + 1
        return place
    }

    /// The minisocket of a cookie and both tuples. O(1).
    mutating func minisocket(_ cookie: SocketCookie, _ endpoints: Endpoints) -> Place? {
        if cursor < entries.count, Self.isMinisocket(entries[cursor], cookie, endpoints) {
            cursor += 1
            return cursor - 1
        }
        let entries = entries
        let found = cookies.first(Self.hash(cookie)) { Self.isMinisocket(entries[$0], cookie, endpoints) }
        if let found { cursor = found + 1 }
        return found
    }

    /// The minisocket of a 4-tuple, whatever its cookie; there is one at most. O(1).
    func minisocket(between endpoints: Endpoints) -> Place? {
        guard tuples.count > 0 else { return nil }
        let entries = entries
        return tuples.first(Self.hash(endpoints)) { entries[$0].endpoints.isSameTuple(as: endpoints) }
    }

    /// Everything of a cookie: mostly one, a socket and its minisockets at most. O(1)
    func places(of cookie: SocketCookie) -> [Place] {
        var found: [Place] = []
        let entries = entries
        _ = cookies.first(Self.hash(cookie)) { place in
            if entries[place].cookie == cookie { found.append(place) }
            return false
        }
        return found
    }

    /// Every place, the free ones too: see ``isUsed(_:)``.
    var places: Range<Place> { entries.indices }

    func isUsed(_ place: Place) -> Bool { !entries[place].flags.contains(.isFree) }

    private func isSocket(_ place: Place, _ cookie: SocketCookie) -> Bool { Self.isSocket(entries[place], cookie) }

    private static func isSocket(_ entry: SocketEntry, _ cookie: SocketCookie) -> Bool {
        entry.cookie == cookie && entry.kind != .minisocket && !entry.flags.contains(.isFree)
    }

    private static func isMinisocket(_ entry: SocketEntry, _ cookie: SocketCookie, _ endpoints: Endpoints) -> Bool {
        entry.cookie == cookie && entry.kind == .minisocket && entry.endpoints == endpoints
            && !entry.flags.contains(.isFree)
    }

    // MARK: Changing

    /// Adds an object whose key is not in the table. O(1), amortised.
    @discardableResult
    mutating func insert(_ new: SocketEntry) -> Place {
        var entry = new
        if entry.kind != .socket { entry.openedAtOrBucket = takeBucket(openedAt: entry.openedAtOrBucket) }
        let place: Place
        if let free = freePlaces.popLast() {
            place = Int(free)
            entries[place] = entry
        } else {
            place = entries.count
            entries.append(entry)
        }
        link(place)
        return place
    }

    /// Removes an object. O(1).
    mutating func remove(_ place: Place) {
        unlink(place)
        if entries[place].kind != .socket { giveBack(entries[place].openedAtOrBucket) }
        entries[place].flags = .isFree
        freePlaces.append(UInt32(truncatingIfNeeded: place))
    }

    /// The connection goes on in an object of another kind. O(1).
    mutating func change(_ place: Place, to kind: SocketEntry.Kind) {
        let old = entries[place].kind
        guard old != kind else { return }
        let openedAt = openedAt(place)
        if old == .minisocket { tuples.remove(place, hash: endHash) }
        if old != .socket, kind == .socket {
            giveBack(entries[place].openedAtOrBucket)
            entries[place].openedAtOrBucket = openedAt
        } else if old == .socket {
            entries[place].openedAtOrBucket = takeBucket(openedAt: openedAt)
        }
        entries[place].kind = kind
        entries[place].flags.remove(.hasCounters)
        if kind == .minisocket { tuples.insert(place, hash: endHash) }
    }

    /// A minisocket's tuples are known now. O(1).
    mutating func rename(_ place: Place, _ endpoints: Endpoints) {
        tuples.remove(place, hash: endHash)
        entries[place].endpoints = endpoints
        tuples.insert(place, hash: endHash)
    }

    /// When the connection of an object was first known, monotonic nanoseconds; 0 where it was there before.
    func openedAt(_ place: Place) -> UInt64 {
        let entry = entries[place]
        return entry.kind == .socket ? entry.openedAtOrBucket : buckets[Int(entry.openedAtOrBucket)].openedAt
    }

    /// What belongs to a request or a minisocket; nothing is kept for a socket.
    func bucket(_ place: Place) -> Bucket {
        let entry = entries[place]
        return entry.kind == .socket ? Bucket() : buckets[Int(entry.openedAtOrBucket)]
    }

    /// Changes what belongs to a request or a minisocket.
    mutating func changeBucket(_ place: Place, _ body: (inout Bucket) -> Void) {
        let entry = entries[place]
        if entry.kind != .socket { body(&buckets[Int(entry.openedAtOrBucket)]) }
    }

    /// Gives memory back after a storm: moves the entries together where most places are free. Between two inputs only,
    /// when nobody holds a place.
    mutating func compact() {
        guard freePlaces.count > 4096, count * 4 < entries.count else { return }
        var rest = SocketTable()
        for place in entries.indices where isUsed(place) {
            let entry = entries[place]
            let bucket = bucket(place)
            let copy = rest.insert(entry)
            rest.changeBucket(copy) { $0 = bucket }
        }
        self = rest
    }

    /// What the kernel measured of the socket before a minisocket; nil where it has not reported it.
    func counters(_ place: Place) -> SocketCounters? {
        entries[place].flags.contains(.hasCounters) ? bucket(place).counters : nil
    }

    /// Keeps what the kernel measured for a minisocket.
    mutating func keep(_ counters: SocketCounters, at place: Place) {
        changeBucket(place) { $0.counters = counters }
        entries[place].flags.insert(.hasCounters)
    }

    private mutating func takeBucket(openedAt: UInt64) -> UInt64 {
        let bucket = Bucket(openedAt: openedAt)
        guard let free = freeBuckets.popLast() else {
            buckets.append(bucket)
            return UInt64(buckets.count - 1)
        }
        buckets[Int(free)] = bucket
        return UInt64(free)
    }

    private mutating func giveBack(_ bucket: UInt64) { freeBuckets.append(UInt32(truncatingIfNeeded: bucket)) }

    // MARK: Hashing

    private mutating func link(_ place: Place) {
        let entries = entries
        cookies.insert(place) { Self.hash(entries[$0].cookie) }
        if entries[place].kind == .minisocket { tuples.insert(place) { Self.hash(entries[$0].endpoints) } }
    }

    private mutating func unlink(_ place: Place) {
        let entries = entries
        cookies.remove(place) { Self.hash(entries[$0].cookie) }
        if entries[place].kind == .minisocket { tuples.remove(place) { Self.hash(entries[$0].endpoints) } }
    }

    private var endHash: (Int) -> UInt64 {
        let entries = entries
        return { Self.hash(entries[$0].endpoints) }
    }

    private static func hash(_ cookie: SocketCookie) -> UInt64 { HashIndex.hash(cookie.rawValue) }
    private static func hash(_ endpoints: Endpoints) -> UInt64 { HashIndex.hash(endpoints.digest) }
}
