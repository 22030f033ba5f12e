import Glibc
import SockDiag
import TCPStateLab
import Testing

/// Each state that a socket of the kernel was put into, against the dump that reports it.
struct StateTests {
    static let states: [TCPState] = [
        .synSent, .synReceived, .established, .finWait1, .finWait2, .closing, .closeWait, .lastAck, .timeWait,
    ]

    @Test(arguments: states, LabNetwork.allCases)
    func `A client is dumped in the state that it is in`(state: TCPState, network: LabNetwork) throws {
        try Lab.with { try expect($0.client(in: state, over: network), in: state, over: network, $0) }
    }

    @Test(arguments: states.dropFirst(), LabNetwork.allCases)
    func `A server's child is dumped in the state that it is in`(state: TCPState, network: LabNetwork) throws {
        try Lab.with { try expect($0.server(in: state, over: network), in: state, over: network, $0) }
    }

    private func expect(
        _ connection: Connection,
        in state: TCPState,
        over network: LabNetwork,
        _ lab: Lab
    ) throws {
        let row = try lab.row(of: connection, extensions: .all)
        #expect(row.state == state)
        #expect(row.family == (network == .ipv4 ? .ipv4 : .ipv6))
        #expect(row.local == connection.local)
        #expect(row.remote == connection.remote)
        #expect(row.interface == (network == .linkLocal ? connection.local.scope : nil))
        #expect(row.isMinisocket == (state == .timeWait))

        let hasSocket = connection.descriptor != nil
        #expect(row.inode.map(UInt64.init) == (hasSocket ? try connection.socket?.inode() : nil))
        #expect(row.uid == (hasSocket ? getuid() : nil))
        if hasSocket { #expect(try row.cookie == connection.socket?.cookie()) }
        #expect((row.tcpInfo != nil) == hasSocket)
        #expect(row.tcpInfo?[.state] == (hasSocket ? UInt64(state.rawValue) : nil))
        #expect((row.memory != nil) == hasSocket)
        #expect(row.timer?.kind == Self.timer(in: state))

        // What the kernel says of the same socket without netlink.
        let lines = try lab.procNetTCP().filter {
            $0.local.port == row.local.port && $0.remote.port == row.remote.port
        }
        let line = try #require(lines.first)
        #expect(line.state == state)
        #expect((row.receiveQueue, row.sendQueue) == (line.receiveQueue, line.sendQueue))

        let found = try #require(try lab.lookUp(row.identity))
        #expect(found.state == state && found.cookie == row.cookie)
        #expect(found.local == row.local && found.remote == row.remote)
    }

    /// Which timer runs in a state that nothing disturbs: where something is unacknowledged, and in TIME_WAIT.
    private static func timer(in state: TCPState) -> SocketTimer.Kind? {
        switch state {
        case .synSent, .synReceived, .finWait1, .closing, .lastAck: .retransmission
        case .timeWait: .timeWait
        default: nil
        }
    }

    @Test(arguments: LabNetwork.allCases) func `A listener reports its queue and the limit of it`(network: LabNetwork)
        throws
    {
        try Lab.with { lab in
            let listener = try lab.listener(over: network, backlog: 7)
            for _ in 0..<3 { try lab.server(over: network, on: listener, accepted: false) }
            let rows = try lab.dump(SocketQuery(states: .listen, extensions: .info))
            let row = try #require(rows.first)
            #expect(rows.count == 1)
            #expect(row.state == .listen && row.local == listener.local)
            #expect(row.remote.port == 0 && row.remote.address.isAny)
            #expect((row.receiveQueue, row.sendQueue) == (3, 7))
            #expect((row.tcpInfo?[.unacked], row.tcpInfo?[.sacked]) == (3, 7))
            #expect(try row.cookie == listener.cookie())
            #expect(try row.inode.map(UInt64.init) == listener.inode())
            let descriptor = try #require(listener.descriptor)
            let isIPv6Only = try? SocketOption.number(descriptor, SocketOption.ipv6, IPV6_V6ONLY) != 0
            #expect(row.isIPv6Only == (network == .ipv4 ? nil : isIPv6Only))
            #expect(network != .ipv4Mapped || row.isIPv6Only == false)
        }
    }

    @Test func `A connection that nobody accepted belongs to the listener's user and has no inode`() throws {
        try Lab.with { lab in
            let row = try lab.row(of: lab.server(accepted: false))
            #expect(row.state == .established)
            #expect(row.inode == nil)
            #expect(row.uid == (getuid() == 0 ? nil : getuid()), "0 without an inode need not mean root")
        }
    }

    @Test func `An orphan in FIN_WAIT_2 is a small entry with a timer of its own`() throws {
        try Lab.with { lab in
            let client = try lab.client(in: .finWait2)
            let before = try lab.row(of: client)
            #expect(!before.isMinisocket && before.timer == nil)
            client.close()
            let after = try lab.row(of: client, extensions: .all)
            #expect(after.state == .finWait2)
            #expect(after.isMinisocket && after.tcpInfo == nil && after.inode == nil && after.uid == nil)
            #expect(after.cookie == before.cookie)
            let timer = try #require(after.timer)
            #expect(timer.kind == .timeWait && (1...60_000).contains(timer.milliseconds))
        }
    }
}
