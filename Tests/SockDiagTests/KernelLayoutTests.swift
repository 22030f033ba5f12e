import LinuxSystem
import Testing

@testable import SockDiag

/// The offsets of the decoder against the running kernel's own description of its structures.
struct KernelLayoutTests {
    @Test func `Every field of tcp_info lies where this kernel has it`() throws {
        let (size, members) = try #require(try KernelTypes().structure("tcp_info"))
        for field in TCPInfo.Field.allCases {
            guard let member = members.first(where: { $0.name == "tcpi_" + field.name }) else {
                #expect(field.offset >= size, "this kernel has no tcpi_\(field.name)")
                continue
            }
            #expect(field.offset * 8 + field.shift == member.bitOffset, "\(member)")
            #expect(field.mask.nonzeroBitCount == member.bitSize, "\(member)")
        }
        let names = Set(TCPInfo.Field.allCases.map { "tcpi_" + $0.name })
        let unknown = members.map(\.name).filter { !names.contains($0) }
        withKnownIssue("a kernel newer than this version may have more fields") {
            #expect(unknown.isEmpty)
        } when: {
            !unknown.isEmpty && KernelRelease.running.major >= 7
        }
    }

    @Test func `Every field of the message lies where this kernel has it`() throws {
        let kernel = try KernelTypes()
        let (size, members) = try #require(kernel.structure("inet_diag_msg"))
        let (idSize, idMembers) = try #require(kernel.structure("inet_diag_sockid"))
        #expect(size == InetDiagMessage.size)
        #expect(idSize == 48)
        let inner = idMembers.map { member in
            var member = member
            member.bitOffset += 8 * InetDiagMessage.identity
            return member
        }
        let offsets: [(String, offset: Int, size: Int)] = [
            ("idiag_family", 0, 1), ("idiag_state", InetDiagMessage.state, 1),
            ("idiag_timer", InetDiagMessage.timer, 1),
            ("idiag_retrans", InetDiagMessage.retransmits, 1), ("id", InetDiagMessage.identity, 48),
            ("idiag_sport", InetDiagMessage.sourcePort, 2), ("idiag_dport", InetDiagMessage.destinationPort, 2),
            ("idiag_src", InetDiagMessage.source, 16), ("idiag_dst", InetDiagMessage.destination, 16),
            ("idiag_if", InetDiagMessage.interface, 4), ("idiag_cookie", InetDiagMessage.cookie, 8),
            ("idiag_expires", InetDiagMessage.expires, 4), ("idiag_rqueue", InetDiagMessage.receiveQueue, 4),
            ("idiag_wqueue", InetDiagMessage.sendQueue, 4), ("idiag_uid", InetDiagMessage.uid, 4),
            ("idiag_inode", InetDiagMessage.inode, 4),
        ]
        let expected = offsets.map { KernelTypes.Member(name: $0.0, bitOffset: 8 * $0.offset, bitSize: 8 * $0.size) }
        #expect((members + inner).sorted { $0.name < $1.name } == expected.sorted { $0.name < $1.name })
    }

    /// The structures of attributes as the fixtures of the decoder's tests have them.
    @Test(arguments: [
        ("inet_diag_meminfo", 16, "idiag_rmem 0.0 +32, idiag_wmem 4.0 +32, idiag_fmem 8.0 +32, idiag_tmem 12.0 +32"),
        ("tcpvegas_info", 16, "tcpv_enabled 0.0 +32, tcpv_rttcnt 4.0 +32, tcpv_rtt 8.0 +32, tcpv_minrtt 12.0 +32"),
        (
            "tcp_dctcp_info", 16,
            "dctcp_enabled 0.0 +16, dctcp_ce_state 2.0 +16, dctcp_alpha 4.0 +32, dctcp_ab_ecn 8.0 +32, dctcp_ab_tot 12.0 +32"
        ),
        (
            "tcp_bbr_info", 20,
            "bbr_bw_lo 0.0 +32, bbr_bw_hi 4.0 +32, bbr_min_rtt 8.0 +32, bbr_pacing_gain 12.0 +32, bbr_cwnd_gain 16.0 +32"
        ),
        (
            "tcp_diag_md5sig", 100,
            "tcpm_family 0.0 +8, tcpm_prefixlen 1.0 +8, tcpm_keylen 2.0 +16, tcpm_addr 4.0 +128, tcpm_key 20.0 +640"
        ),
    ]) func theFixturesAreAsThisKernelLaysThemOut(name: String, size: Int, members: String) throws {
        guard let structure = try KernelTypes().structure(name) else {
            try Test.cancel("this kernel was built without struct \(name)")
        }
        #expect(structure.size == size)
        #expect(structure.members.map(\.description).joined(separator: ", ") == members)
    }

    @Test func `Every socket option is the bit that this kernel sets`() throws {
        guard let structure = try KernelTypes().structure("inet_diag_sockopt") else {
            try Test.cancel("this kernel does not report socket options (kernel 5.10)")
        }
        let options: [(String, SocketOptions)] = [
            ("recverr", .recverr), ("is_icsk", .isConnectionOriented), ("freebind", .freebind), ("hdrincl", .hdrincl),
            ("mc_loop", .multicastLoop), ("transparent", .transparent), ("mc_all", .multicastAll),
            ("nodefrag", .nodefrag), ("bind_address_no_port", .bindAddressNoPort),
            ("recverr_rfc4884", .recverrRFC4884), ("defer_connect", .deferConnect),
        ]
        for (name, option) in options {
            let member = structure.members.first { $0.name == name }
            #expect(member?.bitSize == 1, "\(name)")
            #expect(member.map { 1 << $0.bitOffset } == Int(option.rawValue), "\(name)")
        }
    }
}
