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
}
