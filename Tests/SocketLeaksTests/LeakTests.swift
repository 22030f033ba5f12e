import Glibc
import LinuxSystem
import SockDiag
import SocketOwners
import TCPStateLab
import TCPWatch
import Testing

@testable import SocketLeaks

@Suite struct LeakTests {
    private func own() throws -> Set<ProcessIdentity> {
        [try #require(try identity(of: getpid()))]
    }

    private func identity(of pid: Int32) throws -> ProcessIdentity? {
        ProcessIdentity(of: pid, in: try ProcessDirectory())
    }

    /// A search whose window begins now in the lab.
    private func search(_ lab: Lab, _ rules: LeakRules = LeakRules()) throws -> LeakSearch {
        let namespace = try NetworkNamespace(path: lab.namespace.path)
        return try LeakSearch(rules, in: [namespace])
    }

    private func states(_ held: [HeldSocket]) -> [String] { held.map(\.socket.state.description).sorted() }

    @Test func whatIsOpenedInTheWindowIsFoundWithItsDescriptor() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let search = try search(lab)
        let pair = try lab.loopbackPair()
        let found = try search.heldSockets(by: own())
        #expect(states(found) == ["ESTABLISHED", "ESTABLISHED", "LISTEN"])
        let client = try #require(found.map(\.socket).first { $0.local.port == pair.client.local.port })
        #expect(client.owners.map(\.pid) == [getpid()])
        #expect(client.namespace != nil)
    }

    @Test(arguments: [0, 1, 5000]) func countersShowWhichSideOpenedAConnection(_ bytes: Int) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let search = try search(lab)
        let pair = try lab.loopbackPair()
        try pair.send([UInt8](repeating: 1, count: bytes), from: .client)
        try pair.send([UInt8](repeating: 1, count: bytes), from: .accepted)
        let found = try search.heldSockets(by: own())
        for (socket, side) in [(pair.client, OpeningSide.active), (pair.accepted, .passive)] {
            let cookie = try socket.cookie()
            #expect(found.map(\.socket).first { $0.cookie == cookie }?.measuredSide == side)
        }
    }

    @Test func whatWasThereBeforeIsNoLeak() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try lab.loopbackPair()
        let search = try search(lab)
        #expect(try search.heldSockets(by: own()).isEmpty)
    }

    @Test func whatAnotherProcessHoldsIsNoLeak() throws {
        let first = try #require(try identity(of: 1))
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let search = try search(lab)
        try lab.loopbackPair()
        #expect(try search.heldSockets(by: [first]).isEmpty)
    }

    @Test func whatTheKernelFinishesByItselfIsNoLeak() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let search = try search(lab)
        try lab.client(in: .timeWait)
        let orphan = try lab.client(in: .finWait1)
        orphan.socket?.close()
        #expect(try search.heldSockets(by: own()).isEmpty)
    }

    @Test func aConnectionThatWaitsToBeAcceptedBelongsToItsListener() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let search = try search(lab)
        try lab.server(in: .closeWait, accepted: false)
        let found = try search.heldSockets(by: own())
        #expect(states(found) == ["LISTEN"])
    }

    @Test func aFilterAndStatesSayWhatDoesNotCount() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let port = try lab.listener().local.port
        var ignoring = LeakRules()
        ignoring.ignored = .localPort == port || .pid(getpid()) && .state(.listen)
        ignoring.states = .all.subtracting(.established)
        let search = try search(lab, ignoring)
        try lab.loopbackPair()
        try lab.bound()
        let found = try search.heldSockets(by: own())
        #expect(states(found) == ["BOUND"])
    }

    @Test func aLeakReadsAsReviewed() throws {
        let closeWait = try Self.leak(
            .closeWait,
            [(.closed, [.synReceived], .established), (.established, [], .closeWait)]
        )
        let expected = """
            CLOSE_WAIT 127.0.0.1:8080 ← 127.0.0.1:43014, 2.0 s old, held by server(4711):7
              CLOSED → SYN_RCVD → ESTABLISHED → CLOSE_WAIT (after 1.0 s)
              the peer closed and nobody called close() here
            """
        #expect(closeWait.description == expected)
        let client = try Self.leak(.established, [(.closed, [.synSent], .established)])
        #expect(client.summary.contains("127.0.0.1:8080 → 127.0.0.1:43014"))
        #expect(client.reason == "the client, or the pool that keeps its connection, was not shut down")
        let listener = try Self.leak(.listen, [])
        #expect(listener.summary == "LISTEN 127.0.0.1:8080, held by server(4711):7")
        #expect(listener.path == nil)
    }

    @Test(arguments: TCPState.allCases)
    func everyStateHasAReasonOfItsOwn(_ state: TCPState) throws {
        let reason = try Self.leak(state, []).reason
        #expect(reason != "nobody closed it")
    }

    private static func leak(
        _ state: TCPState,
        _ path: [(from: TCPState, via: [TCPState], to: TCPState)]
    ) throws -> SocketLeak {
        let identity = SocketIdentity(
            family: .ipv4,
            local: SocketEndpoint(.loopbackIPv4, port: 8080),
            remote: SocketEndpoint(.loopbackIPv4, port: 43014),
            cookie: SocketCookie(rawValue: 7)
        )
        let socket = InetSocket(identity, state: state, uid: 0, inode: 9)
        var history: [Transition] = []
        for (index, change) in path.enumerated() {
            let time = UInt64(index + 1) * 1_000_000_000
            var transition = Transition(
                identity,
                from: change.from,
                to: change.to,
                via: change.via,
                certainty: .inferred,
                source: .poll,
                time: EventTime(monotonicNanoseconds: time, realtimeNanoseconds: time)
            )
            if change.from != .closed { transition.timeInState = .seconds(1) }
            history.append(transition)
        }
        let owner = SocketOwner(pid: 4711, name: ProcessName("server"), descriptor: 7)
        let watched = WatchedSocket(socket: socket, owners: [owner])
        return SocketLeak(
            watched,
            history: history,
            at: EventTime(monotonicNanoseconds: 3_000_000_000, realtimeNanoseconds: 0)
        )
    }
}
