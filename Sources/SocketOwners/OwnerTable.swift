internal import SockDiag

/// Owners by a number that is never 0: an inode or a cookie. A key may be there without any owner.
///
/// A flat open-addressing table with linear probing, and one array of owners chained by index: 16 bytes a slot, 32 an
/// owner, no allocation for a single one. A million sockets of one owner each take 64 MiB.
struct OwnerTable: Sendable {
    private struct Slot {
        /// 0 where the slot is free.
        var key: UInt64 = 0
        /// The owner found last, or `end`.
        var newest = end
    }

    private struct Link {
        var owner: SocketOwner
        /// The owner found before it, or the next free link, or `end`.
        var older: Int
    }

    private static let end = -1

    private var slots: [Slot]
    private var links: [Link] = []
    private var freeLink = end

    /// The number of keys.
    private(set) var count = 0

    /// A table for so many keys.
    init(minimumCapacity: Int = 0) {
        slots = [Slot](repeating: Slot(), count: Self.slotCount(for: minimumCapacity))
    }

    /// At least a quarter of the slots stays free.
    private static func slotCount(for count: Int) -> Int {
        var slots = 16
        while count > slots / 4 * 3 { slots *= 2 }
        return slots
    }

    /// Whether the key is there.
    func contains(_ key: UInt64) -> Bool { key != 0 && slots[index(of: key)].key == key }

    /// Whether the key is there and has an owner.
    func hasOwner(_ key: UInt64) -> Bool { key != 0 && slots[index(of: key)].newest != Self.end }

    /// The owners, by process and descriptor.
    func owners(of key: UInt64) -> [SocketOwner] {
        guard key != 0 else { return [] }
        var owners: [SocketOwner] = []
        var link = slots[index(of: key)].newest
        while link != Self.end {
            owners.append(links[link].owner)
            link = links[link].older
        }
        if owners.count > 1 { owners.sort { ($0.pid, $0.descriptor) < ($1.pid, $1.descriptor) } }
        return owners
    }

    /// Adds a key without owners where it is missing.
    mutating func insert(_ key: UInt64) {
        guard key != 0 else { return }
        let place = index(of: key)
        guard slots[place].key == 0 else { return }
        slots[place].key = key
        count += 1
        if count > slots.count / 4 * 3 { grow() }
    }

    /// Adds an owner to a key that is there.
    mutating func append(_ owner: SocketOwner, to key: UInt64) {
        guard key != 0 else { return }
        let place = index(of: key)
        guard slots[place].key == key else { return }
        let link = Link(owner: owner, older: slots[place].newest)
        if freeLink == Self.end {
            links.append(link)
            slots[place].newest = links.count - 1
        } else {
            slots[place].newest = freeLink
            freeLink = links[freeLink].older
            links[slots[place].newest] = link
        }
    }

    /// Removes a key and its owners.
    mutating func remove(_ key: UInt64) {
        guard contains(key) else { return }
        var hole = index(of: key)
        var link = slots[hole].newest
        while link != Self.end {
            (freeLink, links[link].older, link) = (link, freeLink, links[link].older)
        }
        // Whoever was pushed behind by what was here moves up, or it would not be found any more.
        let mask = slots.count - 1
        var next = (hole + 1) & mask
        while slots[next].key != 0 {
            let home = home(of: slots[next].key)
            if (next - home) & mask >= (next - hole) & mask {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        slots[hole] = Slot()
        count -= 1
    }

    /// Where the key is, or the free slot where it would be.
    private func index(of key: UInt64) -> Int {
        let mask = slots.count - 1
        var place = home(of: key)
        while slots[place].key != key, slots[place].key != 0 { place = (place + 1) & mask }
        return place
    }

    /// Keys are counted up by the kernel: the golden ratio's multiples spread them evenly (Knuth, volume 3, 6.4).
    private func home(of key: UInt64) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) >> UInt64(64 - slots.count.trailingZeroBitCount))
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(), count: old.count * 2)
        for slot in old where slot.key != 0 { slots[index(of: slot.key)] = slot }
    }
}
