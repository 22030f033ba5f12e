/// What a connection came to.
public struct FinalCounters: Hashable, Sendable {
    /// Payload sent, retransmissions counted, bytes (`tcpi_bytes_sent`).
    public var bytesSent: UInt64?
    /// Payload received, bytes (`tcpi_bytes_received`, less the one that the kernel counts for the peer's FIN).
    public var bytesReceived: UInt64?
    /// Segments sent (`tcpi_segs_out`).
    public var segmentsOut: UInt64?
    /// Segments received (`tcpi_segs_in`).
    public var segmentsIn: UInt64?
    /// Segments retransmitted (`tcpi_total_retrans`).
    public var retransmits: UInt64?
    /// The smoothed round-trip time, microseconds (`tcpi_rtt`).
    public var rttMicroseconds: UInt64?
    /// From the first transition to the last; nil where the first was not watched.
    public var duration: Duration?

    /// Takes off the sequence number of the peer's FIN.
    package mutating func discountFIN() {
        if let received = bytesReceived, received > 0 { bytesReceived = received - 1 }
    }

    /// Counters; none is known but those that are given.
    public init(
        bytesSent: UInt64? = nil,
        bytesReceived: UInt64? = nil,
        segmentsOut: UInt64? = nil,
        segmentsIn: UInt64? = nil,
        retransmits: UInt64? = nil,
        rttMicroseconds: UInt64? = nil,
        duration: Duration? = nil
    ) {
        (self.bytesSent, self.bytesReceived) = (bytesSent, bytesReceived)
        (self.segmentsOut, self.segmentsIn) = (segmentsOut, segmentsIn)
        (self.retransmits, self.rttMicroseconds, self.duration) = (retransmits, rttMicroseconds, duration)
    }
}
