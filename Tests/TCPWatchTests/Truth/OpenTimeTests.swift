internal import SockDiag
internal import TCPStateLab
internal import TCPWatch
internal import Testing

@Suite(
    "A connection's life ends when both sides have closed it, and TIME_WAIT is a number of its own",
    .timeLimit(.minutes(30))
)
struct OpenTimeTests {
    /// How long both sides had it open, by the times of its transitions.
    private func span(_ life: [Transition], until last: Transition) -> Duration? {
        life.first.map { $0.time.duration(to: last.time) }
    }

    @Test(arguments: [SocketWatcher.Source.trace, .poll])
    func `It is told when TIME_WAIT begins, and not again at its end`(source: SocketWatcher.Source) async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try AwaitedWatch(lab, source)
        try await watch.begin()
        let connection = try lab.client(in: .finWait2)
        let cookie = try #require(connection.socket).cookie()
        try await watch.transition(of: cookie, to: .finWait2)
        try connection.peer.send(.fin)
        connection.close()
        let timeWait = try await watch.transition(of: cookie, to: .timeWait)
        try connection.peer.send(.rst)
        let end = try await watch.transition(of: cookie, to: .closed)
        let life = watch.reported.filter { $0.identity.cookie == cookie }
        #expect(timeWait.timeOpen != nil)
        #expect(timeWait.timeOpen == span(life, until: timeWait))
        #expect(life.filter { $0.timeOpen != nil } == [timeWait])
        #expect(end.timeInState == timeWait.time.duration(to: end.time))
        // The last transition counts both, as ever.
        #expect(end.final?.duration == span(life, until: end))
    }

    @Test(arguments: Script.ends.filter { $0.side == .active && ($0.from == .lastAck || $0.from == .established) })
    func `Without a TIME_WAIT it is told with the end`(script: Script) async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try AwaitedWatch(lab, .trace)
        try await watch.begin()
        let connection = try script.connect(lab, over: .ipv4)
        let cookie = try #require(connection.socket).cookie()
        try await watch.transition(of: cookie, to: script.from)
        try script.act(connection)
        let end = try await watch.transition(of: cookie, to: .closed)
        let life = watch.reported.filter { $0.identity.cookie == cookie }
        #expect(life.filter { $0.timeOpen != nil } == [end])
        #expect(end.timeOpen == span(life, until: end))
        #expect(end.timeOpen == end.final?.duration)
    }

    @Test func `What was there before, and a listener, have none`() async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let old = try lab.client(in: .finWait2)
        let cookie = try #require(old.socket).cookie()
        let watch = try AwaitedWatch(lab, .trace)
        try await watch.begin()
        let listener = try lab.loopbackListener()
        let other = try listener.cookie()
        try old.peer.send(.fin)
        old.close()
        try await watch.transition(of: cookie, to: .timeWait)
        listener.close()
        try await watch.transition(of: other, to: .closed)
        #expect(watch.reported.allSatisfy { $0.timeOpen == nil })
    }
}
