internal import SockDiag
internal import SocketValues

/// Owners by a number that is never 0: an inode or a cookie. A key may be there without any owner.
///
/// The keys are one array, found by a ``HashIndex``, and the owners another, chained by index: 16 bytes a key and 5 to 10
/// to find it, 32 an owner, no allocation for a single one. A million sockets of one owner each take 56 MiB.
struct OwnerTable: Equatable, Sendable {
    private struct Entry {
        /// 0 where the entry is free.
        var key: UInt64
        /// The owner found last, or the next free entry, or `end`.
        var newest = end
    }

    private struct Link {
        var owner: SocketOwner
        /// The owner found before it, or the next free link, or `end`.
        var older: Int
    }

    private static let end = -1

    private var index: HashIndex
    private var entries: [Entry] = []
    private var freeEntry = end
    private var links: [Link] = []
    private var freeLink = end

    /// A table for so many keys.
    init(minimumCapacity: Int = 0) {
        index = HashIndex(minimumCapacity: minimumCapacity)
        entries.reserveCapacity(minimumCapacity)
    }

    /// The number of keys.
    var count: Int { index.count }

    /// The keys that have an owner, in no order.
    var heldKeys: some Sequence<UInt64> { entries.lazy.filter { $0.key != 0 && $0.newest != Self.end }.map(\.key) }

    /// Whether the key is there.
    func contains(_ key: UInt64) -> Bool { place(of: key) != nil }

    /// Whether the key is there and has an owner.
    func hasOwner(_ key: UInt64) -> Bool { place(of: key).map { entries[$0].newest != Self.end } ?? false }

    /// The owners, by process and descriptor.
    func owners(of key: UInt64) -> [SocketOwner] {
        guard let place = place(of: key) else { return [] }
        var owners: [SocketOwner] = []
        var link = entries[place].newest
        while link != Self.end {
            owners.append(links[link].owner)
            link = links[link].older
        }
        if owners.count > 1 { owners.sort { ($0.pid, $0.descriptor ?? -1) < ($1.pid, $1.descriptor ?? -1) } }
        return owners
    }

    /// Adds a key without owners where it is missing.
    mutating func insert(_ key: UInt64) {
        guard key != 0, !contains(key) else { return }
        let place: Int
        if freeEntry == Self.end {
            place = entries.count
            entries.append(Entry(key: key))
        } else {
            place = freeEntry
            freeEntry = entries[place].newest
            entries[place] = Entry(key: key)
        }
        let entries = entries
        index.insert(place) { HashIndex.hash(entries[$0].key) }
    }

    /// Adds an owner to a key that is there.
    mutating func append(_ owner: SocketOwner, to key: UInt64) {
        guard let place = place(of: key) else { return }
        let link = Link(owner: owner, older: entries[place].newest)
        if freeLink == Self.end {
            links.append(link)
            entries[place].newest = links.count - 1
        } else {
            entries[place].newest = freeLink
            freeLink = links[freeLink].older
            links[entries[place].newest] = link
        }
    }

    /// Removes a key and its owners.
    mutating func remove(_ key: UInt64) {
        guard let place = place(of: key) else { return }
        var link = entries[place].newest
        while link != Self.end {
            (freeLink, links[link].older, link) = (link, freeLink, links[link].older)
        }
        unlink(place)
        entries[place] = Entry(key: 0, newest: freeEntry)
        freeEntry = place
    }

    private mutating func unlink(_ place: Int) {
        let entries = entries
        index.remove(place) { HashIndex.hash(entries[$0].key) }
    }

    /// Whether both have the same keys, and the same owners of each.
    static func == (left: OwnerTable, right: OwnerTable) -> Bool {
        left.count == right.count
            && left.entries.allSatisfy {
                $0.key == 0 || right.contains($0.key) && left.owners(of: $0.key) == right.owners(of: $0.key)
            }
    }

    private func place(of key: UInt64) -> Int? { index.first(HashIndex.hash(key)) { entries[$0].key == key } }
}
