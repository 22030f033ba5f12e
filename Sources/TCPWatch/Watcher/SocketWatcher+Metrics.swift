public import SockDiag

extension SocketWatcher {
    /// What a watcher has done since it began, and how it stands.
    public struct Metrics: Hashable, Sendable {
        /// The number of events that were delivered to the reader's buffer.
        public var events: UInt64 = 0
        /// The number of gaps that were reported, by where something was lost.
        public var gaps: [Gap.Source: UInt64] = [:]
        /// The number of messages and events that were lost, as far as somebody counts them, by where.
        public var lost: [Gap.Source: UInt64] = [:]
        /// The number of dumps that were made.
        public var dumps: UInt64 = 0
        /// The number of sockets that were looked up one by one.
        public var lookups: UInt64 = 0
        /// What it has used of a processor: its thread, or the calls that drain it. The kernel's work for its dumps and lookups is
        /// included, that of tracepoints' programs is not.
        public var processorTime = Duration.zero
        /// The number of connections, listeners and bound sockets that are known.
        public var sockets = 0
        /// The number of network namespaces that are watched.
        public var namespaces = 0
        /// The share of the tracepoints' ring that was in use at most, in the last second or two; nil without tracing.
        public var ringFill: Double?
        /// The number of events that wait for the reader.
        public var waiting = 0
        /// How long the one that waits longest has waited.
        public var lag = Duration.zero
        /// The time from one dump of all sockets to the next.
        public var dumpPeriod = Duration.zero
        /// The time from one dump of what no other source reports to the next: with tracing of half-open requests, else of all
        /// sockets but TIME_WAITs.
        public var frequentDumpPeriod = Duration.zero

        /// What a watcher that has not begun has done.
        public init() {}
    }
}
