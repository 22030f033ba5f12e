internal import SocketValues

/// When to do something about which cookie, the earliest first.
///
/// A timer that is not needed any more stays until it is due, and then finds nothing to do. Where such ones prevail,
/// ``compact(keeping:)`` removes them.
struct TimerQueue {
    private struct Timer {
        let due: UInt64
        let cookie: SocketCookie
    }

    /// A binary heap: each timer is due before the two at 2i + 1 and 2i + 2.
    private var heap: [Timer] = []

    /// When the first is due, monotonic nanoseconds; the end of time where there is none.
    var next: UInt64 { heap.first?.due ?? .max }

    var count: Int { heap.count }

    /// O(log n)
    mutating func add(_ cookie: SocketCookie, due: UInt64) {
        heap.append(Timer(due: due, cookie: cookie))
        rise(heap.count - 1)
    }

    /// Takes the first where it is due. O(log n)
    mutating func take(dueAt time: UInt64) -> SocketCookie? {
        guard let first = heap.first, first.due <= time else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink(0)
        } else {
            heap = []
        }
        return first.cookie
    }

    /// Removes the timers that nobody needs. O(n)
    mutating func compact(keeping isNeeded: (SocketCookie) -> Bool) {
        heap = heap.filter { isNeeded($0.cookie) }
        for position in (0..<(heap.count / 2)).reversed() { sink(position) }
    }

    private mutating func rise(_ position: Int) {
        var child = position
        while child > 0, heap[child].due < heap[(child - 1) / 2].due {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func sink(_ position: Int) {
        var parent = position
        while true {
            var least = parent
            let left = 2 * parent + 1
            if left < heap.count, heap[left].due < heap[least].due { least = left }
            if left + 1 < heap.count, heap[left + 1].due < heap[least].due { least = left + 1 }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
