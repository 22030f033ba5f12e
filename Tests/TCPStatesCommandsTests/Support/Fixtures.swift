import SockDiag
import TCPRecords

@testable import TCPStatesCommands

/// The sockets of the snapshots: one of each kind that is written in its own way.
enum Fixtures {
    static func all() throws -> [InetSocket] {
        try [
            listener, dualStackListener, bound, established, mapped, linkLocal, boundToDevice, closeWait, halfOpen,
            timeWait, unknownState, encrypted, subflow,
        ].map { try $0.socket() }
    }

    static let listener = Fixture(
        state: 10,
        local: ("0.0.0.0", 22),
        remote: ("0.0.0.0", 0),
        cookie: 1,
        queues: (0, 128),
        owner: (0, 512),
        attributes: [
            (.info, tcpInfo([0: UInt8(10), 28: UInt32(128), 80: UInt32(10), 88: UInt32(3)])),
            (.congestion, text("cubic")),
            (.socketMemory, memory(0, 131_072, 0, 16384, 0, 0, 0, 0, 0)), (.shutdown, [0]),
            (.cgroupID, bytes(UInt64(7))),
        ]
    )

    static let dualStackListener = Fixture(
        state: 10,
        local: ("::", 8080),
        remote: ("::", 0),
        cookie: 2,
        queues: (3, 4096),
        owner: (33, 513),
        attributes: [(.shutdown, [0]), (.ipv6Only, [0]), (.cgroupID, bytes(UInt64(8)))]
    )

    static let bound = Fixture(
        state: 7,
        local: ("127.0.0.1", 40_000),
        remote: ("0.0.0.0", 0),
        cookie: 3,
        attributes: [(.shutdown, [0])]
    )

    static let established = Fixture(
        timer: (1, 2, 1234),
        queues: (0, 2896),
        attributes: [
            (.info, measured), (.congestion, text("cubic")),
            (.socketMemory, memory(0, 131_072, 4608, 2_626_560, 1536, 5120, 0, 0, 2)), (.shutdown, [0]),
            (.mark, bytes(UInt32(42))), (.cgroupID, bytes(UInt64(9))),
        ]
    )

    /// Every field that the table shows.
    static let measured = tcpInfo([
        0: UInt8(1), 1: UInt8(4), 2: UInt8(2), 4: UInt8(1), 5: UInt8(1 | 2 | 4 | 8 | 16 | 32), 6: UInt8(0x97),
        7: UInt8(1), 8: UInt32(204_000), 12: UInt32(40_000), 16: UInt32(1448), 20: UInt32(1400), 24: UInt32(5),
        28: UInt32(2), 32: UInt32(1), 36: UInt32(1), 44: UInt32(1000), 52: UInt32(2000), 56: UInt32(3000),
        60: UInt32(1500), 64: UInt32(65_535), 68: UInt32(30_015), 72: UInt32(7500), 76: UInt32(7), 80: UInt32(10),
        84: UInt32(1448), 88: UInt32(4), 92: UInt32(12_345), 96: UInt32(14_480), 100: UInt32(6),
        104: UInt64(12_345_678), 112: UInt64.max, 120: UInt64(9_007_199_254_740_993), 128: UInt64(4321),
        136: UInt32(70), 140: UInt32(60), 144: UInt32(1448), 148: UInt32(29_000), 152: UInt32(20), 156: UInt32(50),
        160: UInt64(125_000), 168: UInt64(500_000), 176: UInt64(125_000), 184: UInt64(5000), 192: UInt32(45),
        196: UInt32(1), 200: UInt64(72_400), 208: UInt64(8688), 216: UInt32(1), 220: UInt32(2), 224: UInt32(3),
        228: UInt32(64_256), 232: UInt32(65_535), 236: UInt32(1), 240: UInt16(2), 242: UInt16(1), 244: UInt32(800),
    ])

    static let mapped = Fixture(
        local: ("::ffff:192.0.2.1", 8080),
        remote: ("::ffff:198.51.100.8", 50_001),
        cookie: 0xffff_ffff_ffff_ffff,
        timer: (2, 0, 7_190_000),
        attributes: [
            (.congestion, text("bbr")), (.info, tcpInfo([0: UInt8(1), 88: UInt32(3)])), (.bbr, bbr), (.shutdown, [0]),
        ]
    )

