internal import ConnectionTracking
internal import SocketValues
internal import Testing

@Suite("The kernel's messages about destroyed sockets, as a tracker takes them")
struct DestroyedTests {
    private func tracker(_ existing: [SocketRow] = []) -> HandTracker {
        HandTracker(existing: existing) { $0.reportsDestroyed = true }
    }

    private func message(_ name: SocketName, sent: UInt64 = 10, received: UInt64 = 21) -> DestroyedSocket {
        var counters = SocketCounters()
        (counters.bytesSent, counters.bytesReceived) = (sent, received)
        return DestroyedSocket(name, counters: counters, acknowledgedControls: 2, idleMilliseconds: 0)
    }

    @Test
    func
        `Of two connections between the same endpoints of which one TIME_WAIT is left, the other is reported as ended`()
    {
        let hand = tracker()
        // Their messages are read late: the first connection's TIME_WAIT has given way to the second's by then.
        for cookie in [1, 2] as [UInt64] {
            hand.take(.destroyed(message(name(cookie))))
            hand.answer { $0.purpose == .listener ? .gone : .found(timeWait(name(9))) }
        }
        let ends = hand.takeTransitions().map { "\($0.identity.cookie) \($0.to)" }
        #expect(ends == ["9 TIME_WAIT", "2 CLOSED"])
    }

    @Test
    func `A message that comes after its TIME_WAIT was seen is that one's, also where the endpoints are used again`() {
        let hand = tracker()
        // Nobody asked for the socket while it lived: its message and its minisocket bear different cookies.
        hand.dump([timeWait(name(9))])
        hand.take(.destroyed(message(name(1))))
        #expect(hand.lookups.isEmpty)
        #expect(hand.takeTransitions().map(\.to) == [.timeWait])
        hand.dump([])
        hand.answer { _ in .gone }
        let last = hand.takeTransitions()
        #expect(last.map(\.path) == ["9 TIME_WAIT>CLOSED"])
        #expect(last.first?.final?.bytesReceived == 20)
    }

    @Test func `The TIME_WAIT of a later connection is not what is left of one that was reset`() {
        let hand = tracker()
        hand.take(.destroyed(DestroyedSocket(name(1), acknowledgedControls: 0, idleMilliseconds: 0)))
        hand.answer { $0.purpose == .listener ? .gone : .found(timeWait(name(2))) }
        hand.answer { $0.purpose == .listener ? .gone : .found(timeWait(name(2))) }
        hand.take(.destroyed(message(name(2))))
        hand.answer { _ in .found(timeWait(name(2))) }
        #expect(hand.takeTransitions().map { "\($0.identity.cookie) \($0.to)" } == ["1 CLOSED", "2 TIME_WAIT"])
    }

    @Test func `A message that its cookie explains stands for no other of its 4-tuple`() {
        let hand = tracker()
        // Its minisocket has its cookie, and ends before the message comes.
        hand.dump([timeWait(name(1))])
        hand.dump([])
        hand.answer { _ in .gone }
        hand.take(.destroyed(message(name(1))))
        _ = hand.takeTransitions()
        // The next one of the 4-tuple is known by its end alone.
        hand.take(.destroyed(message(name(2))))
        hand.answer { _ in .gone }
        hand.answer { _ in .gone }
        #expect(hand.paths() == ["2 ?>CLOSED"])
    }

    @Test func `A connection that is first known by its end has taken the place of the TIME_WAIT of its 4-tuple`() {
        let hand = tracker()
        hand.dump([timeWait(name(9))])
        hand.take(.destroyed(message(name(9))))
        hand.take(.destroyed(message(mapped(name(1)))))
        hand.answer { _ in .gone }
        hand.answer { _ in .gone }
        let reported = hand.takeTransitions()
        #expect(reported.dropFirst().map(\.path) == ["9 TIME_WAIT>CLOSED", "1 ?>CLOSED"])
        #expect(reported.dropFirst().first?.cause == .reuse)
    }

    @Test func `A message that comes after its TIME_WAIT has ended reports no second end`() {
        let hand = tracker()
        hand.dump([timeWait(name(9))])
        hand.dump([])
        hand.answer { _ in .gone }
        #expect(hand.takeTransitions().map(\.to) == [.timeWait, .closed])
        hand.take(.destroyed(message(name(1))))
        hand.answer { _ in .gone }
        #expect(hand.paths().isEmpty)
        hand.pass(.seconds(700)) { _ in .gone }
        #expect(hand.isEmpty)
    }

    @Test func `A descriptor that is closed long after its connection has ended reports no second end`() {
        let hand = tracker([row(name(1), .established)])
        for _ in 0..<2 {
            hand.dump([])
            hand.answer { _ in .gone }
        }
        #expect(hand.paths() == ["1 ESTABLISHED>CLOSED"])
        hand.take(.destroyed(message(name(1))))
        hand.answer { _ in .gone }
        #expect(hand.paths().isEmpty)
        // Also where it is not remembered any more: nothing has moved since before the last dumps.
        hand.dump([])
        hand.dump([])
        hand.take(.destroyed(DestroyedSocket(name(5), acknowledgedControls: 0, idleMilliseconds: 3_600_000)))
        hand.answer { _ in .gone }
        #expect(hand.paths().isEmpty)
    }

    @Test func `A lookup that was asked before the message decides nothing`() {
        let hand = tracker([row(name(1), .finWait1)])
        hand.dump([])
        #expect(hand.lookups.count == 1)
        hand.take(.destroyed(message(name(1))))
        hand.answer { _ in .found(timeWait(name(1))) }
        #expect(hand.takeTransitions().map(\.to) == [.timeWait])
    }

    @Test func `As many messages as TIME_WAITs that ended between the same endpoints report no further end`() {
        let hand = tracker()
        for cookie in [9, 8] as [UInt64] {
            hand.dump([timeWait(name(cookie))])
            hand.dump([])
            hand.answer { _ in .gone }
        }
        #expect(hand.takeTransitions().count { $0.to == .closed } == 2)
        for cookie in [1, 2, 3] as [UInt64] {
            hand.take(.destroyed(message(name(cookie))))
            hand.answer { _ in .gone }
        }
        #expect(hand.paths() == ["3 ?>CLOSED"])
    }
}
