import SockDiag

/// `struct tcp_info` of `<linux/tcp.h>`, the 280 bytes of kernel 6.18; an older kernel sends the first of them.
///
/// Every byte of a field is the field's place in the structure, so that one that is read too early, too late, too short
/// or too long gives a number that no field has.
enum TCPInfoFixture {
    static let bytes: [UInt8] = [
        1,  // tcpi_state
        2,  // tcpi_ca_state
        3,  // tcpi_retransmits
        4,  // tcpi_probes
        5,  // tcpi_backoff
        6,  // tcpi_options
        0x7a,  // tcpi_snd_wscale:4, tcpi_rcv_wscale:4
        0b101,  // tcpi_delivery_rate_app_limited:1, tcpi_fastopen_client_fail:2
        9, 9, 9, 9,  // tcpi_rto
        10, 10, 10, 10,  // tcpi_ato
        11, 11, 11, 11,  // tcpi_snd_mss
        12, 12, 12, 12,  // tcpi_rcv_mss
        13, 13, 13, 13,  // tcpi_unacked
        14, 14, 14, 14,  // tcpi_sacked
        15, 15, 15, 15,  // tcpi_lost
        16, 16, 16, 16,  // tcpi_retrans
        17, 17, 17, 17,  // tcpi_fackets
        18, 18, 18, 18,  // tcpi_last_data_sent
        19, 19, 19, 19,  // tcpi_last_ack_sent
        20, 20, 20, 20,  // tcpi_last_data_recv
        21, 21, 21, 21,  // tcpi_last_ack_recv
        22, 22, 22, 22,  // tcpi_pmtu
        23, 23, 23, 23,  // tcpi_rcv_ssthresh
        24, 24, 24, 24,  // tcpi_rtt
        25, 25, 25, 25,  // tcpi_rttvar
        26, 26, 26, 26,  // tcpi_snd_ssthresh
        27, 27, 27, 27,  // tcpi_snd_cwnd
        28, 28, 28, 28,  // tcpi_advmss
        29, 29, 29, 29,  // tcpi_reordering
        30, 30, 30, 30,  // tcpi_rcv_rtt
        31, 31, 31, 31,  // tcpi_rcv_space
        32, 32, 32, 32,  // tcpi_total_retrans
        // Kernel 3.15, from byte 104 on.
        33, 33, 33, 33, 33, 33, 33, 33,  // tcpi_pacing_rate
        34, 34, 34, 34, 34, 34, 34, 34,  // tcpi_max_pacing_rate
        // Kernel 4.1, from byte 120 on.
        35, 35, 35, 35, 35, 35, 35, 35,  // tcpi_bytes_acked
        36, 36, 36, 36, 36, 36, 36, 36,  // tcpi_bytes_received
        // Kernel 4.2, from byte 136 on.
        37, 37, 37, 37,  // tcpi_segs_out
        38, 38, 38, 38,  // tcpi_segs_in
        // Kernel 4.6, from byte 144 on.
        39, 39, 39, 39,  // tcpi_notsent_bytes
        40, 40, 40, 40,  // tcpi_min_rtt
        41, 41, 41, 41,  // tcpi_data_segs_in
        42, 42, 42, 42,  // tcpi_data_segs_out
        // Kernel 4.9, from byte 160 on.
        43, 43, 43, 43, 43, 43, 43, 43,  // tcpi_delivery_rate
        // Kernel 4.10, from byte 168 on.
        44, 44, 44, 44, 44, 44, 44, 44,  // tcpi_busy_time
        45, 45, 45, 45, 45, 45, 45, 45,  // tcpi_rwnd_limited
        46, 46, 46, 46, 46, 46, 46, 46,  // tcpi_sndbuf_limited
        // Kernel 4.18, from byte 192 on.
        47, 47, 47, 47,  // tcpi_delivered
        48, 48, 48, 48,  // tcpi_delivered_ce
        // Kernel 4.19, from byte 200 on.
        49, 49, 49, 49, 49, 49, 49, 49,  // tcpi_bytes_sent
        50, 50, 50, 50, 50, 50, 50, 50,  // tcpi_bytes_retrans
        51, 51, 51, 51,  // tcpi_dsack_dups
        52, 52, 52, 52,  // tcpi_reord_seen
        // Kernel 5.4, from byte 224 on.
        53, 53, 53, 53,  // tcpi_rcv_ooopack
        54, 54, 54, 54,  // tcpi_snd_wnd
        // Kernel 6.2, from byte 232 on.
        55, 55, 55, 55,  // tcpi_rcv_wnd
        56, 56, 56, 56,  // tcpi_rehash
        // Kernel 6.7, from byte 240 on.
        57, 57,  // tcpi_total_rto
        58, 58,  // tcpi_total_rto_recoveries
        59, 59, 59, 59,  // tcpi_total_rto_time
        // Kernel 6.18, from byte 248 on.
        60, 60, 60, 60,  // tcpi_received_ce
        61, 61, 61, 61,  // tcpi_delivered_e1_bytes
        62, 62, 62, 62,  // tcpi_delivered_e0_bytes
        63, 63, 63, 63,  // tcpi_delivered_ce_bytes
        64, 64, 64, 64,  // tcpi_received_e1_bytes
        65, 65, 65, 65,  // tcpi_received_e0_bytes
        66, 66, 66, 66,  // tcpi_received_ce_bytes
        67, 67,  // tcpi_accecn_fail_mode
        68, 68,  // tcpi_accecn_opt_seen
    ]

    /// The last four bytes as kernel 7.0 lays them out: tcpi_ecn_mode:2 = 2, tcpi_accecn_opt_seen:2 = 1,
    /// tcpi_accecn_fail_mode:4 = 9, tcpi_options2:24 = 0xcba987.
    static let accECNOfKernel7: [UInt8] = [0b1001_01_10, 0x87, 0xa9, 0xcb]
}
