package import SocketValues

/// What the kernel measured of a socket, in the width of its own fields: 32 bytes.
package struct SocketCounters: Hashable, Sendable {
    /// Payload sent, bytes, retransmissions counted.
    package var bytesSent: UInt64 = 0
    /// Payload received, bytes.
    package var bytesReceived: UInt64 = 0
    /// Segments sent.
    package var segmentsOut: UInt32 = 0
    /// Segments received.
    package var segmentsIn: UInt32 = 0
    /// Segments retransmitted.
    package var retransmits: UInt32 = 0
    /// The smoothed round-trip time, microseconds.
    package var rtt: UInt32 = 0

    /// Nothing was sent or received.
    package init() {}

    /// Takes off the sequence number of the peer's FIN, which the kernel counts as a byte received.
    package mutating func discountFIN() { if bytesReceived > 0 { bytesReceived -= 1 } }
}

extension FinalCounters {
    /// What the kernel measured.
    package init(_ counters: SocketCounters) {
        self.init()
        bytesSent = counters.bytesSent
        bytesReceived = counters.bytesReceived
        segmentsOut = UInt64(counters.segmentsOut)
        segmentsIn = UInt64(counters.segmentsIn)
        retransmits = UInt64(counters.retransmits)
        rttMicroseconds = UInt64(counters.rtt)
    }
}
