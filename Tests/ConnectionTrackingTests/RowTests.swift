internal import ConnectionTracking
internal import SocketValues
internal import Testing

@Suite("What dumps and lookups say")
struct RowTests {
    @Test func `A row that a dump repeats reports nothing, and hides no missing one`() {
        let rows = [1, 2, 3].map { row(listener(UInt64($0), 8000 + UInt16($0)), .listen) }
        let hand = HandTracker(existing: rows + rows)
        #expect(hand.count == 3)
        #expect(hand.sockets.count == 3)
        hand.dump([rows[0], rows[0], rows[1], rows[0]])
        #expect(hand.lookups.map(\.subject) == [rows[2].name.cookie])
        hand.answer { _ in .gone }
        #expect(hand.paths() == ["3 LISTEN>CLOSED"])
    }

    @Test func `A socket that a dump has missed, and that is there, is neither ended nor reported`() {
        let socket = row(name(1), .established)
        let hand = HandTracker(existing: [socket])
        hand.dump([])
        hand.answer { _ in .found(socket) }
        #expect(hand.paths().isEmpty)
        #expect(hand.count == 1)
    }

    @Test func `A dump that was cut short proves no absence`() {
        let hand = HandTracker(existing: [row(name(1), .established)])
        hand.dump([], isComplete: false)
        #expect(hand.lookups.isEmpty)
    }

    @Test func `A lookup that fails is asked again after a pause, and ends nothing`() {
        let socket = row(name(1), .established)
        let hand = HandTracker(existing: [socket])
        hand.dump([])
        hand.answer { _ in .failed }
        #expect(hand.lookups.isEmpty)
        #expect(hand.paths().isEmpty)
        var asked = 0
        hand.pass(.seconds(1)) { _ in
            asked += 1
            return .found(socket)
        }
        #expect(asked == 1)
        #expect(hand.paths().isEmpty)
    }

    @Test func `A cookie that is connected again is another life, while the TIME_WAIT of the first is there`() {
        let hand = HandTracker(existing: [row(name(1), .finWait2)])
        hand.dump([], .allButTimeWait)
        hand.answer { _ in .found(timeWait(name(1))) }
        hand.dump([row(name(1, 1001), .established)], .allButTimeWait)
        for _ in 0..<5 { hand.dump([row(name(1, 1001), .established), timeWait(name(1))]) }
        #expect(hand.paths() == ["1 FIN_WAIT_2>TIME_WAIT", "1/1 CLOSED(SYN_SENT)>ESTABLISHED"])
        hand.pass(.seconds(120)) { $0.name == name(1) ? .gone : .found(row($0.name, .established)) }
        #expect(hand.paths() == ["1 TIME_WAIT>CLOSED"])
        #expect(hand.count == 1)
    }

    @Test func `A socket that was connected elsewhere between two dumps ends one life and begins another`() {
        let hand = HandTracker(existing: [row(name(1), .established)])
        hand.dump([row(name(1, 1001), .established)])
        hand.answer { $0.name == name(1) ? .gone : .found(row($0.name, .established)) }
        let paths = hand.paths().sorted()
        #expect(paths.count == 2)
        #expect(paths.contains { $0.hasPrefix("1 ESTABLISHED") && $0.hasSuffix(">CLOSED") })
        #expect(paths.contains("1/1 CLOSED(SYN_SENT)>ESTABLISHED"))
    }

    @Test func `The end of a TIME_WAIT comes by its timer and a lookup, with its cause`() {
        let hand = HandTracker(existing: [timeWait(name(1), rest: 5000)])
        hand.pass(.seconds(4)) { _ in .found(timeWait(name(1), rest: 1000)) }
        #expect(hand.paths().isEmpty)
        hand.pass(.seconds(2)) { _ in .gone }
        let ends = hand.takeTransitions()
        #expect(ends.map(\.path) == ["1 TIME_WAIT>CLOSED"])
        #expect(ends.map(\.cause) == [.timeWaitTimeout])
        #expect(hand.isEmpty)
    }

    @Test func `A TIME_WAIT that is gone before its time was reset, or gave way`() {
        for successor in [nil, row(name(2), .established)] {
            let hand = HandTracker(existing: [timeWait(name(1))])
            hand.dump([])
            hand.answer { lookup in
                lookup.purpose == .successor ? successor.map { .found($0) } ?? .gone : .gone
            }
            #expect(hand.takeTransitions().map(\.cause) == [successor == nil ? .receiveRST : .reuse])
        }
    }

    @Test func `When all sockets are gone and all timers have run, nothing is remembered`() {
        let existing = [row(name(1), .established), timeWait(name(2, 1001)), row(listener(3, 80), .listen)]
        let hand = HandTracker(existing: existing + [SocketRow(name(4, 80, 3000), .synReceived, timer: 1000)]) {
            $0.reportsDestroyed = true
        }
        for _ in 0..<3 {
            hand.dump([])
            hand.answer { _ in .gone }
        }
        hand.pass(.seconds(700)) { _ in .gone }
        #expect(hand.count == 0)
        #expect(hand.isEmpty)
    }
}
