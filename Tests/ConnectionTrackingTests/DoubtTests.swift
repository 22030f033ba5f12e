internal import ConnectionTracking
internal import SocketValues
internal import Testing

/// Each rule that the model has corrected, by its smallest story.
@Suite("What a row, an answer or a report cannot know")
struct DoubtTests {
    private func traced(_ existing: [SocketRow] = []) -> HandTracker {
        HandTracker(existing: existing) { $0.reportsTransitions = true }
    }

    private func transition(_ name: SocketName, _ from: TCPState, _ to: TCPState) -> Input.Fact {
        .transition(
            TracedTransition(
                name,
                from: from,
                to: to,
                uid: 1000,
                rest: to == .closed ? SocketRest(error: .refused) : nil
            )
        )
    }

    @Test func `A row gives its port to no connection that was before it, or came after`() {
        let hand = traced()
        hand.take(transition(name(1, 0), .closed, .synSent))
        hand.take(.dumpBegan(.handshakes))
        hand.take(.row(row(name(1, 1001), .synSent)))
        // Read while the dump runs: the row is of the second connection.
        hand.take(transition(name(1, 1000), .synSent, .closed))
        hand.take(transition(name(1, 0), .closed, .synSent))
        hand.take(.dumpEnded(isComplete: true))
        #expect(hand.takeTransitions().map(\.identity.local.port) == [1000, 1000])
        hand.dump([row(name(1, 1001), .synSent)], .handshakes)
        let second = hand.takeTransitions()
        #expect(second.map(\.path) == ["1/1 CLOSED>SYN_SENT"])
        #expect(second.map(\.identity.local.port) == [1001])
    }

    @Test func `A request whose SYN+ACK was sent again has not ended by the timer of the one before`() {
        let hand = traced()
        let request = name(1, 80, 2000)
        hand.dump([SocketRow(request, .synReceived, timer: 500)], .handshakes)
        hand.take(.retransmitted(RetransmittedHandshake(request, isRequest: true)))
        _ = hand.takeTransitions()
        hand.pass(.seconds(5)) { _ in .gone }
        let end = hand.takeTransitions()
        #expect(end.map(\.path) == ["1 SYN_RCVD>CLOSED"])
        #expect(end.first?.cause == nil)
    }

    @Test func `What looks like a request may be a Fast Open child: its end is reported after it is gone`() {
        let hand = traced()
        let child = name(1, 80, 2000)
        hand.dump([SocketRow(child, .synReceived, timer: 10)], .handshakes)
        hand.time += 20_000_000
        hand.take(.wake)
        hand.answer { _ in .gone }
        hand.take(transition(child, .synReceived, .closed))
        #expect(hand.paths() == ["1 CLOSED>SYN_RCVD", "1 SYN_RCVD>CLOSED"])
    }

    @Test func `A dump that meets a request as it becomes a socket has shown none`() {
        let hand = traced()
        hand.take(.dumpBegan(.handshakes))
        hand.take(.row(SocketRow(name(1, 80, 2000), .synReceived, timer: 500)))
        hand.take(.row(SocketRow(name(2, 80, 2001), .synReceived, timer: 500)))
        // The child's cookie is another.
        hand.take(transition(name(3, 80, 2000), .synReceived, .established))
        hand.take(.dumpEnded(isComplete: true))
        #expect(hand.paths() == ["3 CLOSED>SYN_RCVD", "3 SYN_RCVD>ESTABLISHED", "2 CLOSED>SYN_RCVD"])
    }

    @Test func `The first dump, too, has shown no request that became a socket meanwhile`() {
        let hand = HandTracker(existing: nil) { $0.reportsTransitions = true }
        hand.take(.dumpBegan(.all))
        hand.take(.row(SocketRow(name(1, 80, 2000), .synReceived, timer: 500)))
        hand.take(.row(SocketRow(name(2, 80, 2001), .synReceived, timer: 500)))
        hand.take(transition(name(3, 80, 2000), .synReceived, .established))
        hand.take(.dumpEnded(isComplete: true))
        #expect(hand.sockets.map(\.name.cookie.rawValue) == [2])
        #expect(hand.paths() == ["3 CLOSED>SYN_RCVD", "3 SYN_RCVD>ESTABLISHED"])
    }

