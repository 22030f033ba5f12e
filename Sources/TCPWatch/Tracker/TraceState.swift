internal import SockDiag

/// What a tracker remembers beside its connections where the kernel reports their steps.
struct TraceState {
    /// When to ask for requests, for orphans in FIN_WAIT_2, and for what is missing.
    var checks = Appointments()
    /// When the TIME_WAITs end.
    var ends = Appointments()
    /// When the kernel's own timer ends a request or a minisocket, or asks again, monotonic nanoseconds.
    var timers: [SocketCookie: UInt64] = [:]
    /// The half-open requests.
    var requests: Set<SocketCookie> = []
    /// The connections whose first step is held until their port is known, and the process that took it, or 0.
    var held: [SocketCookie: Int32] = [:]
    /// The minisockets by ``KnownConnection/endpoints``: a new connection between the same ends takes the place of one.
    var minisockets: [UInt64: SocketCookie] = [:]
    /// What has ended while lookups were under way; nil while there are none.
    var departed: Set<SocketCookie>?
    /// When the first dump had ended, monotonic nanoseconds: older records tell what it has shown already.
    var shownUntil: UInt64 = 0
    /// The kernel's reasons for a RST, by its numbers; empty where it does not report them.
    var resetReasons: [UInt32: ResetReason] = [:]
    /// Whether every RST that answered a SYN has been reported.
    var hearsRefusals = false
    /// The RSTs that have been reported just before the step that they belong to.
    var resets: [SocketCookie: Reset] = [:]
    /// Last steps of connections that are not yet told, in order: the report of a RST may follow.
    var lastSteps: [Transition] = []

    /// A RST, received or sent.
    struct Reset {
        /// Why it was sent; nil where it was received.
        let reason: ResetReason?
        /// Monotonic nanoseconds.
        let time: UInt64
    }
}
