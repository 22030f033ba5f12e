internal import SockDiag

/// How many sockets are in each state, and how many were at most.
struct StateCensus {
    private(set) var now: [TCPState: Int] = [:]
    private(set) var peaks: [TCPState: Int] = [:]
    /// The most sockets that there were at once.
    private(set) var peak = 0
    private var total = 0

    /// Counts a socket's step; from nil where it is new, to CLOSED where it ends.
    mutating func count(from: TCPState?, to: TCPState) {
        if let from, from != .closed { add(-1, from) }
        if to != .closed { add(1, to) }
    }

    private mutating func add(_ number: Int, _ state: TCPState) {
        now[state, default: 0] += number
        total += number
        peaks[state] = max(peaks[state] ?? 0, now[state] ?? 0)
        peak = max(peak, total)
    }
}
