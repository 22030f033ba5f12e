/// What a congestion control algorithm measures of itself. New ones may come: let an `@unknown default` take them.
@nonexhaustive
public enum CongestionInfo: Hashable, Sendable {
    /// BBR (`INET_DIAG_BBRINFO`).
    case bbr(BBRInfo)
    /// DCTCP (`INET_DIAG_DCTCPINFO`).
    case dctcp(DCTCPInfo)
    /// Vegas, and what answers in its form: Veno, YeAH, Illinois (`INET_DIAG_VEGASINFO`).
    case vegas(VegasInfo)
}

/// `struct tcp_bbr_info` of `<linux/inet_diag.h>`.
public struct BBRInfo: Hashable, Sendable {
    /// The highest bandwidth seen lately, bytes a second (`bbr_bw_hi`, `bbr_bw_lo`).
    public var bandwidth: UInt64
    /// The lowest round-trip time seen lately, microseconds (`bbr_min_rtt`).
    public var minRTT: UInt32
    /// The pacing rate's gain, in 256ths (`bbr_pacing_gain`).
    public var pacingGain: UInt32
    /// The congestion window's gain, in 256ths (`bbr_cwnd_gain`).
    public var cwndGain: UInt32

    /// What BBR measures.
    public init(bandwidth: UInt64, minRTT: UInt32, pacingGain: UInt32, cwndGain: UInt32) {
        (self.bandwidth, self.minRTT, self.pacingGain, self.cwndGain) = (bandwidth, minRTT, pacingGain, cwndGain)
    }

    /// Decodes the attribute; nil where it is cut short.
    @usableFromInline
    init?(_ value: RawSpan) {
        var fields = FieldCursor(value)
        let (low, high) = (fields.next(as: UInt32.self), fields.next(as: UInt32.self))
        bandwidth = UInt64(high) << 32 | UInt64(low)
        (minRTT, pacingGain, cwndGain) = (fields.next(), fields.next(), fields.next())
        if fields.isCutShort { return nil }
    }
}

/// `struct tcp_dctcp_info` of `<linux/inet_diag.h>`.
public struct DCTCPInfo: Hashable, Sendable {
    /// Whether the peer echoes congestion; DCTCP behaves like Reno otherwise (`dctcp_enabled`).
    public var isEnabled: Bool
    /// Whether the last segment was marked (`dctcp_ce_state`).
    public var ceState: UInt16
    /// The estimate of the marked share, in 1024ths (`dctcp_alpha`).
    public var alpha: UInt32
    /// Bytes acknowledged with a mark (`dctcp_ab_ecn`).
    public var markedBytes: UInt32
    /// Bytes acknowledged (`dctcp_ab_tot`).
    public var totalBytes: UInt32

    /// What DCTCP measures.
    public init(isEnabled: Bool, ceState: UInt16, alpha: UInt32, markedBytes: UInt32, totalBytes: UInt32) {
        (self.isEnabled, self.ceState, self.alpha) = (isEnabled, ceState, alpha)
        (self.markedBytes, self.totalBytes) = (markedBytes, totalBytes)
    }

    /// Decodes the attribute; nil where it is cut short.
    @usableFromInline
    init?(_ value: RawSpan) {
        var fields = FieldCursor(value)
        isEnabled = fields.next(as: UInt16.self) != 0
        ceState = fields.next()
        (alpha, markedBytes, totalBytes) = (fields.next(), fields.next(), fields.next())
        if fields.isCutShort { return nil }
    }
}

/// `struct tcpvegas_info` of `<linux/inet_diag.h>`.
public struct VegasInfo: Hashable, Sendable {
    /// Whether the algorithm steers now (`tcpv_enabled`).
    public var isEnabled: Bool
    /// Round trips measured in this window (`tcpv_rttcnt`).
    public var rttCount: UInt32
    /// The round-trip time, microseconds (`tcpv_rtt`).
    public var rtt: UInt32
    /// The lowest round-trip time, microseconds (`tcpv_minrtt`).
    public var minRTT: UInt32

    /// What Vegas measures.
    public init(isEnabled: Bool, rttCount: UInt32, rtt: UInt32, minRTT: UInt32) {
        (self.isEnabled, self.rttCount, self.rtt, self.minRTT) = (isEnabled, rttCount, rtt, minRTT)
    }

    /// Decodes the attribute; nil where it is cut short.
    @usableFromInline
    init?(_ value: RawSpan) {
        var fields = FieldCursor(value)
        isEnabled = fields.next(as: UInt32.self) != 0
        (rttCount, rtt, minRTT) = (fields.next(), fields.next(), fields.next())
        if fields.isCutShort { return nil }
    }
}
