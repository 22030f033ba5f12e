/// Something that happens to the sockets of a play's slot: a call of a program, a segment that arrives, a timer.
///
/// What is impossible in the state in which it comes does nothing, so that any list of operations is a play.
package enum Operation: String, Sendable, CaseIterable {
    // Calls.
    /// `socket()`
    case open
    /// A socket of the kernel itself (NFS, NVMe/TCP): it has no inode, and its end sends no message.
    case openInKernel
    /// `bind()` to a port of one's own.
    case bind
    /// `listen()`; without `bind` the kernel chooses the port after it has reported the transition.
    case listen
    /// `connect()`, blocking: where it is refused the socket is disconnected.
    case connect
    /// `connect()` without waiting: where it is refused the socket keeps its endpoints.
    case connectWithoutWaiting
    /// `connect()` where all ports are taken.
    case connectWithoutPort
    /// `accept()`
    case accept
    /// `close()`
    case close
    /// `close()` with received data unread.
    case closeUnread
    /// `close()` with `SO_LINGER` of 0.
    case closeAborting
    /// `close()` with `TCP_LINGER2` below 0.
    case closeWithoutWaiting
    /// `shutdown()` of the sending side; of a listener, of the receiving side.
    case shutdown
    /// `connect()` to `AF_UNSPEC`.
    case disconnect
    /// `SOCK_DESTROY`, by another process.
    case destroy
    // Segments.
    /// A SYN to the play's listener.
    case syn
    /// A SYN that is answered by a SYN cookie: nothing is kept of it.
    case synForCookie
    /// A SYN with a Fast Open cookie and data.
    case synWithData
    /// A SYN from the peer of a socket that connects: a simultaneous open.
    case synCrossing
    /// The answer to this side's SYN.
    case synAck
    /// The acknowledgement of this side's SYN+ACK or FIN.
    case ack
    /// A FIN.
    case fin
    /// A FIN that acknowledges this side's FIN.
    case finAck
    /// A RST with the right sequence number.
    case rst
    /// Data.
    case data
    /// A segment that belongs to no connection comes to the play's listener, and is answered by a RST.
    case stray
    /// ICMP says that the port is unreachable.
    case icmpPort
    /// ICMP says that the host is unreachable.
    case icmpHost
    // Timers and limits.
    /// The SYN is sent again.
    case synAgain
    /// Retransmission is given up.
    case timeout
    /// No keepalive probe is answered.
    case keepalive
    /// There are too many orphans.
    case orphanLimit
    /// From now on the namespace has as many TIME_WAITs as `tcp_max_tw_buckets` allows: the slot gets none.
    case timeWaitLimit
}
