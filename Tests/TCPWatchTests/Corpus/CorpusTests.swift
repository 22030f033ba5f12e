internal import SockDiag
internal import Testing

@testable internal import TCPWatch

/// Needs neither a kernel nor privilege: what the kernel said lies in the journals. `make journals` makes them anew.
@Suite("The corpus of journals", .enabled(if: !Corpus.isRecording, "the journals are being made anew"))
struct CorpusTests {
    @Test(arguments: Corpus.names)
    func `A journal is replayed to the events that were delivered when it was made`(name: String) throws {
        let (header, events) = try Corpus.replay(name)
        let lines = EventLine.lines(events, since: header.start)
        if Corpus.isUpdating { try Corpus.expect(lines, of: name) }
        let expected = try Corpus.expected(name)
        let difference = zip(lines, expected).first { $0 != $1 }
        #expect(
            lines == expected,
            """
            first \(difference?.0 ?? "\(lines.count) lines") for \(difference?.1 ?? "\(expected.count) lines"); where that \
            is better: UPDATE_SNAPSHOTS=1 swift test --filter CorpusTests
            """
        )
        // Whatever was expected: it has to be possible.
        let faults = EventOracle.faults(in: events, isTraced: header.isTracing)
        #expect(faults.isEmpty)
        #expect(header.isTracing == name.hasPrefix("trace-"))
    }

    @Test(arguments: Corpus.names)
    func `Two replays of a journal are equal, byte for byte`(name: String) throws {
        let (first, second) = (try Corpus.replay(name), try Corpus.replay(name))
        #expect(first.header == second.header)
        #expect(first.events == second.events)
    }

    @Test func `Every scenario has its journals, and every journal its scenario`() {
        let wanted = Set(Scenario.all.flatMap { scenario in scenario.modes.map { scenario.fileName($0) } })
        let there = Set(Corpus.names)
        #expect(wanted.subtracting(there).isEmpty, "make journals")
        #expect(there.subtracting(wanted).isEmpty, "nobody makes them any more: git rm")
    }

    @Test(arguments: Corpus.names)
    func `A journal reveals nothing of the machine that it was made on but its kernel's version`(name: String) throws {
        let (_, events) = try Corpus.replay(name)
        let reader = try JournalReader(path: Corpus.journal(name), version: Corpus.version)
        #expect(reader.header.bootID.isEmpty)
        #expect(reader.header.kernel.allSatisfy { $0.isNumber || $0 == "." })
        while let entry = try reader.next() {
            switch entry {
            case .namespace(_, let namespace, _): #expect(namespace == nil)
            case .owners: Issue.record("\(entry)")
            default: break
            }
        }
        let foreign = Set(events.flatMap(\.addresses)).subtracting(EventOracle.labAddresses)
        #expect(foreign.isEmpty)
    }
}

extension SocketEvent {
    fileprivate var addresses: [IPAddress] {
        switch self {
        case .socket(let socket): [socket.local.address, socket.remote.address]
        case .transition(let transition): [transition.identity.local.address, transition.identity.remote.address]
        default: []
        }
    }
}
