internal import SocketValues

/// Which RST belongs to which transition. The kernel reports both, one near the other: a RST that is received before
/// its transition, one that is sent before or after it.
///
/// A RST that was reported before a transition belongs to the next transition of its socket, however late that one's
/// report comes. A last transition that may have a RST behind it waits for its report: for a moment that follows what
/// the machine has shown.
struct ResetReports {
    /// Reported, and not yet joined with a transition.
    struct Early {
        /// Why it was sent; nil where it was received.
        let reason: ResetReason?
        /// Monotonic nanoseconds.
        let time: UInt64
    }

    private let reasons: [UInt32: ResetReason]
    private var early: [SocketCookie: Early] = [:]
    /// Last transitions of connections that are not yet reported, in order.
    private var waiting: [Transition] = []
    /// The longest time between a transition and its RST that was seen, nanoseconds.
    private var longest: UInt64 = 0
    /// When the first RST is forgotten whose transition has not come, monotonic nanoseconds.
    private var forgetAt: UInt64 = .max

    /// Mostly it is microseconds, more where the processor is taken away.
    private static let shortestWait: UInt64 = 2_000_000
    private static let longestWait: UInt64 = 200_000_000
    /// How long a RST is remembered whose transition does not come: it was lost, or never was.
    private static let timeout: UInt64 = 60_000_000_000
    private static let limit = 4096

    init(reasons: [UInt32: ResetReason]) { self.reasons = reasons }

    var isEmpty: Bool { early.isEmpty && waiting.isEmpty }

    /// Whether the kernel reports the RSTs that it sends.
    var hasReasons: Bool { !reasons.isEmpty }

    func reason(_ number: UInt32) -> ResetReason? { reasons[number] }

    /// A RST was reported, and not yet the transition that it belongs to.
    mutating func note(_ cookie: SocketCookie, _ reason: ResetReason?, at time: UInt64) {
        forget(until: time)
        guard early.count < Self.limit || early[cookie] != nil else { return }
        early[cookie] = Early(reason: reason, time: time)
        forgetAt = min(forgetAt, time + Self.timeout)
    }

    /// Forgets the RSTs whose transitions have not come.
    private mutating func forget(until time: UInt64) {
        guard forgetAt <= time else { return }
        early = early.filter { $0.value.time + Self.timeout > time }
        forgetAt = early.values.map { $0.time + Self.timeout }.min() ?? .max
    }

    /// The RST that was reported before a transition; another transition may lie between, and then it is not its.
    mutating func take(_ cookie: SocketCookie) -> Early? { early.isEmpty ? nil : early.removeValue(forKey: cookie) }

    /// A last transition waits for its RST.
    mutating func await(_ last: Transition) { waiting.append(last) }

    /// The last transition of a cookie that waits for a RST; where that was reported, `time` is when.
    mutating func takeWaiting(_ cookie: SocketCookie, resetAt time: UInt64? = nil) -> Transition? {
        guard let index = waiting.lastIndex(where: { $0.identity.cookie == cookie }) else { return nil }
        let last = waiting.remove(at: index)
        if let time { longest = max(longest, time - min(time, last.time.monotonicNanoseconds)) }
        return last
    }

    /// When something has waited long enough, monotonic nanoseconds; the end of time where nothing waits.
    var nextDeadline: UInt64 { min(waitEnd, early.isEmpty ? .max : forgetAt) }

    private var waitEnd: UInt64 { waiting.first.map { $0.time.monotonicNanoseconds + wait } ?? .max }

    private var wait: UInt64 { min(max(Self.shortestWait, 4 * longest), Self.longestWait) }

    /// Takes all that wait.
    mutating func takeAll() -> [Transition] {
        defer { waiting = [] }
        return waiting
    }

    /// Takes those that have waited long enough.
    mutating func takeDue(at time: UInt64) -> ArraySlice<Transition> {
        forget(until: time)
        guard waitEnd <= time else { return [] }
        let limit = wait
        let due = waiting.prefix { $0.time.monotonicNanoseconds + limit <= time }
        waiting.removeFirst(due.count)
        return due
    }
}
