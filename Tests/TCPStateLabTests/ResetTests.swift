internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@Suite("A reset ends every state")
struct ResetTests {
    @Test(arguments: StateTests.clientStates, LabNetwork.allCases)
    func `A client that is reset is gone, and its program learns why`(state: TCPState, network: LabNetwork) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try expectEnd(of: try lab.client(in: state, over: network), in: state, lab)
    }

    @Test(arguments: StateTests.serverStates, LabNetwork.allCases)
    func `A listener's child that is reset is gone, and its program learns why`(
        state: TCPState,
        network: LabNetwork
    ) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try expectEnd(of: try lab.server(in: state, over: network), in: state, lab)
    }

    private func expectEnd(of connection: Connection, in state: TCPState, _ lab: Lab) throws {
        try connection.peer.send(.rst)
        guard let socket = connection.socket, socket.descriptor != nil else {
            #expect(try lab.row(of: connection) == nil)
            return
        }
        let error =
            switch state {
            case .synSent: ECONNREFUSED
            case .closeWait: EPIPE
            default: ECONNRESET
            }
        #expect(try socket.takeError() == error)
        #expect(try socket.state() == .closed)
    }

    @Test func `A reset that is in the window but not exact is challenged, and changes nothing`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        for state in [TCPState.established, .finWait1, .finWait2, .closeWait, .closing, .lastAck] {
            let server = try lab.server(in: state)
            try server.peer.send(.rst.shifted(by: 1).acknowledging(.nothingNew))
            try server.peer.receive(.ack)
            #expect(try server.state() == state)
        }
    }
}
