import Testing

@testable import SockDiag

/// The requests byte by byte, as `<linux/inet_diag.h>` lays them out.
struct DumpRequestTests {
    private static let zeros = [UInt8](repeating: 0, count: 44)

    private func bytes(_ groups: [UInt8]...) -> [UInt8] { Array(groups.joined()) }

    @Test func `A dump of both families is the older request`() {
        var query = SocketQuery(states: [.listen, .timeWait], extensions: [.info, .memory])
        query.localPort = 443
        query.remotePort = 0x1234
        let request = DumpRequest(query, form: .bothFamilies, sequence: 0xa1b2_c3d4)
        let expected = bytes(
            [76, 0, 0, 0],  // nlmsg_len
            [18, 0, 0x01, 0x03],  // TCPDIAG_GETSOCK, NLM_F_REQUEST | NLM_F_DUMP
            [0xd4, 0xc3, 0xb2, 0xa1, 0, 0, 0, 0],  // nlmsg_seq, nlmsg_pid
            [2, 0, 0, 0x42],  // struct inet_diag_req: AF_INET, idiag_src_len, idiag_dst_len, idiag_ext
            [0x01, 0xbb, 0x12, 0x34],  // id.idiag_sport, id.idiag_dport
            Self.zeros,  // id: addresses, interface, cookie
            [0x40, 0x04, 0, 0],  // idiag_states: bits 10 and 6
            [0, 0, 0, 0]  // idiag_dbs
        )
        #expect(request.bytes == expected)
        #expect(request.type == 18)
        #expect(request.operation == "dump the TCP sockets")
    }

    @Test func `A dump of one family is the newer request`() {
        let query = SocketQuery(states: .bound, extensions: .all, localPort: 80)
        let request = DumpRequest(query, form: .family(.ipv6), sequence: 1)
        let expected = bytes(
            [72, 0, 0, 0, 20, 0, 0x01, 0x03, 1, 0, 0, 0, 0, 0, 0, 0],  // SOCK_DIAG_BY_FAMILY
            [10, 6, 0xff, 0],  // struct inet_diag_req_v2: AF_INET6, IPPROTO_TCP, idiag_ext, pad
            [0, 0x20, 0, 0],  // idiag_states: bit 13
            [0, 80, 0, 0],  // id.idiag_sport, id.idiag_dport
            Self.zeros  // id: addresses, interface, cookie
        )
        #expect(request.bytes == expected)
        #expect(request.type == 20)
        #expect(request.operation == "dump the ipv6 TCP sockets")
    }

    @Test func `A protocol that does not fit its byte goes into an attribute`() {
        let query = SocketQuery(protocol: .mptcp, states: .established)
        let request = DumpRequest(query, form: .family(.ipv4), sequence: 1)
        #expect(Array(request.bytes[..<4]) == [80, 0, 0, 0])
        #expect(Array(request.bytes[16..<24]) == [2, 0, 0, 0, 2, 0, 0, 0])
        #expect(Array(request.bytes[72...]) == [8, 0, 3, 0, 6, 1, 0, 0])  // INET_DIAG_REQ_PROTOCOL: IPPROTO_MPTCP
        #expect(request.operation == "dump the ipv4 MPTCP sockets")
    }

    @Test func `A lookup names the socket by the bytes that its message had`() throws {
        for message in [Message.synSentIPv6, Message.closeWaitMapped, Message.listenLinkLocal, Message.timeWait] {
            let identity = try InetSocket(message: message).identity
            let request = DumpRequest(identity, extensions: .info, sequence: 1)
            let expected = bytes(
                [72, 0, 0, 0, 20, 0, 0x01, 0, 1, 0, 0, 0, 0, 0, 0, 0],  // without NLM_F_DUMP
                [message[0], 6, 2, 0],  // struct inet_diag_req_v2
                [0xfe, 0x3f, 0, 0],  // idiag_states
                Array(message[4..<52])  // struct inet_diag_sockid, interface and cookie with it
            )
            #expect(request.bytes == expected)
            #expect(request.operation == "look up the socket \(identity.cookie)")
        }
    }

    @Test func `Every sequence number is sent and they start anew after the last`() {
        let request = DumpRequest(SocketQuery(), form: .bothFamilies, sequence: .max)
        #expect(request.bytes[8..<12].allSatisfy { $0 == 0xff })
    }

    @Test func `A query without arguments asks for every socket and nothing more of each`() {
        let query = SocketQuery()
        #expect(query.family == nil && query.protocol == .tcp && query.states == .all && query.extensions.isEmpty)
        let request = DumpRequest(query, form: .bothFamilies, sequence: 1)
        #expect(Array(request.bytes[68..<72]) == [0xfe, 0x3f, 0, 0], "states 1 to 13")
    }
}
