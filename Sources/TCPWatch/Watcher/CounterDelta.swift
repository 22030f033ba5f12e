/// How far a counter of the kernel has gone since it was read last. One that goes back has begun anew.
struct CounterDelta: Sendable {
    private var last: UInt64 = 0

    /// A counter that stands at 0.
    init() {}

    /// Takes what the counter is now; how much was added.
    mutating func advance(to total: UInt64) -> UInt64 {
        defer { last = total }
        return total >= last ? total - last : total
    }
}
