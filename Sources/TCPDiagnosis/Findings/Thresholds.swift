/// The limits from which on something counts as wrong.
public struct Thresholds: Hashable, Sendable {
    /// Half-open requests, percent of what the listener's queue takes.
    public var halfOpen = 80
    /// Half-open requests of one listener that have been unanswered for the whole window.
    public var halfOpenCount = 256
    /// SYN cookies a second that never come back.
    public var cookies = 50
    /// Connections that wait to be accepted, percent of the accept queue.
    public var acceptQueue = 80
    /// SYNs and ACKs a second that a listener drops.
    public var drops = 1
    /// Connections of one process in CLOSE_WAIT …
    public var closeWait = 10
    /// … that have received nothing from their peers for so long.
    public var closeWaitAge = Duration.seconds(60)
    /// Ports to one destination, or of one source address where programs bind before they connect, percent of what the
    /// kernel can choose from.
    public var ports = 80
    /// Connections in FIN_WAIT_2.
    public var finWait2 = 1000
    /// Orphans, percent of `tcp_max_orphans`.
    public var orphans = 50
    /// Connections in SYN_SENT to one destination whose SYN was sent again.
    public var unanswered = 3
    /// Retransmitted segments, percent of all that are sent …
    public var retransmissions = 5
    /// … and so many a second.
    public var retransmissionRate = 50
    /// Connections with one destination or client's address, or of one process, whose window is closed.
    public var zeroWindow = 3
    /// Connections with one destination or client's address, or with a tenth of a listener's clients, whose data is sent
    /// again and again …
    public var unacknowledged = 3
    /// … and not acknowledged for so long.
    public var unacknowledgedAge = Duration.seconds(5)
    /// Connections of one process without keepalive …
    public var idle = 10
    /// … on which nothing has come or gone for so long; nil where silence is nothing wrong.
    public var idleAge: Duration?
    /// Memory, percent of the middle number of `tcp_mem`.
    public var memory = 90
    /// Followed connections, percent of `nf_conntrack_max`.
    public var conntrack = 80

    /// Thresholds that suit most machines.
    public init() {}
}
