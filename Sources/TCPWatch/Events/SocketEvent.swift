public import SockDiag

/// What a ``SocketWatcher`` reports.
///
/// New events may come: let an `@unknown default` take them. Each can be made by hand, so that whatever handles them is
/// tested without a kernel:
///
/// ```swift
/// let transition = Transition(
///     identity, from: .established, to: .closeWait, certainty: .exact, source: .trace, time: .now()
/// )
/// rule.handle(.transition(transition))
/// ```
@nonexhaustive
public indirect enum SocketEvent: Hashable, Sendable {
    /// A socket that existed when watching began; all of them come before anything else.
    case socket(WatchedSocket)
    /// The sockets that existed have all been reported; what follows happened since.
    case ready
    /// A connection or a listener changed its state.
    case transition(Transition)
    /// A segment was sent again; with ``SocketWatcher/Configuration/reportsRetransmissions`` alone.
    case retransmission(Retransmission)
    /// Something was lost on the way here. The state has been read anew from the kernel since.
    case gap(Gap)
    /// The machine cannot keep the interval: a dump of its sockets takes longer. Reported once, with the interval that
    /// is kept instead, and when that was noticed.
    case slowed(Duration, at: EventTime)
}
