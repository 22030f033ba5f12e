import SockDiag
import SocketOwners
import Testing

@testable import TCPStatesCommands
@testable import TCPWatch

/// Whose a socket is, where no process can be asked.
@Suite struct CommandSocketsTests {
    private static let owner = SocketOwner(pid: 4711, name: ProcessName("app"), descriptor: 7)

    private static func identity(_ local: UInt16, _ remote: UInt16, cookie: UInt64) -> SocketIdentity {
        SocketIdentity(
            family: .ipv4,
            local: SocketEndpoint(.loopbackIPv4, port: local),
            remote: SocketEndpoint(remote == 0 ? .anyIPv4 : .loopbackIPv4, port: remote),
            cookie: SocketCookie(rawValue: cookie)
        )
    }

    private static func step(
        _ identity: SocketIdentity,
        _ from: TCPState?,
        _ to: TCPState,
        _ change: (inout Transition) -> Void = { _ in }
    ) -> Transition {
        EventFixtures.step(from, to, after: 1, of: identity) {
            ($0.owners, $0.inode) = ([], nil)
            change(&$0)
        }
    }

    private static let listener = identity(8080, 0, cookie: 1)

    /// Sockets among which is a listener, COMMAND's or another program's.
    private static func sockets(ownListener: Bool) throws -> CommandSockets {
        var sockets = CommandSockets()
        let step = step(listener, .closed, .listen) { $0.owners = [owner] }
        sockets.note(step)
        let nobody = try OwnerSnapshot(of: [], in: ProcessSelection())
        _ = sockets.claim(nobody, of: ownListener ? [4711] : [], at: step.time)
        let isOwn = sockets.conclude(step)
        #expect(isOwn == ownListener)
        return sockets
    }

    @Test func aConnectionOfWhichOnlyTheEndIsKnownIsItsListeners() throws {
        var sockets = try Self.sockets(ownListener: true)
        let end = Self.step(Self.identity(8080, 40_000, cookie: 2), nil, .closed)
        sockets.note(end)
        let isOwn = sockets.conclude(end)
        #expect(isOwn)
        let removed = sockets.remove(end.identity.cookie, after: end)
        let socket = try #require(removed)
        #expect(socket.isOwn)
        #expect(socket.side == .passive)
    }

    @Test func aConnectionToAnothersListenerIsNotTold() throws {
        var sockets = try Self.sockets(ownListener: false)
        let end = Self.step(Self.identity(8080, 40_000, cookie: 2), nil, .closed)
        sockets.note(end)
        let isOwn = sockets.conclude(end)
        #expect(!isOwn)
        let removed = sockets.remove(end.identity.cookie, after: end)
        #expect(removed == nil)
    }

    @Test func ofAConnectionWithoutAListenerItCannotBeTold() throws {
        var sockets = try Self.sockets(ownListener: true)
        let end = Self.step(Self.identity(40_000, 443, cookie: 2), nil, .closed)
        sockets.note(end)
        let isOwn = sockets.conclude(end)
        #expect(!isOwn)
        let removed = sockets.remove(end.identity.cookie, after: end)
        let socket = try #require(removed)
        #expect(!socket.isOwn)
        #expect(socket.side == .active)
    }

    @Test func whatWasThereBeforeIsNotTold() throws {
        var sockets = try Self.sockets(ownListener: true)
        let end = Self.step(Self.identity(40_000, 443, cookie: 2), .timeWait, .closed)
        sockets.note(end)
        let isOwn = sockets.conclude(end)
        #expect(!isOwn)
        let removed = sockets.remove(end.identity.cookie, after: end)
        #expect(removed == nil)
    }

    @Test func countersOfAnUnknownSocketGoToItsTimeWait() throws {
        var sockets = try Self.sockets(ownListener: true)
        var counters = FinalCounters(nil)
        counters.bytesSent = 12
        sockets.note(counters, of: Self.identity(8080, 40_000, cookie: 2))
        let step = Self.step(Self.identity(8080, 40_000, cookie: 3), .closed, .timeWait) {
            $0.via = [.synReceived, .established]
        }
        sockets.note(step)
        #expect(sockets[step.identity.cookie]?.counters?.bytesSent == 12)
    }

    @Test func theCensusKeepsThePeaks() throws {
        var sockets = try Self.sockets(ownListener: true)
        for port in 1...3 as ClosedRange<UInt16> {
            let open = Self.step(Self.identity(8080, port, cookie: 10 + UInt64(port)), .closed, .established)
            sockets.note(open)
            _ = sockets.conclude(open)
        }
        sockets.note(Self.step(Self.identity(8080, 1, cookie: 11), .established, .closed))
        #expect(sockets.census.peak == 4)
        #expect(sockets.census.peaks[.established] == 3)
        #expect(sockets.census.now[.established] == 2)
    }

    @Test func whatAProcessHoldsIsTheCommandsAlsoWhereNoStepWasTold() throws {
        var sockets = CommandSockets()
        let client = Self.identity(40_000, 443, cookie: 2)
        let held = WatchedSocket(
            remembered: client,
            in: .established,
            uid: 0,
            inode: 9,
            namespace: nil,
            owners: [Self.owner]
        )
        let isNews = sockets.note(held: held)
        #expect(!isNews)
        let end = Self.step(client, nil, .closed)
        let told = sockets.note(end)
        #expect(told.from == .established)
        let socket = try #require(sockets[client.cookie])
        #expect(socket.isOwn)
        #expect(sockets.census.now[.established] == 0)
    }

    @Test func aListenerThatIsFoundLateHasItsConnections() throws {
        var sockets = CommandSockets()
        let end = Self.step(Self.identity(8080, 40_000, cookie: 2), nil, .closed)
        sockets.note(end)
        _ = sockets.conclude(end)
        let removed = sockets.remove(end.identity.cookie, after: end)
        #expect(removed?.isOwn == false)
        #expect(!sockets.isAccepted(end.identity))
        let held = WatchedSocket(
            remembered: Self.listener,
            in: .listen,
            uid: 0,
            inode: 9,
            namespace: nil,
            owners: [Self.owner]
        )
        _ = sockets.note(held: held)
        #expect(sockets.isAccepted(end.identity))
        #expect(!sockets.isAccepted(Self.listener))
    }

    @Test func whatVanishedUnseenIsNotLeft() throws {
        var sockets = CommandSockets()
        let held = WatchedSocket(
            remembered: Self.listener,
            in: .listen,
            uid: 0,
            inode: 9,
            namespace: nil,
            owners: [Self.owner]
        )
        _ = sockets.note(held: held)
        sockets.settle(held: [], at: .now())
        #expect(sockets.census.now[.listen] == 0)
        #expect(sockets.census.peaks[.listen] == 1)
    }
}
