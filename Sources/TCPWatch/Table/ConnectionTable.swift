internal import SockDiag

/// The known connections by cookie: a dense array of entries, and an open-addressing index of 4 bytes a slot over it.
///
/// A dump yields the sockets in the order of the kernel's table, which is the same from one dump to the next as long as
/// they live. The entries lie in the order in which they were first seen, so the entry of the next row mostly is the
/// next entry: then it is found without the index, in memory that the processor has read ahead.
struct ConnectionTable: ~Copyable {
    /// Change an entry in place; add and remove by the functions below.
    var entries: [KnownConnection] = []
    /// Positions in `entries` plus one; 0 is an empty slot. The count is a power of two.
    private var slots: [UInt32] = [UInt32](repeating: 0, count: 64)
    private var cursor = 0

    var count: Int { entries.count }

    /// The position of the entry of a cookie. O(1).
    mutating func position(of cookie: SocketCookie) -> Int? {
        if cursor < entries.count, entries[cursor].cookie == cookie {
            cursor += 1
            return cursor - 1
        }
        var slot = home(of: cookie)
        while slots[slot] != 0 {
            let position = Int(slots[slot]) - 1
            if entries[position].cookie == cookie {
                cursor = position + 1
                return position
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Adds an entry whose cookie is not in the table. O(1), amortised.
    mutating func append(_ entry: KnownConnection) {
        if (entries.count + 1) * 5 > slots.count * 4 { rebuild(slots: slots.count * 2) }
        entries.append(entry)
        link(entries.count - 1)
    }

    /// Removes an entry; the last one takes its position. O(1).
    mutating func remove(at position: Int) {
        unlink(position)
        let last = entries.count - 1
        if position != last {
            unlink(last)
            entries[position] = entries[last]
        }
        entries.removeLast()
        if position != last { link(position) }
        // Memory follows what lives: after a storm the table is small again.
        if entries.count * 8 < slots.count, slots.count > 1024 {
            rebuild(slots: slots.count / 4)
            entries = Array(entries)
        }
    }

    private func home(of cookie: SocketCookie) -> Int {
        // Fibonacci hashing: cookies come in sequence, and their low bits alone would cluster by CPU.
        let hash = cookie.rawValue &* 0x9e37_79b9_7f4a_7c15
        return Int(truncatingIfNeeded: hash >> UInt64(64 - slots.count.trailingZeroBitCount))
    }

    private mutating func link(_ position: Int) {
        var slot = home(of: entries[position].cookie)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = UInt32(truncatingIfNeeded: position + 1)
    }

    /// Empties the slot of an entry, and moves back what was displaced by it.
    private mutating func unlink(_ position: Int) {
        let mask = slots.count - 1
        var hole = home(of: entries[position].cookie)
        while slots[hole] != UInt32(truncatingIfNeeded: position + 1) { hole = (hole + 1) & mask }
        var next = (hole + 1) & mask
        while slots[next] != 0 {
            let home = home(of: entries[Int(slots[next]) - 1].cookie)
            if (next - home) & mask >= (next - hole) & mask {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        slots[hole] = 0
    }

    private mutating func rebuild(slots count: Int) {
        slots = [UInt32](repeating: 0, count: count)
        for position in entries.indices { link(position) }
    }
}
