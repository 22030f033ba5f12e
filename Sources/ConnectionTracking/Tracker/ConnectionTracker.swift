package import SocketValues

/// Merges what the sources report of the TCP sockets of one network namespace into one life of each connection.
package struct ConnectionTracker: ~Copyable {
    /// Which sources there are, and what they are able to report.
    package struct Configuration: Hashable, Sendable {
        /// Whether the kernel's tracepoints report each step of a full socket.
        package var reportsSteps = false
        /// Whether the kernel's messages about destroyed sockets are received.
        package var reportsDestroyed = false
        /// With the tracepoints, whether every RST that answers a SYN is reported: then any other refusal is ICMP's.
        package var reportsRefusals = false
        /// With the tracepoints, why RSTs are sent, by the kernel's numbers; empty where it reports none.
        package var resetReasons: [UInt32: ResetReason] = [:]
        /// Whether the sockets that exist at the beginning are reported.
        package var reportsExisting = true
        /// From one dump to the next, nanoseconds: how old a report without a known socket may be and still be news.
        package var interval: UInt64 = 250_000_000

        /// Dumps alone.
        package init() {}
    }

    /// A tracker that knows nothing.
    package init(_ configuration: Configuration = Configuration()) {}

    /// Takes what was learned, and appends what is to be done about it.
    package mutating func take(_ input: Input, into outputs: inout [Output]) {}

    /// When the next ``Input/Fact/wake`` is due, monotonic nanoseconds; the end of time for never.
    package var wakeTime: UInt64 { .max }

    /// How many connections, listeners and bound sockets are known.
    package var count: Int { 0 }

    /// Every known socket, in no particular but always the same order.
    package func forEach(_ body: (TrackedSocket) -> Void) {}

    /// Whether nothing at all is remembered.
    package var isEmpty: Bool { true }
}
