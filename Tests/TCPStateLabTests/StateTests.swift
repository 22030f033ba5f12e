internal import SockDiag
internal import TCPStateLab
internal import Testing

@Suite("Every state can be made and stays")
struct StateTests {
    static let clientStates: [TCPState] = [
        .synSent, .synReceived, .established, .finWait1, .finWait2, .closing, .closeWait, .lastAck, .timeWait,
    ]
    static let serverStates: [TCPState] = clientStates.filter { $0 != .synSent }

    @Test(arguments: LabNetwork.allCases)
    func `The kernel lists every state that was asked for, with both endpoints and the inode`(network: LabNetwork)
        throws
    {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        var made: [(state: TCPState, connection: Connection)] = []
        for state in Self.clientStates { made.append((state, try lab.client(in: state, over: network))) }
        for state in Self.serverStates { made.append((state, try lab.server(in: state, over: network))) }
        let rows = try lab.procNetTCP()
        for (state, connection) in made {
            let row = try #require(try rows.row(of: connection))
            #expect(row.state == state)
            let hasDescriptor = connection.descriptor != nil
            #expect(row.inode == (hasDescriptor ? try connection.socket?.inode() : 0))
            #expect(hasDescriptor || state == .timeWait || state == .synReceived && connection.listener != nil)
        }
        #expect(rows.filter { $0.state == .listen }.count == Self.serverStates.count)
        #expect(rows.count == made.count + Self.serverStates.count)
    }

    @Test(arguments: clientStates, LabNetwork.allCases)
    func `A client stays in its state`(state: TCPState, network: LabNetwork) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try expectHeld(try lab.client(in: state, over: network), in: state, lab)
    }

    @Test(arguments: serverStates, LabNetwork.allCases)
    func `A listener's child stays in its state`(state: TCPState, network: LabNetwork) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try expectHeld(try lab.server(in: state, over: network), in: state, lab)
    }

    /// The kernel says the same state before and after segments that it answers and that change nothing.
    private func expectHeld(_ connection: Connection, in state: TCPState, _ lab: Lab) throws {
        #expect(try lab.state(of: connection) == state)
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
        #expect(try lab.state(of: connection) == state)
    }
}

extension Lab {
    /// The state by `TCP_INFO`, or where there is no descriptor by the kernel's list; nil where the kernel has nothing.
    func state(of connection: Connection) throws -> TCPState? {
        guard connection.descriptor == nil else { return try connection.state() }
        return try row(of: connection)?.state
    }

    /// The connection in the kernel's list.
    func row(of connection: Connection) throws -> ProcNetTCP? {
        try procNetTCP(connection.local.address.family).row(of: connection)
    }
}

extension [ProcNetTCP] {
    /// The one line of the connection.
    func row(of connection: Connection) throws -> ProcNetTCP? {
        let rows = filter { $0.local.port == connection.local.port && $0.remote.port == connection.remote.port }
        guard let row = rows.first else { return nil }
        #expect(rows.count == 1)
        #expect(row.local.address == connection.local.address)
        #expect(row.remote.address == connection.remote.address)
        return row
    }
}
