package import SockDiag

/// How many sockets are in each state, and how many were at most.
package struct StateTally: Sendable {
    /// How many there are, of states that there were.
    package private(set) var now: [TCPState: Int] = [:]
    /// The most that there were at once.
    package private(set) var peaks: [TCPState: Int] = [:]
    /// The most sockets that there were at once.
    package private(set) var peak = 0
    private var total = 0

    /// None.
    package init() {}

    /// Counts a socket's step; from nil where it is new, to CLOSED where it ends.
    package mutating func count(from: TCPState?, to: TCPState) {
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