    @Test func `A connection that the first dump has missed, for its state changed meanwhile, existed before that`() {
        let hand = HandTracker(existing: nil) { $0.reportsTransitions = true }
        hand.take(.dumpBegan(.all))
        hand.take(transition(name(1), .established, .finWait1))
        hand.take(transition(name(1), .finWait1, .finWait2))
        hand.take(transition(name(2, 1001), .closed, .synSent))
        hand.take(transition(name(2, 1001), .synSent, .established))
        hand.take(.dumpEnded(isComplete: true))
        #expect(hand.sockets.map(\.name.cookie.rawValue) == [1])
        #expect(hand.sockets.map(\.state) == [.established])
        let paths = ["1 ESTABLISHED>FIN_WAIT_1", "1 FIN_WAIT_1>FIN_WAIT_2"]
        #expect(hand.paths() == paths + ["2 CLOSED>SYN_SENT", "2 SYN_SENT>ESTABLISHED"])
    }

    @Test func `A socket that the first dump shows twice exists, as it was shown last`() {
        let hand = traced([row(listener(1, 1000), .bound), row(name(1), .synSent)])
        #expect(hand.paths().isEmpty)
        #expect(hand.sockets.map(\.state) == [.synSent])
    }

    @Test
    func `What is left of a connection of a bound socket, seen by the first dump after that, is of one life with it`() {
        let hand = HandTracker(existing: nil) { $0.reportsTransitions = true }
        hand.take(.dumpBegan(.all))
        hand.take(.row(row(listener(1, 1000), .bound)))
        hand.take(transition(name(1), .closed, .synSent))
        hand.take(transition(name(1), .synSent, .established))
        hand.take(transition(name(1), .established, .finWait1))
        hand.take(transition(name(1), .finWait1, .finWait2))
        hand.take(transition(name(1), .finWait2, .closed))
        hand.take(.row(SocketRow(name(1), .finWait2, isMinisocket: true, timer: 500)))
        hand.take(.dumpEnded(isComplete: true))
        #expect(hand.sockets.map(\.state) == [.finWait2])
        #expect(hand.paths().isEmpty)
        hand.pass(.seconds(2)) { _ in .gone }
        #expect(hand.paths() == ["1 FIN_WAIT_2>CLOSED"])
    }

    @Test func `Two answers of one moment do not contradict a report twice`() {
        let hand = traced()
        // Of what is not known each row asks.
        for _ in 0..<2 { hand.dump([row(name(1), .synSent)]) }
        #expect(hand.lookups.count == 2)
        hand.take(transition(name(1), .synSent, .established))
        hand.answer { _ in .found(row(name(1), .synSent)) }
        #expect(hand.paths() == ["1 CLOSED>SYN_SENT", "1 SYN_SENT>ESTABLISHED"])
        hand.pass(.seconds(1)) { _ in .found(row(name(1), .established)) }
        #expect(hand.paths().isEmpty)
    }

    @Test func `A report of another connection of a socket sets the one before aside, which may be in TIME_WAIT`() {
        let hand = traced([row(name(1), .finWait2)])
        hand.take(transition(name(1, 1001), .synSent, .established))
        #expect(hand.lookups.map(\.name.endpoints.localPort) == [1000])
        hand.answer { _ in .found(timeWait(name(1))) }
        #expect(hand.paths().contains("1 FIN_WAIT_2>TIME_WAIT"))
    }

    @Test func `A bound socket has ended when two dumps of all sockets have not shown it`() {
        let hand = HandTracker(existing: [row(listener(1, 1000), .bound)])
        hand.dump([], .allButTimeWait)
        hand.dump([])
        #expect(hand.paths().isEmpty)
        hand.dump([])
        #expect(hand.paths() == ["1 BOUND>CLOSED"])
    }

