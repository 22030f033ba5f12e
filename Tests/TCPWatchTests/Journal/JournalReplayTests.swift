import ConnectionTracking
import SockDiag
import SocketValues
import Testing

@testable import TCPWatch

/// Journals that are written by hand, and what their replay delivers.
@Suite struct JournalReplayTests {
    private static let second: UInt64 = 1_000_000_000

    private func time(_ seconds: UInt64) -> EventTime {
        EventTime(
            monotonicNanoseconds: 100 * Self.second + seconds * Self.second,
            realtimeNanoseconds: 1_700_000_000 * Self.second + seconds * Self.second
        )
    }

    private func name(_ cookie: UInt64, port: UInt16 = 40_000) -> SocketName {
        let endpoints = Endpoints(local: (0, 0xc000_0201), port, remote: (0, 0xc633_6407), 443, interface: 0)
        return SocketName(SocketCookie(rawValue: cookie), endpoints, family: .ipv4)
    }

    private func dump(_ rows: [SocketRow], at seconds: UInt64, watcher: UInt32 = 0) -> [JournalEntry] {
        var facts: [Input.Fact] = [.dumpBegan(.all)]
        facts += rows.map { .row($0) }
        facts.append(.dumpEnded(isComplete: true))
        return facts.map { JournalEntry.input(watcher: watcher, Input($0, at: time(seconds))) }
    }

    private func replay(
        _ entries: [JournalEntry],
        states: TCPStateSet = .all,
        existing: Bool? = nil
    ) throws -> [SocketEvent] {
        let scratch = try JournalScratch()
        var header = JournalHeader(version: JournalScratch.version)
        header.states = states
        try scratch.write(entries, header: header)
        return try events(scratch, existing: existing)
    }

    private func events(_ scratch: borrowing JournalScratch, existing: Bool? = nil) throws -> [SocketEvent] {
        var replay = try JournalReplay(
            path: scratch.path,
            version: JournalScratch.version,
            reportsExisting: existing
        )
        var events: [SocketEvent] = []
        while true {
            let more = try replay.next()
            if more.isEmpty { return events }
            events += more
        }
    }

    private func transitions(_ events: [SocketEvent]) -> [Transition] {
        events.compactMap { if case .transition(let transition) = $0 { transition } else { nil } }
    }

    private var begin: JournalEntry { .namespace(watcher: 0, nil, TrackerConfiguration()) }

    @Test func aDumpThatDiffersFromTheLastIsATransition() throws {
        let row = SocketRow(name(1), .established, inode: 7, uid: 1000)
        var later = row
        later.state = .closeWait
        let events = try replay([begin] + dump([row], at: 0) + dump([later], at: 1))
        guard case .socket(let socket)? = events.first, case .ready? = events.dropFirst().first else {
            Issue.record("\(events)")
            return
        }
        #expect(socket.cookie.rawValue == 1 && socket.state == .established && socket.uid == 1000)
        #expect(socket.time == time(0))
        let transition = try #require(transitions(events).first)
        #expect((transition.from, transition.to) == (.established, .closeWait))
        #expect(transition.time == time(1) && transition.identity == row.name.identity)
        #expect(events.count == 3)
    }

    @Test func whatNobodyAskedForIsLeftOutAsItWas() throws {
        let row = SocketRow(name(1), .established, inode: 7, uid: 1000)
        var later = row
        later.state = .closeWait
        let entries = [begin] + dump([row], at: 0) + dump([later], at: 1)
        #expect(try replay(entries, states: .listen).count == 1)  // ready
        #expect(try transitions(replay(entries, states: .closeWait)).count == 1)
    }

    @Test func theSocketsThatExistedAreShownWithAllThatTheKernelSaid() throws {
        let row = SocketRow(name(1), .established, inode: 7, uid: 1000)
        var message = InetSocket(row.name.identity, state: .established, uid: 1000, inode: 7).withMessage { $0.array() }
        message[56] = 99  // idiag_rqueue
        let entries = [begin, .message(watcher: 0, message)] + dump([row], at: 0)
        guard case .socket(let socket)? = try replay(entries).first else { throw CancellationError() }
        #expect(socket.receiveQueue == 99)
        #expect(try replay(entries, existing: false).count == 1)  // ready
    }

