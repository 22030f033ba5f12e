/// Something was lost, and the state has been read anew from the kernel since; but for ``Source/namespace``.
public struct Gap: Hashable, Sendable {
    /// Where something can be lost. New places may come: let an `@unknown default` take them.
    @nonexhaustive
    public enum Source: String, Hashable, Sendable, CaseIterable {
        /// Between the tracepoints and the watcher.
        case trace
        /// Between two dumps.
        case poll
        /// Between the kernel's messages about destroyed sockets and the watcher.
        case destroy
        /// Between the watcher and its reader, who was too slow.
        case reader
        /// With a network namespace that has ended, or that can be watched no more: nothing more comes of it, and what
        /// was known of its sockets is forgotten. The others are watched on.
        case namespace
    }

    /// Where it was lost.
    public var source: Source
    /// What happened, in a sentence.
    public var reason: String
    /// The number of messages or events; nil where nothing counts them.
    public var lost: UInt64?
    /// Where, of `SocketWatcher.Configuration.namespaces`; nil where none were named, and for what the reader lost.
    public var namespace: NetworkNamespace?
    /// When it was noticed.
    public var time: EventTime?

    /// A gap.
    public init(
        source: Source,
        reason: String,
        lost: UInt64?,
        namespace: NetworkNamespace? = nil,
        time: EventTime? = nil
    ) {
        (self.source, self.reason, self.lost) = (source, reason, lost)
        (self.namespace, self.time) = (namespace, time)
    }
}
