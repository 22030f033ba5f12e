/// What a counter of the kernel has grown by since it was read last.
///
/// The kernel's counters are not ours: one may go back, where it is of 32 bits and begins anew, or where what it counted
/// for is replaced. What it shows then is what has been counted since; less than was lost, but never a trap, nor a number
/// near 2⁶⁴.
struct CounterDelta: Hashable, Sendable {
    private var last: UInt64

    /// A counter that stands at `start`.
    init(startingAt start: UInt64 = 0) { last = start }

    /// Takes the counter's value as it is now; what it has grown by.
    mutating func advance(to value: UInt64) -> UInt64 {
        defer { last = value }
        return value >= last ? value - last : value
    }
}
