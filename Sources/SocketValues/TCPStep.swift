/// A step of the TCP state machine, a legal edge: from a state to another, and what takes a connection along it.
///
/// Source: RFC 9293, section 3.3.2, figure 5, and section 3.10; what Linux does beyond it is said of the step.
public struct TCPStep: Hashable, Sendable {
    /// The state that is left.
    public let from: TCPState
    /// The state that is entered.
    public let to: TCPState
    /// What can cause the step, the usual cause first.
    public let triggers: [Trigger]

    /// A step.
    public init(from: TCPState, to: TCPState, triggers: [Trigger]) {
        (self.from, self.to, self.triggers) = (from, to, triggers)
    }

    /// What takes a connection from one state to another: a call of the program, a segment, a timer.
    ///
    /// New ones may come: let an `@unknown default` take them.
    @nonexhaustive
    public enum Trigger: String, Hashable, Sendable, CaseIterable {
        /// The program calls `bind()`.
        case bind
        /// The program calls `listen()`.
        case listen
        /// The program calls `connect()`; a SYN is sent.
        case connect
        /// The program calls `close()` or `shutdown(SHUT_WR)`; a FIN is sent, where there is a connection.
        case close
        /// The program ends the connection by a RST: `close()` with data unread or with `SO_LINGER` of 0, `SOCK_DESTROY`.
        case abort
        /// A SYN is received.
        case receiveSYN
        /// A SYN that acknowledges this side's SYN is received.
        case receiveSYNACK
        /// The acknowledgement of this side's SYN or FIN is received.
        case receiveACK
        /// A FIN is received.
        case receiveFIN
        /// A FIN that acknowledges this side's FIN is received.
        case receiveFINACK
        /// A RST is received.
        case receiveRST
        /// The network says by ICMP that the peer cannot be reached.
        case unreachable
        /// `connect()` found no port: all of `net.ipv4.ip_local_port_range` are taken (`EADDRNOTAVAIL`). Nothing was sent.
        case noPort
        /// The program closes the listener in whose queue the connection waited to be accepted; a RST is sent.
        case listenerClosed
        /// Retransmission has been given up, or the limit for an orphan or for FIN_WAIT_2 has passed.
        case timeout
        /// The time of TIME_WAIT has passed: 60 seconds on Linux, for RFC 9293's twice the maximum segment lifetime.
        case timeWaitTimeout
        /// A new SYN, or a `connect()` with `tcp_tw_reuse`, takes the place of the TIME_WAIT.
        case reuse
    }
}
