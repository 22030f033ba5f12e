package import SockDiag

/// Which of the sockets that appeared in a window count as leaked, if they are still there when it has ended.
///
/// A socket counts while a process can close it: it is open in a descriptor table. What the kernel finishes by itself
/// has no descriptor, and never counts: orphans, TIME_WAIT, requests, and connections that wait to be accepted, which end
/// with their listener.
package struct LeakRules: Sendable {
    /// The states that count.
    package var states: TCPStateSet = .all.subtracting(.timeWait)
    /// Sockets that never count.
    package var ignored: SocketFilter?
    /// How long after the window a socket may take to go.
    package var settleTime: Duration = .milliseconds(500)

    /// Every state that a program is to blame for.
    package init() {}
}
