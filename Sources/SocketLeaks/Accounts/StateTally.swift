internal import SockDiag

/// The number of sockets in each state, now and at most.
package struct StateTally: Sendable {
    /// The number of sockets, by the states that there were.
    package private(set) var now: [TCPState: Int] = [:]
    /// The most that there were at once.
    package private(set) var peaks: [TCPState: Int] = [:]
    /// The most sockets that there were at once.
    package private(set) var peak = 0
    private var total = 0

    /// A tally of no sockets.
    package init() {}

    /// Counts a socket's transition; from nil where it is new, to CLOSED where it ends.
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