    @Test func `A socket that was bound, and is closed with a peer, is looked up by the endpoints of its connection`() {
        let hand = HandTracker(existing: [row(listener(1, 1000), .bound)])
        hand.dump([row(name(1), .closed)], .allButTimeWait)
        #expect(hand.lookups.map(\.name.endpoints) == [name(1).endpoints])
        hand.answer { _ in .found(timeWait(name(1))) }
        #expect(hand.takeTransitions().map(\.to) == [.timeWait])
    }

    @Test func `What is left of an earlier connection is another life, also where its socket is gone`() {
        let hand = HandTracker(existing: [row(name(1, 1001), .synSent)]) { $0.reportsDestroyed = true }
        hand.take(.destroyed(DestroyedSocket(name(1, 1001), acknowledgedControls: 0, idleMilliseconds: 0)))
        hand.answer { _ in .gone }
        hand.dump([timeWait(name(1, 1000))])
        #expect(hand.takeTransitions().map(\.incarnation) == [0, 1])
    }

    @Test func `What is left of a connection is another life than its socket's last, however many have ended since`() {
        let hand = HandTracker { $0.reportsDestroyed = true }
        for cookie in 1...5000 as ClosedRange<UInt64> {
            hand.take(.destroyed(DestroyedSocket(name(cookie, 1001), acknowledgedControls: 0, idleMilliseconds: 0)))
            hand.answer { _ in .gone }
        }
        _ = hand.paths()
        hand.dump((1...5000).map { timeWait(name($0, UInt16(2000 + $0))) })
        #expect(hand.takeTransitions().allSatisfy { $0.incarnation == 1 })
    }

    @Test func `After a loss, that a bound socket is destroyed does not say that it had not connected`() {
        let hand = traced([row(listener(1, 1000), .bound)])
        hand.take(.lost(Loss(.trace, .overrun, count: 1)))
        hand.take(.boundDestroyed(SocketCookie(rawValue: 1)))
        #expect(hand.takeTransitions().map(\.certainty) == [.inferred])
    }

    @Test func `A lookup that was under way when a connection ended does not keep the next from being looked up`() {
        let hand = traced([row(name(1), .established)])
        hand.dump([])
        #expect(hand.lookups.count == 1)
        hand.take(transition(name(1), .established, .closed))
        hand.answer { _ in .gone }
        hand.take(transition(name(1), .closed, .synSent))
        hand.dump([])
        #expect(hand.lookups.count == 1)
    }

    @Test func `A socket that one dump shows in CLOSED, and then connecting, connects`() {
        let hand = HandTracker()
        hand.dump([row(name(1), .closed), row(name(1), .synSent)])
        #expect(hand.paths() == ["1 CLOSED>SYN_SENT"])
    }

    /// A tracker that has seen a socket connecting, then bound, and then a TIME_WAIT of its cookie; and it is destroyed.
    private func boundAgain(_ rest: UInt32) -> HandTracker {
        let hand = HandTracker(existing: [row(name(1), .synSent)]) { $0.reportsDestroyed = true }
        var bound = name(1)
        bound.endpoints.remotePort = 0
        hand.dump([row(bound, .bound)])
        hand.answer { _ in .found(timeWait(name(1), rest: rest)) }
        let paths = ["1/1 CLOSED>BOUND", "1 SYN_SENT(ESTABLISHED,FIN_WAIT_1,FIN_WAIT_2)>TIME_WAIT"]
        #expect(hand.paths() == paths)
        var counters = SocketCounters()
        counters.bytesSent = 10
        hand.take(
            .destroyed(DestroyedSocket(name(1), counters: counters, acknowledgedControls: 2, idleMilliseconds: 0))
        )
        #expect(hand.paths().isEmpty)
        return hand
    }

