public import SockDiag

/// What a ``SocketWatcher`` tells.
public enum SocketEvent: Sendable {
    /// A socket that existed when watching began; all of them come before anything else.
    case socket(TCPSocket)
    /// The sockets that existed have all been told; what follows happened since.
    case ready
    /// A connection or a listener took a step.
    case transition(Transition)
    /// Something was lost on the way here. The state has been read anew from the kernel since.
    case gap(Gap)
    /// The machine cannot keep the interval: a look at its sockets takes longer. Told once, with the interval that is
    /// kept instead.
    case slowed(Duration)
}

/// Something was lost.
public struct Gap: Hashable, Sendable {
    /// Where something can be lost.
    public enum Source: String, Hashable, Sendable {
        /// Between the tracepoints and the watcher.
        case trace
        /// Between two dumps.
        case poll
        /// Between the kernel's messages about destroyed sockets and the watcher.
        case destroy
        /// Between the watcher and its reader, who was too slow.
        case reader
    }

    /// Where it was lost.
    public var source: Source
    /// What happened, in a sentence.
    public var reason: String
    /// How many messages or events; nil where nothing tells.
    public var lost: UInt64?
}
