internal import SocketValues

/// Sockets by some key and their state, in bounded memory: of more keys than fit the smallest are counted together, so
/// that the sums stay exact.
struct GroupCounts<Key: Hashable & Sendable>: Sendable {
    /// So many of each state, in the order of ``TCPState/allCases``.
    typealias Counts = InlineArray<12, UInt32>

    private var counts: [Key: Counts] = [:]
    /// Those that did not fit.
    private var rest = Counts(repeating: 0)
    private var dropped: UInt64 = 0
    /// The number of keys that fit.
    private let limit: Int

    init(limit: Int = 1 << 16) { self.limit = max(limit, 2) }

    /// Counts a socket in the state of the place.
    mutating func add(_ key: Key, _ place: Int) {
        if counts.count >= limit, counts[key] == nil { dropSmallest() }
        counts[key, default: Counts(repeating: 0)][place] &+= 1
    }

    /// Counts a socket among those that do not fit.
    mutating func addOther(_ place: Int) { rest[place] &+= 1 }

    /// Half of the keys, so that what this costs is shared by the many that follow.
    private mutating func dropSmallest() {
        let smallest = counts.map { (key: $0.key, total: $0.value.total) }.sorted { $0.total < $1.total }
        for (key, _) in smallest.prefix(counts.count - limit / 2) {
            if let count = counts.removeValue(forKey: key) { rest.add(count) }
            dropped += 1
        }
    }

    /// The largest groups, as many as the cap or one less; with one less there are others, counted together.
    struct Shown {
        var groups: [(key: Key, counts: Counts)]
        var others: Counts?
        /// The number of groups among the others; of those that came again after they did not fit, each time.
        var otherCount: UInt64
    }

    /// What is shown of them; of two groups of the same size `precedes` says which comes first.
    func shown(cap: Int, _ precedes: (Key, Key) -> Bool) -> Shown {
        var ranked = counts.map { (key: $0.key, counts: $0.value, total: $0.value.total) }
        ranked.sort { $0.total != $1.total ? $0.total > $1.total : precedes($0.key, $1.key) }
        guard ranked.count > cap || rest.total > 0 else {
            return Shown(groups: ranked.map { ($0.key, $0.counts) }, otherCount: 0)
        }
        let shown = ranked.prefix(max(cap - 1, 0))
        var others = rest
        for group in ranked.dropFirst(shown.count) { others.add(group.counts) }
        return Shown(
            groups: shown.map { ($0.key, $0.counts) },
            others: others,
            otherCount: dropped + UInt64(ranked.count - shown.count)
        )
    }

    /// Each key with the number of its sockets, in no order.
    var totals: [(key: Key, total: UInt64)] { counts.map { ($0.key, $0.value.total) } }
}

extension InlineArray where Element == UInt32, count == 12 {
    /// The sum of all states.
    fileprivate var total: UInt64 { indices.reduce(0) { $0 + UInt64(self[$1]) } }

    fileprivate mutating func add(_ other: Self) { for index in indices { self[index] &+= other[index] } }
}

extension TCPState {
    /// The place in ``allCases``; nil for a state that this version does not know.
    var place: Int? {
        let state = self == .newSynReceived ? .synReceived : self
        return state.rawValue < 16 ? Self.places[Int(state.rawValue)] : nil
    }

    private static let places: [Int?] = (0..<16).map { number in
        allCases.firstIndex { $0.rawValue == number }
    }
}
