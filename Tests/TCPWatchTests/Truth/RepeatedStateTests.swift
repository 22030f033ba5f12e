internal import SockDiag
internal import TCPStateLab
internal import TCPWatch
internal import Testing

/// `close()` sets the state that a `shutdown()` has brought about once more (`tcp_close_state()`), and the tracepoint
/// says so.
@Suite("A state that is set once more is no transition", .timeLimit(.minutes(30)))
struct RepeatedStateTests {
    @Test(arguments: [TCPState.finWait1, .finWait2, .closing, .lastAck])
    func `close() after a shutdown reports nothing where the state stays`(state: TCPState) async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let connection = try lab.server(in: state)
        let cookie = try lab.cookie(of: connection)
        let watch = try AwaitedWatch(lab, .trace)
        try await watch.begin()
        connection.close()
        try connection.peer.send(.rst)
        try await watch.transition(of: cookie, to: .closed)
        try await watch.passDumps(1, in: lab)
        let life = try #require(watch.lives(of: cookie).first)
        #expect(life.transitions.paths == ["\(state)>CLOSED"])
        let faults = watch.faults
        #expect(faults.isEmpty)
    }
}
