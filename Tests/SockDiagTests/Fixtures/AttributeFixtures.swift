/// Attributes of a socket's message, `struct nlattr` headers included: length and type, 16 bits each, then the value,
/// padded to 4 bytes.
enum Attribute {
    /// `nla_len`: the header and the value, without the padding.
    static func length(of attribute: [UInt8]) -> Int { Int(attribute[0]) + Int(attribute[1]) * 256 }

    /// `struct inet_diag_meminfo`
    static let memory: [UInt8] = [
        20, 0, 1, 0,  // INET_DIAG_MEMINFO
        1, 1, 0, 0,  // idiag_rmem: 257
        2, 2, 0, 0,  // idiag_wmem: 514
        3, 3, 0, 0,  // idiag_fmem: 771
        4, 4, 0, 0,  // idiag_tmem: 1028
    ]

    /// Up to kernel 4.9.
    static let socketMemoryWithoutDrops: [UInt8] = [
        36, 0, 7, 0,  // INET_DIAG_SKMEMINFO
        1, 0, 0, 1,  // SK_MEMINFO_RMEM_ALLOC
        2, 0, 0, 1,  // SK_MEMINFO_RCVBUF
        3, 0, 0, 1,  // SK_MEMINFO_WMEM_ALLOC
        4, 0, 0, 1,  // SK_MEMINFO_SNDBUF
        5, 0, 0, 1,  // SK_MEMINFO_FWD_ALLOC
        6, 0, 0, 1,  // SK_MEMINFO_WMEM_QUEUED
        7, 0, 0, 1,  // SK_MEMINFO_OPTMEM
        8, 0, 0, 1,  // SK_MEMINFO_BACKLOG
    ]

    static let socketMemory: [UInt8] =
        [40, 0] + socketMemoryWithoutDrops.dropFirst(2) + [
            9, 0, 0, 1,  // SK_MEMINFO_DROPS
        ]

    static let info: [UInt8] = [28, 1, 2, 0] + TCPInfoFixture.bytes  // INET_DIAG_INFO of 280 bytes

    static let vegas: [UInt8] = [
        20, 0, 3, 0,  // INET_DIAG_VEGASINFO
        1, 0, 0, 0,  // tcpv_enabled
        2, 2, 0, 0,  // tcpv_rttcnt: 514
        3, 3, 3, 0,  // tcpv_rtt: 197,379
        4, 4, 4, 4,  // tcpv_minrtt: 67,372,036
    ]

    static let congestion: [UInt8] = [
        10, 0, 4, 0,  // INET_DIAG_CONG
        0x63, 0x75, 0x62, 0x69, 0x63, 0,  // "cubic"
        0, 0,  // padding
    ]

    static let tos: [UInt8] = [5, 0, 5, 0, 0x12, 0, 0, 0]  // INET_DIAG_TOS

    static let trafficClass: [UInt8] = [5, 0, 6, 0, 0xb8, 0, 0, 0]  // INET_DIAG_TCLASS

    static let shutdown: [UInt8] = [5, 0, 8, 0, 2, 0, 0, 0]  // INET_DIAG_SHUTDOWN: SEND_SHUTDOWN

    static let dctcp: [UInt8] = [
        20, 0, 9, 0,  // INET_DIAG_DCTCPINFO
        1, 0,  // dctcp_enabled
        2, 1,  // dctcp_ce_state: 258
        3, 3, 0, 0,  // dctcp_alpha: 771
        4, 4, 4, 0,  // dctcp_ab_ecn: 263,172
        5, 5, 5, 5,  // dctcp_ab_tot: 84,215,045
    ]

    static let innerProtocol: [UInt8] = [5, 0, 10, 0, 89, 0, 0, 0]  // INET_DIAG_PROTOCOL: OSPF

    static let ipv6Only: [UInt8] = [5, 0, 11, 0, 1, 0, 0, 0]  // INET_DIAG_SKV6ONLY

    static let mark: [UInt8] = [8, 0, 15, 0, 0x78, 0x56, 0x34, 0x92]  // INET_DIAG_MARK: 0x92345678

    static let bbr: [UInt8] = [
        24, 0, 16, 0,  // INET_DIAG_BBRINFO
        1, 1, 1, 0x81,  // bbr_bw_lo: 0x81010101
        2, 2, 0, 0,  // bbr_bw_hi: 0x202
        3, 3, 3, 3,  // bbr_min_rtt: 50,529,027
        0xe3, 2, 0, 0,  // bbr_pacing_gain: 739
        0xe4, 2, 0, 0,  // bbr_cwnd_gain: 740
    ]

    static let classID: [UInt8] = [8, 0, 17, 0, 6, 0, 1, 0]  // INET_DIAG_CLASS_ID: 1:6

