internal import SockDiag

/// When to ask for which connections: those whose next step no tracepoint tells of. The earliest comes first.
struct Appointments {
    struct Entry {
        let due: UInt64
        let cookie: SocketCookie
    }

    /// A binary heap: each entry is due before the two at 2i + 1 and 2i + 2.
    private var heap: [Entry] = []

    /// When the first is due, monotonic nanoseconds; nil where there is none.
    var next: UInt64? { heap.first?.due }

    /// O(log n)
    mutating func add(_ cookie: SocketCookie, due: UInt64) {
        heap.append(Entry(due: due, cookie: cookie))
        var child = heap.count - 1
        while child > 0, heap[child].due < heap[(child - 1) / 2].due {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes the first where it is due. O(log n)
    mutating func take(dueAt time: UInt64) -> SocketCookie? {
        guard let first = heap.first, first.due <= time else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first.cookie }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            let left = 2 * parent + 1
            if left < heap.count, heap[left].due < heap[least].due { least = left }
            if left + 1 < heap.count, heap[left + 1].due < heap[least].due { least = left + 1 }
            guard least != parent else { return first.cookie }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