    @Test func ownersAndNamespacesComeWithTheirSockets() throws {
        let namespace = NetworkNamespace(id: .init(device: 1, inode: 2), path: "", label: "web")
        let owner = SocketOwner(pid: 7, name: ProcessName("nginx"), descriptor: 3)
        let row = SocketRow(name(1), .established, inode: 7, uid: 1000)
        var later = row
        later.state = .closeWait
        var entries: [JournalEntry] = [begin, .namespace(watcher: 1, namespace, TrackerConfiguration())]
        entries += dump([row], at: 0, watcher: 1)
        entries += [.owners(watcher: 1, row.name.cookie, [owner]), .owners(watcher: 0, row.name.cookie, [])]
        entries += dump([later], at: 1, watcher: 1) + dump([row], at: 0)
        let transition = try #require(transitions(replay(entries)).first)
        #expect(transition.owners == [owner])
        #expect(transition.namespace?.label == "web")
    }

    @Test func allNamespacesAreReadyBeforeOneIsSaidToBe() throws {
        let row = SocketRow(name(1), .established, inode: 7, uid: 1000)
        let entries = [begin, .namespace(watcher: 1, nil, TrackerConfiguration())]
        let events = try replay(entries + dump([row], at: 0) + dump([row], at: 0, watcher: 1))
        let kinds = events.map { if case .ready = $0 { "ready" } else { "socket" } }
        #expect(kinds == ["socket", "socket", "ready"])
        let ended = try replay(entries + dump([row], at: 0) + [.namespaceEnded(watcher: 1)])
        if case .ready? = ended.last {} else { Issue.record("\(ended)") }
    }

    @Test func whatNoTrackerHearsOfIsDeliveredToo() throws {
        var gap = Gap(source: .namespace, reason: "the network namespace web has ended", lost: nil)
        gap.time = time(3)
        let namespace = NetworkNamespace(id: .init(device: 1, inode: 2), path: "", label: "web")
        let events = try replay([
            .namespace(watcher: 0, namespace, TrackerConfiguration()), .slowed(.milliseconds(500), at: time(2)),
            .gap(watcher: 0, gap), .namespaceEnded(watcher: 0),
        ])
        guard case .slowed(let interval, at: let moment)? = events.first,
            case .gap(let reported)? = events.dropFirst().first
        else { throw CancellationError() }
        #expect(interval == .milliseconds(500) && moment == time(2))
        #expect(reported.reason == gap.reason && reported.namespace == namespace && reported.time == time(3))
    }

    @Test func aJournalThatIsCutShortDeliversWhatIsWholeFirst() throws {
        let row = SocketRow(name(1), .established, inode: 7, uid: 1000)
        let scratch = try JournalScratch()
        try scratch.write([begin] + dump([row], at: 0), header: JournalHeader(version: JournalScratch.version))
        try scratch.replace(try scratch.bytes.dropLast())
        var replay = try JournalReplay(path: scratch.path, version: JournalScratch.version)
        #expect(try replay.next().count == 2)
        for _ in 0..<2 {
            do throws(KernelError) {
                _ = try replay.next()
                Issue.record("the end of a journal that is cut short")
            } catch {
                #expect(error.code == .malformedFile)
            }
        }
    }

    /// Whatever a stranger writes reaches the tracker, which has to bear it.
    @Test(arguments: 1...100 as ClosedRange<UInt64>)
    func noJournalMakesTheTrackerTrapAndTwoReplaysAreAlike(_ seed: UInt64) throws {
        var random = RandomEntries(seed: seed)
        let scratch = try JournalScratch()
        try scratch.write(random.entries(400), header: JournalHeader(version: JournalScratch.version))
        let (first, second) = (try? events(scratch), try? events(scratch))
        #expect(first == second)
    }
}
