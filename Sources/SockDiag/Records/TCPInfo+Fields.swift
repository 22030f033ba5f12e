internal import LinuxSystem

extension TCPInfo.Field {
    /// The state, by the kernel's number; see ``TCPState`` (`tcpi_state`).
    public static let state = Self("state", at: 0, size: 1)
    /// Where congestion control stands: 0 open, 1 disorder, 2 CWR, 3 recovery, 4 loss (`tcpi_ca_state`).
    public static let caState = Self("ca_state", at: 1, size: 1)
    /// Retransmission timeouts in a row (`tcpi_retransmits`).
    public static let retransmits = Self("retransmits", at: 2, size: 1)
    /// Unanswered window or keepalive probes (`tcpi_probes`).
    public static let probes = Self("probes", at: 3, size: 1)
    /// Doublings of the retransmission timeout (`tcpi_backoff`).
    public static let backoff = Self("backoff", at: 4, size: 1)
    /// The negotiated options; see ``TCPInfo/Options`` (`tcpi_options`).
    public static let options = Self("options", at: 5, size: 1)
    /// The peer's window scale (RFC 7323; `tcpi_snd_wscale`).
    public static let sndWscale = Self("snd_wscale", at: 6, size: 1, bits: 0..<4)
    /// This side's window scale (RFC 7323; `tcpi_rcv_wscale`).
    public static let rcvWscale = Self("rcv_wscale", at: 6, size: 1, bits: 4..<8)
    /// 1 where ``deliveryRate`` was limited by the program, not by the path (kernel 4.9;
    /// `tcpi_delivery_rate_app_limited`).
    public static let deliveryRateAppLimited = Self("delivery_rate_app_limited", at: 7, size: 1, bits: 0..<1)
    /// Why Fast Open was not used: 0 unknown, 1 no cookie, 2 not acknowledged, 3 timed out (kernel 5.5;
    /// `tcpi_fastopen_client_fail`).
    public static let fastopenClientFail = Self("fastopen_client_fail", at: 7, size: 1, bits: 1..<3)
    /// The retransmission timeout, microseconds (`tcpi_rto`).
    public static let rto = Self("rto", at: 8, size: 4, .microseconds)
    /// The delayed acknowledgement's timeout, microseconds (`tcpi_ato`).
    public static let ato = Self("ato", at: 12, size: 4, .microseconds)
    /// The size of sent segments, bytes (`tcpi_snd_mss`).
    public static let sndMss = Self("snd_mss", at: 16, size: 4, .bytes)
    /// The estimated size of received segments, bytes (`tcpi_rcv_mss`).
    public static let rcvMss = Self("rcv_mss", at: 20, size: 4, .bytes)
    /// Sent and not acknowledged, segments; of a listener, connections that wait to be accepted (`tcpi_unacked`).
    public static let unacked = Self("unacked", at: 24, size: 4, .segments)
    /// Acknowledged out of order, segments; of a listener, the limit of its accept queue (`tcpi_sacked`).
    public static let sacked = Self("sacked", at: 28, size: 4, .segments)
    /// Taken to be lost, segments (`tcpi_lost`).
    public static let lost = Self("lost", at: 32, size: 4, .segments)
    /// Retransmitted and not yet acknowledged, segments (`tcpi_retrans`).
    public static let retrans = Self("retrans", at: 36, size: 4, .segments)
    /// Between the first unacknowledged and the highest acknowledged, segments; 0 since kernel 4.15 (`tcpi_fackets`).
    public static let fackets = Self("fackets", at: 40, size: 4, .segments)
    /// Since data was last sent, milliseconds (`tcpi_last_data_sent`).
    public static let lastDataSent = Self("last_data_sent", at: 44, size: 4, .milliseconds)
    /// Never filled by the kernel, milliseconds (`tcpi_last_ack_sent`).
    public static let lastAckSent = Self("last_ack_sent", at: 48, size: 4, .milliseconds)
    /// Since data was last received, milliseconds (`tcpi_last_data_recv`).
    public static let lastDataRecv = Self("last_data_recv", at: 52, size: 4, .milliseconds)
    /// Since an acknowledgement was last received, milliseconds (`tcpi_last_ack_recv`).
    public static let lastAckRecv = Self("last_ack_recv", at: 56, size: 4, .milliseconds)
    /// The path's MTU, bytes (`tcpi_pmtu`).
    public static let pmtu = Self("pmtu", at: 60, size: 4, .bytes)
    /// The limit that the advertised window grows to, bytes (`tcpi_rcv_ssthresh`).
    public static let rcvSsthresh = Self("rcv_ssthresh", at: 64, size: 4, .bytes)
    /// The smoothed round-trip time, microseconds (`tcpi_rtt`).
    public static let rtt = Self("rtt", at: 68, size: 4, .microseconds)
    /// The round-trip time's deviation, microseconds (`tcpi_rttvar`).
    public static let rttvar = Self("rttvar", at: 72, size: 4, .microseconds)
    /// Where slow start ends, segments; 0x7fffffff while it was never reached (`tcpi_snd_ssthresh`).
    public static let sndSsthresh = Self("snd_ssthresh", at: 76, size: 4, .segments)
    /// The congestion window, segments (`tcpi_snd_cwnd`).
    public static let sndCwnd = Self("snd_cwnd", at: 80, size: 4, .segments)
    /// The segment size that this side advertised, bytes (`tcpi_advmss`).
    public static let advmss = Self("advmss", at: 84, size: 4, .bytes)
    /// How much reordering is allowed for, segments (`tcpi_reordering`).
    public static let reordering = Self("reordering", at: 88, size: 4, .segments)
    /// The round-trip time as the receiver estimates it, microseconds (`tcpi_rcv_rtt`).
    public static let rcvRtt = Self("rcv_rtt", at: 92, size: 4, .microseconds)
    /// What the program reads in one round trip, bytes (`tcpi_rcv_space`).
    public static let rcvSpace = Self("rcv_space", at: 96, size: 4, .bytes)
    /// Retransmitted in the connection's life, segments (`tcpi_total_retrans`).
    public static let totalRetrans = Self("total_retrans", at: 100, size: 4, .segments)
    /// The pacing rate, bytes a second; all bits set where there is no limit (kernel 3.15; `tcpi_pacing_rate`).
    public static let pacingRate = Self("pacing_rate", at: 104, size: 8, .bytesPerSecond)
    /// The pacing rate's limit (`SO_MAX_PACING_RATE`), bytes a second; all bits set where there is none (kernel
    /// 3.15; `tcpi_max_pacing_rate`).
    public static let maxPacingRate = Self("max_pacing_rate", at: 112, size: 8, .bytesPerSecond)
    /// Sent and acknowledged, bytes (RFC 4898 tcpEStatsAppHCThruOctetsAcked; kernel 4.1; `tcpi_bytes_acked`).
    public static let bytesAcked = Self("bytes_acked", at: 120, size: 8, .bytes)
    /// Received in order, bytes (RFC 4898 tcpEStatsAppHCThruOctetsReceived; kernel 4.1; `tcpi_bytes_received`).
    public static let bytesReceived = Self("bytes_received", at: 128, size: 8, .bytes)
    /// Sent, with and without data, segments (kernel 4.2; `tcpi_segs_out`).
    public static let segsOut = Self("segs_out", at: 136, size: 4, .segments)
    /// Received, with and without data, segments (kernel 4.2; `tcpi_segs_in`).
    public static let segsIn = Self("segs_in", at: 140, size: 4, .segments)
    /// Written by the program and not yet sent, bytes (kernel 4.6; `tcpi_notsent_bytes`).
    public static let notsentBytes = Self("notsent_bytes", at: 144, size: 4, .bytes)
    /// The lowest round-trip time seen lately, microseconds (kernel 4.6; `tcpi_min_rtt`).
    public static let minRtt = Self("min_rtt", at: 148, size: 4, .microseconds)
    /// Received with data, segments (kernel 4.6; `tcpi_data_segs_in`).
    public static let dataSegsIn = Self("data_segs_in", at: 152, size: 4, .segments)
    /// Sent with data, segments (kernel 4.6; `tcpi_data_segs_out`).
    public static let dataSegsOut = Self("data_segs_out", at: 156, size: 4, .segments)
    /// The rate of delivery last measured, bytes a second (kernel 4.9; `tcpi_delivery_rate`).
    public static let deliveryRate = Self("delivery_rate", at: 160, size: 8, .bytesPerSecond)
    /// Time with data to send, microseconds (kernel 4.10; `tcpi_busy_time`).
    public static let busyTime = Self("busy_time", at: 168, size: 8, .microseconds)
    /// Of that, time held back by the peer's window, microseconds (kernel 4.10; `tcpi_rwnd_limited`).
    public static let rwndLimited = Self("rwnd_limited", at: 176, size: 8, .microseconds)
    /// Of that, time held back by the send buffer, microseconds (kernel 4.10; `tcpi_sndbuf_limited`).
    public static let sndbufLimited = Self("sndbuf_limited", at: 184, size: 8, .microseconds)
    /// Delivered with data, retransmissions counted, segments (kernel 4.18; `tcpi_delivered`).
    public static let delivered = Self("delivered", at: 192, size: 4, .segments)
    /// Of those, acknowledged with an ECN mark, segments (kernel 4.18; `tcpi_delivered_ce`).
    public static let deliveredCe = Self("delivered_ce", at: 196, size: 4, .segments)
    /// Sent, retransmissions counted, bytes (kernel 4.19; `tcpi_bytes_sent`).
    public static let bytesSent = Self("bytes_sent", at: 200, size: 8, .bytes)
    /// Retransmitted, bytes (kernel 4.19; `tcpi_bytes_retrans`).
    public static let bytesRetrans = Self("bytes_retrans", at: 208, size: 8, .bytes)
    /// Duplicates that the peer reported, segments (RFC 4898 tcpEStatsStackDSACKDups; kernel 4.19; `tcpi_dsack_dups`).
    public static let dsackDups = Self("dsack_dups", at: 216, size: 4, .segments)
    /// Times that reordering was seen (kernel 4.19; `tcpi_reord_seen`).
    public static let reordSeen = Self("reord_seen", at: 220, size: 4)
    /// Received out of order, segments (kernel 5.4; `tcpi_rcv_ooopack`).
    public static let rcvOoopack = Self("rcv_ooopack", at: 224, size: 4, .segments)
    /// The window that the peer advertised last, bytes (kernel 5.4; `tcpi_snd_wnd`).
    public static let sndWnd = Self("snd_wnd", at: 228, size: 4, .bytes)
    /// The window that this side advertised last, bytes (kernel 6.2; `tcpi_rcv_wnd`).
    public static let rcvWnd = Self("rcv_wnd", at: 232, size: 4, .bytes)
    /// Changes of the path by timeouts (kernel 6.2; `tcpi_rehash`).
    public static let rehash = Self("rehash", at: 236, size: 4)
    /// Retransmission timeouts in the connection's life (kernel 6.7; `tcpi_total_rto`).
    public static let totalRto = Self("total_rto", at: 240, size: 2)
    /// Recoveries from them (kernel 6.7; `tcpi_total_rto_recoveries`).
    public static let totalRtoRecoveries = Self("total_rto_recoveries", at: 242, size: 2)
    /// Time spent in them, milliseconds (kernel 6.7; `tcpi_total_rto_time`).
    public static let totalRtoTime = Self("total_rto_time", at: 244, size: 4, .milliseconds)
    /// Received with an ECN mark, segments (kernel 6.18; `tcpi_received_ce`).
    public static let receivedCe = Self("received_ce", at: 248, size: 4, .segments)
    /// Delivered as ECT(1), by Accurate ECN, bytes (kernel 6.18; `tcpi_delivered_e1_bytes`).
    public static let deliveredE1Bytes = Self("delivered_e1_bytes", at: 252, size: 4, .bytes)
    /// Delivered as ECT(0), by Accurate ECN, bytes (kernel 6.18; `tcpi_delivered_e0_bytes`).
    public static let deliveredE0Bytes = Self("delivered_e0_bytes", at: 256, size: 4, .bytes)
    /// Delivered as CE, by Accurate ECN, bytes (kernel 6.18; `tcpi_delivered_ce_bytes`).
    public static let deliveredCeBytes = Self("delivered_ce_bytes", at: 260, size: 4, .bytes)
    /// Received as ECT(1), bytes (kernel 6.18; `tcpi_received_e1_bytes`).
    public static let receivedE1Bytes = Self("received_e1_bytes", at: 264, size: 4, .bytes)
    /// Received as ECT(0), bytes (kernel 6.18; `tcpi_received_e0_bytes`).
    public static let receivedE0Bytes = Self("received_e0_bytes", at: 268, size: 4, .bytes)
    /// Received as CE, bytes (kernel 6.18; `tcpi_received_ce_bytes`).
    public static let receivedCeBytes = Self("received_ce_bytes", at: 272, size: 4, .bytes)
    /// Where Accurate ECN was found not to work, as bits (kernel 6.18; `tcpi_accecn_fail_mode`).
    public static let accecnFailMode = AccECNFields.running.failMode
    /// Whether the Accurate ECN option was seen: 0 not yet, 1 empty, 2 counters, 3 failed (kernel 6.18;
    /// `tcpi_accecn_opt_seen`).
    public static let accecnOptSeen = AccECNFields.running.optSeen
    /// The kind of ECN: 0 none, 1 RFC 3168, 2 Accurate ECN, 3 still negotiated (kernel 7.0; `tcpi_ecn_mode`).
    public static let ecnMode = AccECNFields.running.ecnMode
    /// More options, as bits (kernel 7.0; `tcpi_options2`).
    public static let options2 = AccECNFields.running.options2
}