    static let cgroupID: [UInt8] = [
        12, 0, 21, 0,  // INET_DIAG_CGROUP_ID
        0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01,  // 0x0123456789abcdef
    ]

    static let socketOptions: [UInt8] = [
        6, 0, 22, 0,  // INET_DIAG_SOCKOPT: struct inet_diag_sockopt
        0b0001_0110,  // is_icsk, freebind, mc_loop
        0b1000_0101,  // bind_address_no_port, defer_connect, one that nobody knows yet
        0, 0,  // padding
    ]

    static let ulpTLS: [UInt8] = [
        48, 0, 19, 0x80,  // INET_DIAG_ULP_INFO, NLA_F_NESTED
        8, 0, 1, 0, 0x74, 0x6c, 0x73, 0,  // INET_ULP_INFO_NAME: "tls"
        36, 0, 2, 0x80,  // INET_ULP_INFO_TLS, NLA_F_NESTED
        6, 0, 1, 0, 4, 3, 0, 0,  // TLS_INFO_VERSION: 0x304
        6, 0, 2, 0, 52, 0, 0, 0,  // TLS_INFO_CIPHER: AES-GCM-256
        6, 0, 3, 0, 2, 0, 0, 0,  // TLS_INFO_TXCONF: software
        6, 0, 4, 0, 1, 0, 0, 0,  // TLS_INFO_RXCONF: base
    ]

    static let ulpMPTCP: [UInt8] = [
        108, 0, 19, 0,  // INET_DIAG_ULP_INFO, as older kernels nest: without the flag
        10, 0, 1, 0, 0x6d, 0x70, 0x74, 0x63, 0x70, 0, 0, 0,  // INET_ULP_INFO_NAME: "mptcp"
        92, 0, 3, 0,  // INET_ULP_INFO_MPTCP
        8, 0, 1, 0, 1, 0x10, 0, 0,  // MPTCP_SUBFLOW_ATTR_TOKEN_REM
        8, 0, 2, 0, 2, 0x10, 0, 0,  // MPTCP_SUBFLOW_ATTR_TOKEN_LOC
        8, 0, 3, 0, 3, 0x10, 0, 0,  // MPTCP_SUBFLOW_ATTR_RELWRITE_SEQ
        4, 0, 11, 0,  // MPTCP_SUBFLOW_ATTR_PAD
        12, 0, 4, 0, 4, 0x10, 0, 0, 0, 0, 0, 0x80,  // MPTCP_SUBFLOW_ATTR_MAP_SEQ
        8, 0, 5, 0, 5, 0x10, 0, 0,  // MPTCP_SUBFLOW_ATTR_MAP_SFSEQ
        8, 0, 6, 0, 6, 0x10, 0, 0,  // MPTCP_SUBFLOW_ATTR_SSN_OFFSET
        6, 0, 7, 0, 7, 0x10, 0, 0,  // MPTCP_SUBFLOW_ATTR_MAP_DATALEN
        8, 0, 8, 0, 8, 0x10, 0, 0,  // MPTCP_SUBFLOW_ATTR_FLAGS
        5, 0, 9, 0, 9, 0, 0, 0,  // MPTCP_SUBFLOW_ATTR_ID_REM
        5, 0, 10, 0, 10, 0, 0, 0,  // MPTCP_SUBFLOW_ATTR_ID_LOC
    ]

    /// Of a type that no kernel has sent yet.
    static let unknown: [UInt8] = [11, 0, 0xa0, 0x0f, 1, 2, 3, 4, 5, 6, 7, 0]  // 4000

    /// The key of every entry of ``md5Signatures``: "secret", then NULs up to TCP_MD5SIG_MAXKEYLEN.
    private static let key: [UInt8] = Array("secret".utf8) + [UInt8](repeating: 0, count: 74)

    /// Two entries of `struct tcp_diag_md5sig`, 100 bytes each.
    static let md5Signatures: [UInt8] =
        [204, 0, 18, 0]  // INET_DIAG_MD5SIG
        + [2, 24, 6, 0]  // tcpm_family: AF_INET, tcpm_prefixlen, tcpm_keylen
        + [192, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]  // tcpm_addr
        + key
        + [10, 128, 6, 0]  // tcpm_family: AF_INET6, tcpm_prefixlen, tcpm_keylen
        + [0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6]  // tcpm_addr
        + key

    /// One of each kind that a TCP socket can have, and one that none has.
    static let everything: [[UInt8]] = [
        shutdown, tos, trafficClass, ipv6Only, mark, cgroupID, memory, socketMemory, innerProtocol, info, congestion,
        md5Signatures, ulpMPTCP, bbr, dctcp, vegas, classID, socketOptions, unknown,
    ]
}
