package import SockDiag

/// Which of the sockets that appeared in a scope count as leaked, if they are still there when it has ended.
///
/// A socket counts while a process can close it: it is open in a descriptor table. What the kernel finishes by itself
/// has no descriptor, and does not count: orphans, TIME_WAIT, requests, and connections that wait to be accepted, which
/// end with their listener.
///
/// In a running program no scope ends; there a ``ForgottenRule`` says by its state which socket has no use any more.
package struct LeakRules: Hashable, Sendable {
    /// The states that count.
    package var states: TCPStateSet = .all.subtracting(.timeWait)
    /// Whether a socket counts too that nobody holds any more. A test that asks for TIME_WAIT wants that, because its next
    /// run may need the port; a command's TIME_WAITs are how its connections end, and are in its report as such.
    package var countsUnheld = false
    /// Sockets that never count.
    package var ignored: SocketFilter?
    /// How long after the scope a socket may take to go: ``GracePeriod``. What a test closes goes through the event loop
    /// that other tests keep busy, so that the trait allows more.
    package var settleTime: Duration = .milliseconds(500)

    /// Every state that a program is to blame for.
    package init() {}
}

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
