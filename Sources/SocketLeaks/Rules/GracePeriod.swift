/// The time that sockets get to go, once the scope that they appeared in has ended.
///
/// Whoever waits asks again after each of the ``pauses`` and is done as soon as nothing that counts is left. A process
/// that is stopped before its end gets none: it has no time left in which it could close anything.
package struct GracePeriod: Sendable {
    /// When it is over.
    package let end: ContinuousClock.Instant

    /// The time that the rules give, from the end of the scope.
    package init(_ rules: LeakRules, from start: ContinuousClock.Instant = .now) { end = start + rules.settleTime }

    /// Whether it is over.
    package var isOver: Bool { .now >= end }

    /// How long to wait before it is asked again, without an end: 1 ms, and then twice as long up to 32 ms.
    package static var pauses: some Sequence<Duration> {
        sequence(first: .milliseconds(1)) { min($0 * 2, .milliseconds(32)) }
    }
}
