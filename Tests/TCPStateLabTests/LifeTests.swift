internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@Suite("The peer moves the kernel's sockets, one segment at a time")
struct LifeTests {
    @Test func `A segment has been dealt with, and answered, when send returns`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        for _ in 0..<500 {
            let client = try lab.client(in: .finWait1)
            try client.peer.send(.ack)
            #expect(try client.state() == .finWait2)
            #expect(try client.peer.unread().isEmpty)
            try client.peer.send(.fin)
            #expect(try client.state() == .closed)
            #expect(try client.peer.unread().map(\.flags) == [.ack])
        }
    }

    @Test(arguments: LabNetwork.allCases)
    func `A simultaneous open goes over SYN_RCVD to ESTABLISHED`(network: LabNetwork) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let client = try lab.client(in: .synSent, over: network)
        try client.peer.send(.syn)
        #expect(try client.state() == .synReceived)
        try client.peer.send(.synAck.shifted(by: -1))
        #expect(try client.state() == .established)
    }

    @Test(arguments: LabNetwork.allCases)
    func `A simultaneous close goes over CLOSING to TIME_WAIT`(network: LabNetwork) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let client = try lab.client(in: .closing, over: network)
        try client.peer.send(.ack)
        #expect(try lab.row(of: client)?.state == .timeWait)
        #expect(try client.state() == .closed, "the descriptor keeps the closed socket")
    }

    @Test func `A FIN that acknowledges the kernel's goes from FIN_WAIT_1 to TIME_WAIT at once`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let server = try lab.server(in: .finWait1)
        try server.peer.send(.fin)
        #expect(try lab.row(of: server)?.state == .timeWait)
    }

    @Test func `The last ACK ends a connection that the peer closed first`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let server = try lab.server(in: .lastAck)
        try server.peer.send(.ack)
        #expect(try lab.row(of: server) == nil)
        #expect(try server.state() == .closed)
    }

    @Test func `A SYN with a higher sequence number opens a new connection out of TIME_WAIT`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let server = try lab.server(in: .timeWait)
        try server.peer.send(.syn.shifted(by: 100_000))
        try server.peer.receive(.synAck)
        #expect(try lab.row(of: server)?.state == .synReceived)
        try server.peer.send(.ack)
        #expect(try lab.row(of: server)?.state == .established)
    }

    @Test(arguments: LabNetwork.allCases)
    func `A closed descriptor leaves an orphan in the same state`(network: LabNetwork) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let states: [TCPState] = [.finWait1, .finWait2, .closing, .lastAck]
        let clients = try states.map { try lab.client(in: $0, over: network) }
        clients.forEach { $0.close() }
        let rows = try lab.procNetTCP()
        for (state, client) in zip(states, clients) {
            let row = try #require(try rows.row(of: client))
            #expect(row.state == state)
            #expect(row.inode == 0)
            #expect(client.descriptor == nil)
        }
    }

    @Test func `An orphan in FIN_WAIT_1 goes on to TIME_WAIT by the peer's segments`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let client = try lab.client()
        client.close()
        try client.peer.receive(.fin)
        #expect(try lab.row(of: client)?.state == .finWait1)
        try client.peer.send(.ack)
        #expect(try lab.row(of: client)?.state == .finWait2)
        try client.peer.send(.fin)
        #expect(try lab.row(of: client)?.state == .timeWait)
    }

    @Test func `An unacknowledged FIN is sent again by the kernel's own timer`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let client = try lab.client(in: .finWait1)
        let again = try client.peer.receive(.fin)
        #expect(again.length == 1)
        #expect(try client.state() == .finWait1)
    }

    @Test func `Data reaches the program, and the program's data the peer`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let client = try lab.client(over: .ipv6)
        let descriptor = try #require(client.descriptor)
        try client.peer.send(.data(Array("ping".utf8)))
        #expect(try lab.row(of: client)?.receiveQueue == 4)
        var buffer = [UInt8](repeating: 0, count: 16)
        #expect(recv(descriptor, &buffer, buffer.count, 0) == 4)
        #expect(send(descriptor, "pong", 4, 0) == 4)
        let segment = try client.peer.receive("the program's data") { !$0.payload.isEmpty }
        #expect(segment.payload == Array("pong".utf8))
        #expect(try lab.row(of: client)?.sendQueue == 4)
        try client.peer.send(.ack)
        #expect(try lab.row(of: client)?.sendQueue == 0)
    }

    @Test func `A peer without a window keeps the program's data in the send queue`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let client = try lab.client()
        try client.peer.send(.ack.window(0))
        #expect(send(try #require(client.descriptor), "held", 4, 0) == 4)
        #expect(try client.peer.unread().isEmpty)
        #expect(try lab.row(of: client)?.sendQueue == 4)
        try client.peer.send(.ack)
        #expect(try client.peer.receive("the program's data") { !$0.payload.isEmpty }.payload == Array("held".utf8))
    }

    @Test func `A connection that nobody accepts has no socket, and counts in the listener's queue`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listener = try lab.listener(over: .ipv6)
        let waiting = try lab.server(over: .ipv6, on: listener, accepted: false)
        let closing = try lab.server(in: .closeWait, over: .ipv6, on: listener, accepted: false)
        #expect(waiting.socket == nil)
        #expect(try lab.row(of: waiting)?.state == .established)
        #expect(try lab.row(of: closing)?.state == .closeWait)
        #expect(try lab.procNetTCP().first { $0.state == .listen }?.receiveQueue == 2)
        #expect(throws: LabError.self, "accept takes the first") { try lab.server(over: .ipv6, on: listener) }
    }

    @Test func `A bound socket is CLOSED, with its port, and in no list`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        for network in LabNetwork.allCases {
            let bound = try lab.bound(over: network, port: 4711)
            #expect(bound.local == network.kernelEndpoint(port: 4711))
            #expect(try bound.state() == .closed)
            bound.close()
        }
        #expect(try lab.procNetTCP().isEmpty)
    }

    @Test func `The options of the peer's SYN are the connection's`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let options: [SegmentOption] = [.maximumSegmentSize(1000), .windowScale(7), .sackPermitted, .timestamps(1)]
        for connection in [try lab.client(offering: options), try lab.server(offering: options)] {
            var info = tcp_info()
            var size = socklen_t(MemoryLayout<tcp_info>.size)
            let descriptor = try #require(connection.descriptor)
            #expect(getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &info, &size) == 0)
            #expect(info.tcpi_options & 7 == 7)  // TCPI_OPT_TIMESTAMPS, _SACK, _WSCALE
            #expect(info.tcpi_snd_mss == 1000 - 12)  // less the timestamps of each segment
        }
    }
}
