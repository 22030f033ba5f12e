internal import SockDiag
internal import TCPStateLab
internal import Testing

@Suite("Every state can be made and stays")
struct StateTests {
    static let clientStates: [TCPState] = [
        .synSent, .synReceived, .established, .finWait1, .finWait2, .closing, .closeWait, .lastAck, .timeWait,
    ]
    static let serverStates: [TCPState] = clientStates.filter { $0 != .synSent }

    @Test(arguments: clientStates, LabNetwork.allCases)
    func `A client is in the state that was asked for, and stays`(state: TCPState, network: LabNetwork) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try expectHeld(try lab.client(in: state, over: network), in: state, lab)
    }

    @Test(arguments: serverStates, LabNetwork.allCases)
    func `A listener's child is in the state that was asked for, and stays`(
        state: TCPState,
        network: LabNetwork
    ) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let server = try lab.server(in: state, over: network)
        try expectHeld(server, in: state, lab)
        #expect(try server.listener?.state() == .listen)
    }

    /// The kernel's own list and TCP_INFO agree with the state, before and after segments that change nothing.
    private func expectHeld(_ connection: Connection, in state: TCPState, _ lab: Lab) throws {
        try expect(connection, in: state, lab)
        switch state {
        case .synSent:
            try connection.peer.send(.ack.acknowledging(.number(0)))  // acknowledges nothing that was sent
            try connection.peer.receive(.rst)
        case .synReceived:
            try connection.peer.send(.syn.shifted(by: -1))  // came already
            try connection.peer.receive(connection.socket == nil ? .synAck : .ack)
        default:
            for _ in 1...2 {
                try connection.peer.send(.data([0]).shifted(by: -1).acknowledging(.nothingNew))  // came already
                try connection.peer.receive(.ack)
            }
        }
        try expect(connection, in: state, lab)
    }

    private func expect(_ connection: Connection, in state: TCPState, _ lab: Lab) throws {
        let row = try #require(try lab.row(of: connection))
        #expect(row.state == state)
        if let socket = connection.socket, socket.descriptor != nil {
            #expect(try socket.state() == state)
            #expect(row.inode == (try socket.inode()))
        } else {
            #expect(row.inode == 0)
            #expect([.timeWait, .synReceived].contains(state))
        }
    }
}

extension Lab {
    /// The line of the connection in the kernel's own list.
    func row(of connection: Connection) throws -> ProcNetTCP? {
        let rows = try procNetTCP(connection.local.address.family).filter {
            $0.local.port == connection.local.port && $0.remote.port == connection.remote.port
        }
        guard let row = rows.first else { return nil }
        #expect(rows.count == 1)
        #expect(row.local.address == connection.local.address)
        #expect(row.remote.address == connection.remote.address)
        return row
    }
}