    @Test func `A TIME_WAIT of its own cookie may be of the connection that a bound socket has had, and stays`() {
        let hand = boundAgain(60_000)
        hand.answer { _ in .found(timeWait(name(1), rest: 59_998)) }
        let end = hand.takeTransitions()
        #expect(end.map(\.identity.cookie.rawValue) == [1])
        #expect(end.map(\.from) == [.bound])
        #expect(end.map(\.to) == [.closed])
        #expect(end.map(\.certainty) == [.inferred])
        #expect(end.first?.final?.bytesSent == nil)
        hand.pass(.seconds(62)) { _ in .gone }
        let last = hand.takeTransitions()
        #expect(last.map(\.path) == ["1 TIME_WAIT>CLOSED"])
        #expect(last.first?.cause == .timeWaitTimeout)
        #expect(last.first?.final?.bytesSent == 10)
    }

    @Test func `A TIME_WAIT that ends later than the one of its cookie has taken its place`() {
        let hand = boundAgain(40_000)
        hand.answer { _ in .found(timeWait(name(1))) }
        let reported = hand.takeTransitions()
        #expect(reported.map(\.to) == [.closed, .timeWait])
        #expect(reported.map(\.incarnation) == [0, 1])
        #expect(reported.first?.cause == .reuse)
    }

    @Test func `A request that became a socket and ended while a dump ran is not begun anew at its end`() {
        let hand = traced()
        hand.take(.dumpBegan(.handshakes))
        hand.take(.row(SocketRow(name(1, 80, 2000), .synReceived, timer: 500)))
        // Its port is cleared with the last transition, and does not join the two.
        hand.take(transition(name(1, 0, 2000), .synReceived, .closed))
        hand.take(.released(SocketCookie(rawValue: 1)))
        hand.take(.dumpEnded(isComplete: true))
        #expect(hand.paths() == ["1 CLOSED>SYN_RCVD", "1 SYN_RCVD>CLOSED"])
    }

    @Test func `The answer about the connection before does not decide what became of the next`() {
        let hand = HandTracker { $0.reportsDestroyed = true }
        let (first, second) = (name(1, 1000), name(1, 1001))
        hand.dump([row(first, .synSent)])
        // Asked twice: as it is missing, and as its socket has another.
        hand.dump([])
        hand.dump([row(second, .synSent)])
        hand.take(.destroyed(DestroyedSocket(second, acknowledgedControls: 2)))
        hand.answer { $0.name.endpoints == second.endpoints ? .found(timeWait(second)) : .gone }
        #expect(
            hand.paths() == [
                "1 CLOSED>SYN_SENT", "1/1 CLOSED>SYN_SENT", "1 SYN_SENT>CLOSED",
                "1/1 SYN_SENT(ESTABLISHED,FIN_WAIT_1,FIN_WAIT_2)>TIME_WAIT",
            ]
        )
    }

    @Test func `A Fast Open child that its socket has left behind was ended by no request's timer`() {
        let hand = HandTracker { $0.reportsDestroyed = true }
        hand.dump([SocketRow(name(1, 80, 2000), .synReceived, timer: 0)])
        hand.dump([row(name(1, 1000), .synSent)])
        hand.answer { _ in .gone }
        let transitions = hand.takeTransitions()
        let end = transitions.first { $0.to == .closed }
        #expect(end?.path == "1 SYN_RCVD>CLOSED")
        #expect(end?.cause == nil)
    }

    @Test func `The report of the transition that an answer has shown already opens no other life`() throws {
        let hand = traced([row(name(1), .established)])
        hand.dump([timeWait(name(1))])
        hand.answer { _ in .found(timeWait(name(1))) }
        hand.pass(.milliseconds(150)) { _ in .found(timeWait(name(1))) }
        var counters = SocketCounters()
        counters.bytesSent = 7
        let rest = SocketRest(counters, isPeerDone: true)
        hand.take(.transition(TracedTransition(name(1), from: .finWait2, to: .closed, rest: rest)))
        #expect(hand.paths() == ["1 ESTABLISHED(FIN_WAIT_1,FIN_WAIT_2)>TIME_WAIT"])
        hand.pass(.seconds(70)) { _ in .gone }
        let end = try #require(hand.takeTransitions().first)
        #expect(end.cause == .timeWaitTimeout)
        #expect(end.final?.bytesSent == 7)
    }
}
