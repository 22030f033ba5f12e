/// Positions in an array by a key: open addressing with 4 bytes a slot. The keys stay in the array.
@usableFromInline
package struct HashIndex: Sendable {
    /// Positions plus one; 0 is an empty slot. The count is a power of two.
    @usableFromInline var slots: [UInt32]
    /// The number of positions.
    @usableFromInline package internal(set) var count = 0

    /// An index of nothing, with room for so many.
    @inlinable
    package init(minimumCapacity: Int = 0) {
        var count = 64
        while minimumCapacity * 5 > count * 4 { count *= 2 }
        slots = [UInt32](repeating: 0, count: count)
    }

    /// The hash of a number that the kernel counts up: the golden ratio's multiples spread them evenly, where their low
    /// bits alone would cluster (Knuth, volume 3, 6.4).
    @inlinable
    package static func hash(_ number: UInt64) -> UInt64 { number &* 0x9e37_79b9_7f4a_7c15 }

    /// The position of the first element of a hash that fits. O(1).
    @inlinable
    package func first(_ hash: UInt64, where fits: (Int) -> Bool) -> Int? {
        var slot = home(of: hash)
        while slots[slot] != 0 {
            let position = Int(slots[slot]) - 1
            if fits(position) { return position }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Adds a position. O(1), amortised; `hash` gives the hash of any position that is in the index.
    @inlinable
    package mutating func insert(_ position: Int, hash: (Int) -> UInt64) {
        if (count + 1) * 5 > slots.count * 4 { rebuild(slots: slots.count * 2, hash: hash) }
        link(position, hash(position))
        count += 1
    }

    /// Removes a position that is in the index, and moves back what was displaced by it. O(1).
    @inlinable
    package mutating func remove(_ position: Int, hash: (Int) -> UInt64) {
        let mask = slots.count - 1
        var hole = home(of: hash(position))
        while slots[hole] != UInt32(truncatingIfNeeded: position + 1) { hole = (hole + 1) & mask }
        var next = (hole + 1) & mask
        while slots[next] != 0 {
            let home = home(of: hash(Int(slots[next]) - 1))
            if (next - home) & mask >= (next - hole) & mask {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        slots[hole] = 0
        count -= 1
        // Memory follows what lives: after a storm the index is small again.
        if count * 8 < slots.count, slots.count > 1024 { rebuild(slots: slots.count / 4, hash: hash) }
    }

    @inlinable
    func home(of hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash >> UInt64(64 - slots.count.trailingZeroBitCount))
    }

    @inlinable
    mutating func link(_ position: Int, _ hash: UInt64) {
        var slot = home(of: hash)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = UInt32(truncatingIfNeeded: position + 1)
    }

    @inlinable
    mutating func rebuild(slots count: Int, hash: (Int) -> UInt64) {
        let old = slots
        slots = [UInt32](repeating: 0, count: count)
        for slot in old where slot != 0 { link(Int(slot) - 1, hash(Int(slot) - 1)) }
    }
}
