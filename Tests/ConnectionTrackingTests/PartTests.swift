internal import SocketValues
internal import Testing

@testable internal import ConnectionTracking

@Suite("The parts of a tracker, each with its invariant")
struct PartTests {
    @Test func `The table finds each object by its key, whatever was removed before`() {
        var table = SocketTable()
        var random = SystemRandomNumberGenerator()
        var expected: [UInt64: SocketTable.Place] = [:]
        for _ in 0..<20_000 {
            let cookie = UInt64.random(in: 1...600, using: &random)
            if let place = expected.removeValue(forKey: cookie) {
                table.remove(place)
            } else {
                let kind: SocketEntry.Kind = cookie % 3 == 0 ? .minisocket : cookie % 3 == 1 ? .request : .socket
                let entry = SocketEntry(key(cookie), kind, in: .established, enteredAt: cookie, generation: 0)
                expected[cookie] = table.insert(entry)
            }
        }
        #expect(table.count == expected.count)
        for cookie in 1...600 as ClosedRange<UInt64> {
            let name = key(cookie)
            let found =
                cookie % 3 == 0 ? table.minisocket(name.cookie, name.endpoints) : table.socket(name.cookie)
            #expect(found == expected[cookie])
            if let found {
                #expect(table[found].cookie == name.cookie)
                #expect(table.openedAt(found) == cookie)
                #expect(table.minisocket(between: name.endpoints) == (cookie % 3 == 0 ? found : nil))
            }
        }
    }

    @Test func `A cookie has a socket and several minisockets, each found by its endpoints`() {
        var table = SocketTable()
        let cookie = SocketCookie(rawValue: 1)
        let names = (0..<4).map { SocketName(cookie, key(UInt64($0)).endpoints, family: .ipv4) }
        let socket = table.insert(SocketEntry(names[0], .socket, in: .established, enteredAt: 1, generation: 0))
        let rests = names[1...].map {
            table.insert(SocketEntry($0, .minisocket, in: .timeWait, enteredAt: 1, generation: 0))
        }
        #expect(table.socket(cookie) == socket)
        #expect(names[1...].map { table.minisocket(cookie, $0.endpoints) } == rests)
        #expect(Set(table.places(of: cookie)) == Set([socket] + rests))
        table.change(socket, to: .minisocket)
        #expect(table.socket(cookie) == nil)
        #expect(table.minisocket(cookie, names[0].endpoints) == socket)
        #expect(table.openedAt(socket) == 1)
    }

    @Test func `An entry has 80 bytes, and what belongs to a TIME_WAIT no more than 200 in all`() {
        #expect(MemoryLayout<SocketEntry>.stride == 80)
        // The entry, its bucket, two index slots at their emptiest, and its timer.
        #expect(MemoryLayout<SocketEntry>.stride + MemoryLayout<Bucket>.stride + 2 * 10 + 16 <= 200)
    }

    @Test func `Timers come in the order of their times`() {
        var queue = TimerQueue()
        var random = SystemRandomNumberGenerator()
        for cookie in 1...500 as ClosedRange<UInt64> {
            queue.add(SocketCookie(rawValue: cookie), due: UInt64.random(in: 0..<100, using: &random) * 1000 + cookie)
        }
        queue.compact { $0.rawValue % 2 == 0 }
        #expect(queue.count == 250)
        var last: UInt64 = 0
        var count = 0
        while queue.next != .max {
            let due = queue.next
            #expect(due >= last)
            #expect(queue.take(dueAt: due - 1) == nil)
            let cookie = queue.take(dueAt: due)
            #expect(cookie?.rawValue == due % 1000)
            (last, count) = (due, count + 1)
        }
        #expect(count == 250)
    }

    @Test
    func `A last transition waits for its RST, for longer where the machine is slow, and for no longer than a bound`() {
        var resets = ResetReports(reasons: [1: .abortOnClose])
        func last(_ cookie: UInt64, at time: UInt64) -> Transition {
            Transition(
                key(cookie).identity,
                from: .established,
                to: .closed,
                certainty: .exact,
                source: .trace,
                time: EventTime(monotonicNanoseconds: time, realtimeNanoseconds: time)
            )
        }
        resets.await(last(1, at: 0))
        #expect(resets.nextDeadline == 2_000_000)
        #expect(resets.takeDue(at: 1_999_999).isEmpty)
        #expect(resets.takeWaiting(key(1).cookie, resetAt: 10_000_000) != nil)
        resets.await(last(2, at: 0))
        #expect(resets.nextDeadline == 40_000_000)
        #expect(resets.takeWaiting(key(2).cookie, resetAt: 9_000_000_000) != nil)
        resets.await(last(3, at: 0))
        #expect(resets.nextDeadline == 200_000_000)
        #expect(resets.takeDue(at: 200_000_000).count == 1)
        #expect(resets.isEmpty)
    }

    @Test func `A RST whose transition does not come is forgotten`() {
        var resets = ResetReports(reasons: [:])
        resets.note(key(1).cookie, nil, at: 5)
        #expect(!resets.isEmpty)
        _ = resets.takeDue(at: resets.nextDeadline)
        #expect(resets.isEmpty)
    }

    @Test func `A listener is there until as many have gone as came`() {
        var ports = ListenerPorts()
        ports.add(80, since: 5)
        ports.add(80, since: 9)
        ports.remove(80)
        #expect(ports.contains(80))
        #expect(ports.since(80) == 5)
        ports.remove(80)
        ports.remove(80)
        #expect(ports.isEmpty)
    }

    private func key(_ cookie: UInt64) -> SocketName {
        let port = UInt16(truncatingIfNeeded: cookie)
        return SocketName(
            SocketCookie(rawValue: cookie),
            Endpoints(local: (0, 1), port, remote: (0, 2), 80, interface: 0),
            family: .ipv4
        )
    }
}
