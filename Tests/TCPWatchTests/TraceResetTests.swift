internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPWatch

/// What makes the kernel send a RST for an established connection, and the reason that it gives.
struct Abort: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let from: TCPState
    let reason: ResetReason
    let act: @Sendable (Connection) throws -> Void

    static let all = [
        Abort(testDescription: "closed with data unread", from: .established, reason: .abortOnClose) {
            try $0.peer.send(.data([1, 2, 3]))
            $0.close()
        },
        Abort(testDescription: "data after the close", from: .finWait1, reason: .abortOnData) {
            $0.close()
            try $0.peer.receive(.fin)
            try $0.peer.send(.data([1, 2, 3]).acknowledging(.nothingNew))
        },
        Abort(testDescription: "no lingering in FIN_WAIT_2", from: .finWait2, reason: .abortOnLinger) {
            var none: Int32 = -1
            setsockopt($0.descriptor ?? -1, Int32(IPPROTO_TCP), TCP_LINGER2, &none, 4)
            try $0.shutDown()
            try $0.peer.send(.ack)
            $0.close()
        },
        Abort(testDescription: "SO_LINGER of 0", from: .established, reason: .state) {
            var none = linger(l_onoff: 1, l_linger: 0)
            setsockopt($0.descriptor ?? -1, SOL_SOCKET, SO_LINGER, &none, socklen_t(MemoryLayout<linger>.size))
            $0.close()
        },
        Abort(testDescription: "data unread in CLOSE_WAIT", from: .closeWait, reason: .abortOnClose) {
            try $0.peer.send(.data([1]))
            try $0.peer.send(.fin)
            $0.close()
        },
        Abort(testDescription: "data unread in CLOSING", from: .closing, reason: .abortOnClose) {
            try $0.peer.send(.data([1]))
            try $0.shutDown()
            try $0.peer.receive(.fin)
            try $0.peer.send(.fin.acknowledging(.nothingNew))
            $0.close()
        },
        Abort(testDescription: "data unread in LAST_ACK", from: .lastAck, reason: .abortOnClose) {
            try $0.peer.send(.data([1]))
            try $0.peer.send(.fin)
            try $0.shutDown()
            $0.close()
        },
    ]
}

@Suite("With tracepoints, a RST is reported with its reason", .timeLimit(.minutes(30)))
struct TraceResetTests {
    @Test(arguments: Abort.all, [LabNetwork.ipv4, .ipv6])
    func `What this side ends by a RST has that as its cause, and the kernel's reason`(
        abort: Abort,
        network: LabNetwork
    ) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let connection = try lab.server(in: .established, over: network)
        let watch = try TraceWatch(lab)
        guard watch.namesResets else { try Test.cancel("this kernel gives no reasons for a RST (6.12 does)") }
        let cookie = try lab.cookie(of: connection)
        try abort.act(connection)
        let ends = watch.receive().filter { $0.identity.cookie == cookie && $0.to == .closed }
        #expect(ends.paths == ["\(abort.from)>CLOSED"])
        #expect(ends.first?.cause == .abort)
        #expect(ends.first?.resetReason == abort.reason)
        #expect(ends.first?.certainty == .exact)
        #expect(ends.first?.final?.segmentsIn != nil)
        #expect(try watch.poll().isEmpty)
    }

    @Test func `A peer that refuses and a firewall that rejects are distinguished`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try TraceWatch(lab)
        let (refused, rejected) = (try lab.client(in: .synSent), try lab.client(in: .synSent))
        try refused.peer.send(.rst)
        // The peer has taken the first SYN; the next is sent after a second.
        try rejected.peer.refuse(rejected.peer.receive(.syn))
        let ends = watch.receive().filter { $0.to == .closed }
        #expect(ends.paths == ["SYN_SENT>CLOSED", "SYN_SENT>CLOSED"])
        #expect(ends.map(\.cause) == [.receiveRST, .unreachable])
        #expect(ends.allSatisfy { $0.resetReason == nil })
    }

    @Test func `A RST that ends nothing is not reported with a later end`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try TraceWatch(lab)
        let client = try lab.client(in: .synSent)
        // Acknowledges what was never sent: answered by a RST, and the SYN stays.
        try client.peer.send(.synAck.acknowledging(.number(7)))
        try client.peer.receive("a RST") { $0.flags.contains(.rst) }
        client.close()
        let ends = watch.receive().filter { $0.to == .closed }
        #expect(ends.paths == ["SYN_SENT>CLOSED"])
        #expect(ends.first?.cause == .close)
        #expect(ends.first?.resetReason == nil)
    }

    @Test func `The end of a socket that was bound and no more is exact`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let socket = try lab.bound()
        let watch = try TraceWatch(lab)
        let cookie = try socket.cookie()
        socket.close()
        let reported = watch.receive()
        #expect(reported.paths == ["BOUND>CLOSED"])
        #expect(reported.first?.identity.cookie == cookie)
        #expect(reported.first?.certainty == .exact)
        #expect(reported.first?.cause == .close)
        #expect(try watch.poll().isEmpty)
    }

    @Test func `A last transition whose RST does not come is reported after a moment`() async throws {
        try TraceWatch.cancelUnlessPermitted()
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let connection = try lab.server(in: .finWait1)
        var configuration = SocketWatcher.Configuration()
        configuration.source = .trace
        configuration.reconciliationBudget = 0
        let setup = configuration
        let watcher = try lab.run { try SocketWatcher(setup) }
        for try await event in watcher {
            if case .ready = event { try connection.peer.send(.rst) }
            guard case .transition(let transition) = event, transition.to == .closed else { continue }
            #expect(transition.path == "FIN_WAIT_1>CLOSED")
            #expect(transition.cause == .receiveRST)
            break
        }
    }
}