/// The last four bytes, which kernel 7.0 laid out anew without making the structure longer: only the kernel's version
/// says how to read them.
struct AccECNFields {
    let failMode, optSeen, ecnMode, options2: TCPInfo.Field

    init(kernelMajor: Int) {
        guard kernelMajor >= 7 else {
            failMode = TCPInfo.Field("accecn_fail_mode", at: 276, size: 2)
            optSeen = TCPInfo.Field("accecn_opt_seen", at: 278, size: 2)
            ecnMode = .absent("ecn_mode")
            options2 = .absent("options2")
            return
        }
        ecnMode = TCPInfo.Field("ecn_mode", at: 276, size: 4, bits: 0..<2)
        optSeen = TCPInfo.Field("accecn_opt_seen", at: 276, size: 4, bits: 2..<4)
        failMode = TCPInfo.Field("accecn_fail_mode", at: 276, size: 4, bits: 4..<8)
        options2 = TCPInfo.Field("options2", at: 276, size: 4, bits: 8..<32)
    }

    /// As the running kernel lays them out.
    static let running = AccECNFields(kernelMajor: KernelRelease.running.major)
}

extension TCPInfo.Field: CaseIterable {
    /// Every field that this version knows, in the kernel's order.
    public static let allCases: [TCPInfo.Field] = [
        .state, .caState, .retransmits, .probes, .backoff, .options, .sndWscale, .rcvWscale, .deliveryRateAppLimited,
        .fastopenClientFail, .rto, .ato, .sndMss, .rcvMss, .unacked, .sacked, .lost, .retrans, .fackets,
        .lastDataSent, .lastAckSent, .lastDataRecv, .lastAckRecv, .pmtu, .rcvSsthresh, .rtt, .rttvar, .sndSsthresh,
        .sndCwnd, .advmss, .reordering, .rcvRtt, .rcvSpace, .totalRetrans, .pacingRate, .maxPacingRate, .bytesAcked,
        .bytesReceived, .segsOut, .segsIn, .notsentBytes, .minRtt, .dataSegsIn, .dataSegsOut, .deliveryRate,
        .busyTime, .rwndLimited, .sndbufLimited, .delivered, .deliveredCe, .bytesSent, .bytesRetrans, .dsackDups,
        .reordSeen, .rcvOoopack, .sndWnd, .rcvWnd, .rehash, .totalRto, .totalRtoRecoveries, .totalRtoTime,
        .receivedCe, .deliveredE1Bytes, .deliveredE0Bytes, .deliveredCeBytes, .receivedE1Bytes, .receivedE0Bytes,
        .receivedCeBytes, .accecnFailMode, .accecnOptSeen, .ecnMode, .options2,
    ]
}