    static let linkLocal = Fixture(
        local: ("fe80::1", 22),
        remote: ("fe80::2:3", 50_002),
        interface: 2,
        cookie: 5,
        queues: (127_964, 0),
        attributes: [(.shutdown, [0])]
    )

    static let boundToDevice = Fixture(interface: 9, cookie: 6, attributes: [(.shutdown, [0])])

    static let closeWait = Fixture(state: 8, cookie: 7, queues: (1, 0), attributes: [(.shutdown, [1])])

    static let halfOpen = Fixture(state: 3, cookie: 8, timer: (1, 3, 7900), owner: (0, 0))

    static let timeWait = Fixture(state: 6, cookie: 9, timer: (3, 0, 59_000), owner: (0, 0))

    static let unknownState = Fixture(state: 14, cookie: 10, timer: (9, 0, 200))

    static let encrypted = Fixture(
        cookie: 11,
        attributes: [
            (.tos, [0x10]), (.classID, bytes(UInt32(6))), (.socketOptions, bytes(UInt16(0b1_0000_0010))),
            (.upperLayerProtocol, nested([(1, text("tls")), (2, nested(tls))])),
            // struct tcp_diag_md5sig: family, prefix, length of the key, address, key
            (.md5Signatures, [2, 24] + bytes(UInt16(3)) + [192, 0, 2, 0] + zeros(12) + Array("key".utf8) + zeros(77)),
        ]
    )

    static let subflow = Fixture(
        cookie: 12,
        attributes: [
            (.tos, [0]), (.trafficClass, [2]), (.classID, bytes(UInt32(0))), (.socketOptions, bytes(UInt16(0))),
            (.upperLayerProtocol, nested([(1, text("mptcp")), (3, nested(mptcp))])),
        ]
    )

    /// TLS 1.3, AES-GCM-256, sent by software, received as plain text. `TLS_INFO_*` of `<linux/tls.h>`
    private static let tls: [(UInt16, [UInt8])] = [
        (1, bytes(UInt16(0x304))), (2, bytes(UInt16(52))), (3, bytes(UInt16(2))), (4, bytes(UInt16(1))),
    ]

    /// `MPTCP_SUBFLOW_ATTR_*` of `<linux/mptcp.h>`
    private static let mptcp: [(UInt16, [UInt8])] = [
        (1, bytes(UInt32(0xa1))), (2, bytes(UInt32(0xea1f_8f1b))), (3, bytes(UInt32(9))),
        (4, bytes(UInt64(0xdae5_e59b_d143_0c6e))), (5, bytes(UInt32(0x3e9))), (6, bytes(UInt32(0x5bc0_df7e))),
        (7, bytes(UInt16(500))), (8, bytes(UInt32(0b1100_0011))), (9, [1]), (10, [2]),
    ]

    private static func nested(_ attributes: [(UInt16, [UInt8])]) -> [UInt8] {
        attributes.flatMap { bytes(UInt16(4 + $1.count)) + bytes($0) + $1 + zeros((4 - $1.count % 4) % 4) }
    }

    private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

    private static let bbr =
        bytes(UInt32(5_000_000)) + bytes(UInt32(0)) + [29_000, 739, 512].flatMap { bytes(UInt32($0)) }

    private static func text(_ text: String) -> [UInt8] { [UInt8](text.utf8) + [0] }

    private static func memory(_ words: UInt32...) -> [UInt8] { words.flatMap { bytes($0) } }

    /// Names that no machine can change.
    static func names(hosts: HostNames? = nil) -> SocketNames {
        let names = RecordNames(
            interfaces: { interface, _ in interface.rawValue == 2 ? "eth0" : nil },
            cgroups: { [7: "/system.slice/ssh.service", 8: "/a,b \"c\"", 9: "/evil\u{1b}[31m\u{9b}\n"][$0] },
            hosts: hosts
        )
        return SocketNames(names)
    }

    /// One host and one service have names.
    static func hosts() -> HostNames {
        HostNames(
            hosts: { $0 == IPAddress(ipv4: 0xc633_6407) ? "client.example" : nil },
            services: { $0 == 443 ? "https" : nil }
        )
    }
}
