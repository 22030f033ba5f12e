package import SockDiag

/// Which of the sockets that appeared in a scope count as leaked, if they are still there when it has ended.
///
/// A socket counts while a process can close it: it is open in a descriptor table. What the kernel finishes by itself
/// has no descriptor, and does not count: orphans, TIME_WAIT, requests, and connections that wait to be accepted, which
/// end with their listener.
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
