internal import ConnectionTracking
internal import SocketValues
internal import Testing

@Suite("The tracepoints' reports, as a tracker takes them")
struct TracedTransitionTests {
    private func tracker(_ existing: [SocketRow] = []) -> HandTracker {
        HandTracker(existing: existing) {
            $0.reportsTransitions = true
            $0.reportsRefusals = true
            $0.resetReasons = [7: .abortOnClose]
        }
    }

    private func transition(
        _ name: SocketName,
        _ from: TCPState,
        _ to: TCPState,
        _ rest: SocketRest? = nil,
        pid: Int32? = nil
    )
        -> Input.Fact
    {
        .transition(TracedTransition(name, from: from, to: to, uid: 1000, pid: pid, rest: rest))
    }

    @Test func `A refused connect that is tried again is another life under its cookie`() {
        let hand = tracker()
        for port in [1000, 1001] as [UInt16] {
            hand.take(transition(name(1, 0), .closed, .synSent, pid: 5))
            hand.take(.reset(ReportedReset(SocketCookie(rawValue: 1), in: .synSent, reason: nil)))
            hand.take(transition(name(1, port), .synSent, .closed, SocketRest(error: .refused)))
        }
        let reported = hand.takeTransitions()
        #expect(
            reported.map(\.path) == [
                "1 CLOSED>SYN_SENT", "1 SYN_SENT>CLOSED", "1/1 CLOSED>SYN_SENT", "1/1 SYN_SENT>CLOSED",
            ]
        )
        #expect(reported.map(\.identity.local.port) == [1000, 1000, 1001, 1001])
        #expect(reported.map(\.cause) == [.connect, .receiveRST, .connect, .receiveRST])
        #expect(reported.map(\.pid) == [5, nil, 5, nil])
    }

    @Test func `A connect that fails by itself has sent nothing and got no port`() {
        let hand = tracker()
        var sent = SocketRest()
        sent.counters.segmentsOut = 1
        for (cookie, port, rest) in [(1, 0, SocketRest()), (2, 0, sent), (3, 1003, SocketRest())]
            as [(UInt64, UInt16, SocketRest)]
        {
            hand.take(transition(name(cookie, 0), .closed, .synSent, pid: 5))
            hand.take(transition(name(cookie, port), .synSent, .closed, rest, pid: 5))
        }
        #expect(hand.takeTransitions().filter { $0.to == .closed }.map(\.cause) == [.noPort, .close, .close])
    }

    @Test func `A connection that nobody has accepted ends with its listener, where no error has ended it`() {
        let hand = tracker([row(name(1), .established), row(name(2), .established), row(name(3), .established)])
        let rest = SocketRest(isUnaccepted: true)
        hand.take(transition(name(1), .established, .closed, rest))
        hand.take(.reset(ReportedReset(SocketCookie(rawValue: 1), in: .closed, reason: 7)))
        hand.take(transition(name(2), .established, .closed, SocketRest(error: .reset, isUnaccepted: true)))
        hand.take(transition(name(3), .established, .closed, SocketRest(), pid: 5))
        hand.pass(.seconds(1)) { _ in .gone }
        let reported = hand.takeTransitions()
        #expect(reported.map(\.cause) == [.listenerClosed, .receiveRST, .abort])
        #expect(reported.map(\.resetReason) == [.abortOnClose, nil, nil])
    }

    @Test(arguments: [SocketFailure.unreachable, .reset, .timedOut])
    func `An error that was there before has not ended a connection that FINs or a call end`(old: SocketFailure) {
        let hand = tracker([row(name(1), .established), row(name(2), .established), row(name(3), .established)])
        let rest = SocketRest(error: old, isPeerDone: true, isOrphan: true, isBelowTimeWaitLimit: true)
        hand.take(transition(name(1), .established, .closeWait, SocketRest(error: old)))
        hand.take(transition(name(1), .closeWait, .lastAck, SocketRest(error: old), pid: 5))
        hand.take(transition(name(1), .lastAck, .closed, rest))
        hand.take(transition(name(2), .established, .finWait1, SocketRest(error: old), pid: 5))
        hand.take(transition(name(2), .finWait1, .finWait2, SocketRest(error: old)))
        hand.take(transition(name(2), .finWait2, .closed, SocketRest(error: old, isOrphan: true)))
        // A minisocket, which is looked up.
        hand.pass(.seconds(1)) { _ in .found(timeWait(name(2))) }
        hand.take(transition(name(3), .established, .closed, SocketRest(error: old)))
        hand.pass(.seconds(1)) { _ in .gone }
        let reported = hand.takeTransitions()
        #expect(reported.filter { $0.identity.cookie.rawValue == 1 }.last?.cause == .receiveACK)
        #expect(reported.filter { $0.identity.cookie.rawValue == 2 }.map(\.to) == [.finWait1, .finWait2, .timeWait])
        // First seen with the last transition, and no call: it ended it.
        let cause: TCPStep.Trigger = old == .reset ? .receiveRST : .timeout
        #expect(reported.filter { $0.identity.cookie.rawValue == 3 }.map(\.cause) == [cause])
    }

    @Test func `The same error again, that no call and no FIN explains, is what ended a connection`() {
        let hand = tracker()
        hand.take(transition(name(1), .closed, .synSent, SocketRest(error: .refused), pid: 5))
        hand.take(.reset(ReportedReset(SocketCookie(rawValue: 1), in: .synSent, reason: nil)))
        hand.take(transition(name(1), .synSent, .closed, SocketRest(error: .refused), pid: 5))
        hand.take(transition(name(2), .closed, .synSent, SocketRest(error: .timedOut), pid: 5))
        hand.take(transition(name(2), .synSent, .closed, SocketRest(error: .timedOut)))
        #expect(hand.takeTransitions().map(\.cause) == [.connect, .receiveRST, .connect, .timeout])
    }

    @Test
    func
        `An IPv4-mapped 4-tuple and its IPv4 form are one, for a SYN and its child and for what takes a TIME_WAIT's place`()
    {
        let hand = tracker()
        hand.take(transition(name(2), .closed, .synSent))
        let syn = hand.time
        let child = mapped(name(3, 2000, 1000))
        hand.take(.transition(TracedTransition(child, from: .synReceived, to: .established, rtt: 5_000_000)))
        let request = hand.takeTransitions().first { $0.to == .synReceived }
        #expect(request?.time.monotonicNanoseconds ?? 0 >= syn)
        hand.take(transition(child, .established, .finWait1))
        hand.take(transition(child, .finWait1, .finWait2))
        let rest = SocketRest(isPeerDone: true, isOrphan: true, isBelowTimeWaitLimit: true)
        hand.take(transition(child, .finWait2, .closed, rest))
        _ = hand.takeTransitions()
        hand.take(.transition(TracedTransition(name(4, 2000, 1000), from: .synReceived, to: .established)))
        let reported = hand.takeTransitions()
        #expect(reported.map(\.path) == ["3 TIME_WAIT>CLOSED", "4 CLOSED>SYN_RCVD", "4 SYN_RCVD>ESTABLISHED"])
        #expect(reported.first?.cause == .reuse)
    }

    @Test func `A listener that was connected before, and aborted, ends by its program`() {
        let hand = tracker()
        hand.take(transition(listener(1, 80), .closed, .listen, SocketRest(error: .reset), pid: 5))
        hand.take(transition(listener(1, 80), .listen, .closed, SocketRest(error: .reset), pid: 5))
        #expect(hand.takeTransitions().map(\.cause) == [.listen, .close])
    }

    @Test func `A process is reported with a call's transition, and with no segment's`() {
        let hand = tracker([row(name(1), .synSent)])
        hand.take(transition(name(1), .synSent, .established, pid: 5))
        hand.take(transition(name(1), .established, .closeWait, pid: 5))
        hand.take(transition(name(1), .closeWait, .lastAck, pid: 5))
        #expect(hand.takeTransitions().map(\.pid) == [nil, nil, 5])
    }

    @Test func `A socket whose connection has ended is forgotten when its program closes it`() {
        let hand = tracker()
        refuse(hand, 1)
        #expect(hand.count == 0)
        hand.take(.released(SocketCookie(rawValue: 1)))
        #expect(hand.objectCount == 0)
        #expect(hand.paths() == ["1 CLOSED>SYN_SENT", "1 SYN_SENT>CLOSED"])
    }

    @Test func `However many sockets are kept in CLOSED, the next connection of one is its next`() {
        let hand = tracker()
        for cookie in 1...20_000 as ClosedRange<UInt64> { refuse(hand, cookie) }
        // No more are remembered than a number of them.
        #expect(hand.objectCount == 8192)
        _ = hand.paths()
        for cookie in [1, 11_000, 20_000] as [UInt64] { refuse(hand, cookie) }
        #expect(hand.takeTransitions().map(\.incarnation) == [1, 1, 1, 1, 1, 1])
    }

    private func refuse(_ hand: HandTracker, _ cookie: UInt64) {
        hand.take(transition(name(cookie), .closed, .synSent))
        hand.take(transition(name(cookie), .synSent, .closed, SocketRest(error: .refused)))
    }

    @Test(arguments: [true, false])
    func `A filter on the user finds what is left of a socket as it found the socket`(isFound: Bool) {
        let hand = tracker()
        let (socket, rest) = (isFound ? StateMask.all : [], isFound ? [] : StateMask.all)
        func transition(_ from: TCPState, _ to: TCPState, _ left: SocketRest? = nil) {
            hand.take(
                .transition(TracedTransition(name(1), from: from, to: to, uid: 1000, matching: socket, rest: left))
            )
        }
        transition(.closed, .synSent)
        transition(.synSent, .established)
        transition(.established, .finWait1)
        transition(.finWait1, .finWait2)
        transition(.finWait2, .closed, SocketRest(isOrphan: true))
        // A minisocket has no owner.
        var row = SocketRow(name(1), .finWait2, isMinisocket: true, timer: 60_000, matching: rest)
        hand.pass(.milliseconds(100)) { _ in .found(row) }
        row.state = .timeWait
        hand.pass(.seconds(70)) { _ in .found(row) }
        hand.pass(.seconds(130)) { _ in .gone }
        let ends = ["1 FIN_WAIT_2>TIME_WAIT", "1 TIME_WAIT>CLOSED"]
        #expect(hand.paths().suffix(2) == (isFound ? ends[...] : []))
        #expect(hand.isEmpty)
    }

    @Test func `The request before a child is derived, and not older than its listener and its client's SYN`() {
        let hand = tracker()
        hand.take(transition(listener(1, 2000), .closed, .listen))
        let since = hand.time
        hand.take(transition(name(2), .closed, .synSent))
        let syn = hand.time
        hand.take(
            .transition(TracedTransition(name(3, 2000, 1000), from: .synReceived, to: .established, rtt: 5_000_000))
        )
        let request = hand.takeTransitions().first { $0.to == .synReceived }
        #expect(request?.certainty == .derived)
        #expect(request?.time.monotonicNanoseconds ?? 0 >= max(since, syn))
    }

    @Test
    func `A RST that was reported before its transition belongs to it however late that comes, but to no later one`() {
        let hand = tracker([row(name(1), .established), row(name(2, 1001), .established)])
        for cookie in [1, 2] as [UInt64] {
            hand.take(.reset(ReportedReset(SocketCookie(rawValue: cookie), in: .established, reason: 7)))
        }
        hand.time += 1_000_000_000
        hand.take(transition(name(2, 1001), .established, .closeWait))
        hand.take(transition(name(1), .established, .closed, SocketRest()))
        hand.take(transition(name(2, 1001), .closeWait, .closed, SocketRest(error: .timedOut)))
        let ends = hand.takeTransitions().filter { $0.to == .closed }
        #expect(ends.map(\.cause) == [.abort, .timeout])
        #expect(ends.map(\.resetReason) == [.abortOnClose, nil])
    }

    @Test func `An orphan in FIN_WAIT_2 that is gone at the first lookup has no timeout for its cause`() {
        let hand = tracker([row(name(1), .finWait2)])
        hand.take(transition(name(1), .finWait2, .closed, SocketRest(isOrphan: true)))
        hand.pass(.seconds(1)) { _ in .gone }
        let end = hand.takeTransitions().last
        #expect(end?.to == .closed)
        #expect(end?.cause != .timeout)
    }

    @Test
    func
        `A transition from CLOSED_WAIT on after a loss is filled in, and a report that a dump has outrun is passed over`()
    {
        let hand = tracker([row(name(1), .established)])
        hand.take(.lost(Loss(.trace, .overrun, count: 2)))
        hand.take(transition(name(1), .closeWait, .lastAck))
        #expect(hand.gaps.map(\.lost) == [2])
        #expect(hand.paths() == ["1 ESTABLISHED>CLOSE_WAIT", "1 CLOSE_WAIT>LAST_ACK"])
    }

    @Test func `A lookup does not contradict the tracepoints at once: its report may be on its way`() {
        let hand = tracker([row(name(1), .established)])
        hand.dump([row(name(1), .closeWait)])
        hand.answer { _ in .found(row(name(1), .closeWait)) }
        #expect(hand.paths().isEmpty)
        hand.take(transition(name(1), .established, .closeWait))
        #expect(hand.takeTransitions().map(\.certainty) == [.exact])
        hand.pass(.seconds(1)) { _ in .found(row(name(1), .closeWait)) }
        #expect(hand.paths().isEmpty)
    }

    @Test func `The state that is reported anew is what is known, and then comes what follows`() {
        let hand = tracker([row(name(1), .established), row(listener(2, 80), .listen)])
        let before = hand.sockets.count
        hand.take(transition(name(1), .established, .closeWait))
        hand.take(.resynchronize)
        let anew = hand.sockets.dropFirst(before).map { "\($0.name.cookie) \($0.state)" }
        #expect(anew == ["1 CLOSE_WAIT", "2 LISTEN"])
    }
}
