internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPWatch

/// A connection in a state, and the segment or call that takes it on.
struct Script: Sendable, CustomTestStringConvertible {
    let side: OpeningSide
    let from: TCPState
    /// As ``Transition/path`` has it.
    let expected: String
    let act: @Sendable (Connection) throws -> Void

    var testDescription: String { "\(side) \(expected)" }

    init(
        _ side: OpeningSide,
        _ from: TCPState,
        _ expected: String,
        _ act: @escaping @Sendable (Connection) throws -> Void
    ) {
        self.side = side
        self.from = from
        self.expected = expected
        self.act = act
    }

    /// Every transition between two states of a connection that a segment or a call makes.
    static let steps: [Script] = opening + closing(.active) + closing(.passive)

    private static let opening: [Script] = [
        Script(.active, .synSent, "SYN_SENT>ESTABLISHED") {
            try $0.peer.send(.synAck)
            try $0.peer.receive(.ack)
        },
        Script(.active, .synSent, "SYN_SENT>SYN_RCVD") {
            try $0.peer.send(.syn)
            try $0.peer.receive(.synAck)
        },
        Script(.active, .synReceived, "SYN_RCVD>ESTABLISHED") { try $0.peer.send(.ack) },
        Script(.passive, .synReceived, "SYN_RCVD>ESTABLISHED") { try $0.peer.send(.ack) },
    ]

    private static func closing(_ side: OpeningSide) -> [Script] {
        [
            Script(side, .established, "ESTABLISHED>FIN_WAIT_1") {
                try $0.shutDown()
                try $0.peer.receive(.fin)
            },
            Script(side, .established, "ESTABLISHED>CLOSE_WAIT") { try $0.peer.send(.fin) },
            Script(side, .finWait1, "FIN_WAIT_1>FIN_WAIT_2") { try $0.peer.send(.ack) },
            Script(side, .finWait1, "FIN_WAIT_1>CLOSING") { try $0.peer.send(.fin.acknowledging(.nothingNew)) },
            // Linux enters FIN_WAIT_2 for the segment's acknowledgement before it reads the segment's FIN.
            Script(side, .finWait1, "FIN_WAIT_1(FIN_WAIT_2)>TIME_WAIT") { try $0.peer.send(.fin) },
            Script(side, .finWait2, "FIN_WAIT_2>TIME_WAIT") { try $0.peer.send(.fin) },
            Script(side, .closing, "CLOSING>TIME_WAIT") { try $0.peer.send(.ack) },
            Script(side, .closeWait, "CLOSE_WAIT>LAST_ACK") {
                try $0.shutDown()
                try $0.peer.receive(.fin)
            },
        ]
    }

    /// Every way that a segment ends a connection at once, while the program still holds the descriptor.
    static let ends: [Script] =
        resets(.active, TCPState.ofAConnection) + resets(.passive, TCPState.ofAChild)
        + [acknowledged(.active), acknowledged(.passive)]

    private static func resets(_ side: OpeningSide, _ states: [TCPState]) -> [Script] {
        states.map { state in Script(side, state, "\(state)>CLOSED") { try $0.peer.send(.rst) } }
    }

    private static func acknowledged(_ side: OpeningSide) -> Script {
        Script(side, .lastAck, "LAST_ACK>CLOSED") { try $0.peer.send(.ack) }
    }

    func connect(_ lab: Lab, over network: LabNetwork) throws -> Connection {
        side == .active ? try lab.client(in: from, over: network) : try lab.server(in: from, over: network)
    }
}

@Suite("Every transition is reported once, with the right certainty")
struct TransitionTests {
    @Test(arguments: Script.steps, [LabNetwork.ipv4, .ipv6])
    func `A transition between two dumps is reported once and keeps the cookie`(script: Script, network: LabNetwork)
        throws
    {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let connection = try script.connect(lab, over: network)
        let watch = try HandWatch(lab)
        let cookie = try lab.cookie(of: connection)
        try script.act(connection)
        let reported = try watch.poll()
        #expect(reported.paths == [script.expected])
        let transition = try #require(reported.first)
        #expect(transition.identity.cookie == cookie)
        #expect(transition.identity.local == connection.local)
        #expect(transition.identity.remote == connection.remote)
        #expect(transition.certainty == (transition.via.isEmpty ? .observed : .inferred))
        #expect(try watch.pollTwice().isEmpty)
    }

    @Test(arguments: Script.ends)
    func `An end by a segment is reported once, and not again when the program closes the descriptor`(
        script: Script
    ) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try HandWatch(lab)
        let connection = try script.connect(lab, over: .ipv4)
        // A TIME_WAIT is reported when the socket before it is destroyed; every other state by a dump.
        if script.from == .timeWait { _ = try watch.receive { $0.to == .timeWait } }
        _ = try watch.poll()
        let cookie = try lab.cookie(of: connection)
        try script.act(connection)
        let reported = try watch.pollTwice()
        #expect(reported.paths == [script.expected])
        #expect(reported.first?.identity.cookie == cookie)
        #expect(reported.first?.certainty == .observed)
        guard connection.descriptor != nil else { return }
        connection.close()
        #expect(try watch.receive().isEmpty)
        #expect(try watch.pollTwice().isEmpty)
    }

    @Test func `A listener and a bound socket are reported from their beginning to their end`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try HandWatch(lab)
        let socket = try lab.bound()
        #expect(try watch.poll().paths == ["CLOSED>BOUND"])
        #expect(listen(try #require(socket.descriptor), 1) == 0)
        #expect(try watch.poll().paths == ["BOUND>LISTEN"])
        let cookie = try socket.cookie()
        socket.close()
        let end = try watch.receive()
        #expect(end.paths == ["LISTEN>CLOSED"])
        #expect(end.first?.identity.cookie == cookie)
        #expect(end.first?.source == .destroy)
        #expect(end.first?.final == nil)
        #expect(try watch.pollTwice().isEmpty)
    }

    @Test func `What begins between two dumps is reported from CLOSED, by the handshake of its side`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try HandWatch(lab)
        try lab.client(in: .synSent)
        #expect(try watch.poll().paths == ["CLOSED>SYN_SENT"])
        let listener = try lab.listener()
        try lab.server(in: .synReceived, on: listener)
        #expect(try Set(watch.poll().paths) == ["CLOSED>LISTEN", "CLOSED>SYN_RCVD"])
        try lab.server(in: .established, on: listener)
        #expect(try watch.poll().paths == ["CLOSED(SYN_RCVD)>ESTABLISHED"])
        try lab.client(in: .established)
        #expect(try watch.poll().paths == ["CLOSED(SYN_SENT)>ESTABLISHED"])
        try lab.server(in: .closeWait, on: listener)
        #expect(try watch.poll().paths == ["CLOSED(SYN_RCVD,ESTABLISHED)>CLOSE_WAIT"])
    }
}

extension TCPState {
    fileprivate static let ofAChild: [TCPState] = [
        .synReceived, .established, .finWait1, .finWait2, .closing, .closeWait, .lastAck, .timeWait,
    ]
    fileprivate static let ofAConnection: [TCPState] = [.synSent] + ofAChild
}

extension Lab {
    /// The cookie of the one row with the connection's endpoints, by the kernel's dump.
    func cookie(of connection: Connection) throws -> SocketCookie {
        let rows = try run {
            var client = try SockDiagClient()
            return try client.sockets().filter { $0.local == connection.local && $0.remote == connection.remote }
        }
        return try #require(rows.count == 1 ? rows.first : rows.first { $0.isMinisocket }).cookie
    }
}
