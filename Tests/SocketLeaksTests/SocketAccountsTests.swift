import SockDiag
import SocketOwners
import TCPWatch
import Testing

@testable import SocketLeaks

/// Whose a socket is, where no process can be asked.
@Suite struct SocketAccountsTests {
    private static let app = ProcessIdentity(pid: 4711, startTime: 100)
    private static let owner = SocketOwner(pid: 4711, name: ProcessName("app"), descriptor: 7)
    private static let holder = SocketHolder(owner, of: app)

    private static func time(_ milliseconds: UInt64) -> EventTime {
        EventTime(monotonicNanoseconds: milliseconds * 1_000_000, realtimeNanoseconds: milliseconds * 1_000_000)
    }

    private static func identity(_ local: UInt16, _ remote: UInt16, cookie: UInt64) -> SocketIdentity {
        SocketIdentity(
            family: .ipv4,
            local: SocketEndpoint(.loopbackIPv4, port: local),
            remote: SocketEndpoint(remote == 0 ? .anyIPv4 : .loopbackIPv4, port: remote),
            cookie: SocketCookie(rawValue: cookie)
        )
    }

    private static func transition(
        _ identity: SocketIdentity,
        _ from: TCPState?,
        _ to: TCPState,
        at milliseconds: UInt64 = 1,
        _ change: (inout Transition) -> Void = { _ in }
    ) -> Transition {
        var transition = Transition(
            identity,
            from: from,
            to: to,
            certainty: .observed,
            source: .poll,
            time: time(milliseconds)
        )
        change(&transition)
        return transition
    }

    private static let listener = identity(8080, 0, cookie: 1)

    private static func accounts() -> SocketAccounts {
        SocketAccounts(processesOf: LeakScope("app", rules: LeakRules()))
    }

    /// Sockets among which is a listener, the scope's or another program's.
    private static func accounts(ownListener: Bool) throws -> SocketAccounts {
        var accounts = accounts()
        let transition = transition(listener, .closed, .listen) { $0.owners = [owner] }
        accounts.note(transition)
        _ = accounts.claim(HolderSnapshot(), of: ownListener ? [app] : [], at: transition.time)
        let isOwn = accounts.conclude(transition)
        #expect(isOwn == ownListener)
        return accounts
    }

    private static func held(_ identity: SocketIdentity, _ state: TCPState) -> HeldSocket {
        let socket = WatchedSocket(
            remembered: identity,
            in: state,
            uid: 0,
            inode: 9,
            namespace: nil,
            owners: []
        )
        return HeldSocket(socket, by: [holder])
    }

    /// Takes the last transition of a connection: what is known of it then; nil where it is not the scope's.
    private static func last(
        _ accounts: inout SocketAccounts,
        _ local: UInt16,
        _ remote: UInt16,
        from: TCPState? = nil
    ) -> SocketAccount? {
        let end = transition(identity(local, remote, cookie: 2), from, .closed)
        accounts.note(end)
        _ = accounts.conclude(end)
        return accounts.remove(end.identity.cookie, after: end)
    }

    @Test func aConnectionOfWhichOnlyTheEndIsKnownIsItsListeners() throws {
        var accounts = try Self.accounts(ownListener: true)
        let ended = Self.last(&accounts, 8080, 40_000)
        let socket = try #require(ended)
        #expect(socket.isOwn)
        #expect(socket.side == .passive)
    }

    @Test func aConnectionToAnothersListenerIsNotReported() throws {
        var accounts = try Self.accounts(ownListener: false)
        let isReported = Self.last(&accounts, 8080, 40_000) != nil
        #expect(!isReported)
    }

    @Test func ofAConnectionWithoutAListenerItCannotBeKnown() throws {
        var accounts = try Self.accounts(ownListener: true)
        let ended = Self.last(&accounts, 40_000, 443)
        let socket = try #require(ended)
        #expect(!socket.isOwn)
        #expect(socket.side == .active)
    }

    @Test func whatWasThereBeforeIsNotReported() throws {
        var accounts = try Self.accounts(ownListener: true)
        let isReported = Self.last(&accounts, 40_000, 443, from: .timeWait) != nil
        #expect(!isReported)
    }

    @Test func countersOfAnUnknownSocketGoToItsTimeWait() throws {
        var accounts = try Self.accounts(ownListener: true)
        var counters = FinalCounters()
        counters.bytesSent = 12
        accounts.note(counters, of: Self.identity(8080, 40_000, cookie: 2))
        let transition = Self.transition(Self.identity(8080, 40_000, cookie: 3), .closed, .timeWait) {
            $0.via = [.synReceived, .established]
        }
        accounts.note(transition)
        #expect(accounts[transition.identity.cookie]?.life.counters?.bytesSent == 12)
    }

    @Test func theTallyKeepsThePeaks() throws {
        var accounts = try Self.accounts(ownListener: true)
        for port in 1...3 as ClosedRange<UInt16> {
            let open = Self.transition(Self.identity(8080, port, cookie: 10 + UInt64(port)), .closed, .established)
            accounts.note(open)
            _ = accounts.conclude(open)
        }
        accounts.note(Self.transition(Self.identity(8080, 1, cookie: 11), .established, .closed))
        #expect(accounts.states.peak == 4)
        #expect(accounts.states.peaks[.established] == 3)
        #expect(accounts.states.now[.established] == 2)
    }

    @Test func whatAProcessHoldsIsTheScopesAlsoWhereNoTransitionWasReported() throws {
        var accounts = Self.accounts()
        let client = Self.identity(40_000, 443, cookie: 2)
        let isNews = accounts.note(held: Self.held(client, .established), at: Self.time(1))
        #expect(!isNews)
        let end = Self.transition(client, nil, .closed)
        let completed = accounts.note(end)
        #expect(completed.from == .established)
        let socket = try #require(accounts[client.cookie])
        #expect(socket.isOwn)
        #expect(accounts.states.now[.established] == 0)
    }

    @Test func aListenerThatIsFoundLateHasItsConnections() throws {
        var accounts = Self.accounts()
        let ended = Self.last(&accounts, 8080, 40_000)
        let removed = try #require(ended)
        #expect(!removed.isOwn)
        #expect(!accounts.completed(removed).isOwn)
        accounts.note(held: Self.held(Self.listener, .listen), at: Self.time(1))
        #expect(accounts.completed(removed).isOwn)
        #expect(accounts.completed(removed).side == .passive)
        let listener = SocketAccount(Self.listener, .candidates([]), at: Self.time(1))
        #expect(!accounts.completed(listener).isOwn)
    }

    @Test func aClientThatHasTheNumberOfAServersPortIsNotAccepted() throws {
        var accounts = try Self.accounts(ownListener: true)
        let client = Self.identity(8080, 443, cookie: 2)
        let open = Self.transition(client, .closed, .synSent)
        accounts.note(open)
        let isOwn = accounts.conclude(open)
        #expect(!isOwn)
        let account = try #require(accounts[client.cookie])
        #expect(!accounts.completed(account).isOwn)
        #expect(accounts.completed(account).side == .active)
    }

    @Test func whatWasFilledInBeforeItsListenerWasKnownIsNoEvidence() throws {
        var accounts = Self.accounts()
        let accepted = Self.identity(8080, 40_000, cookie: 2)
        let open = Self.transition(accepted, .closed, .established) { $0.via = [.synSent] }
        accounts.note(open)
        _ = accounts.conclude(open)
        accounts.note(held: Self.held(Self.listener, .listen), at: Self.time(2))
        let account = try #require(accounts[accepted.cookie])
        #expect(account.side == .active)
        #expect(accounts.completed(account).side == .passive)
    }

    @Test func whatVanishedUnseenIsNotLeft() throws {
        var accounts = Self.accounts()
        accounts.note(held: Self.held(Self.listener, .listen), at: Self.time(1))
        accounts.settle(held: [], at: Self.time(2))
        #expect(accounts.states.now[.listen] == 0)
        #expect(accounts.states.peaks[.listen] == 1)
    }

    // MARK: - Processes

    /// A transition of a new socket whose owner a watcher knows by its number, at a time.
    private static func conclude(_ accounts: inout SocketAccounts, _ cookie: UInt64, at milliseconds: UInt64) -> Bool {
        let transition = transition(identity(40_000, 443, cookie: cookie), .closed, .established, at: milliseconds) {
            $0.owners = [owner]
        }
        accounts.note(transition)
        return accounts.conclude(transition)
    }

    @Test func aNumberThatIsUsedAgainClaimsNoStrangersSocket() {
        var accounts = Self.accounts()
        accounts.noteProcesses([Self.app], at: 10_000_000)
        let isOwn = Self.conclude(&accounts, 2, at: 15)
        #expect(isOwn)
        // It has ended by 20 ms. A stranger has its number at 30 ms.
        accounts.noteProcesses([], at: 20_000_000)
        let isStrangers = !Self.conclude(&accounts, 3, at: 30)
        #expect(isStrangers)
        // What was opened before it ended may be reported after.
        let isLate = Self.conclude(&accounts, 4, at: 19)
        #expect(isLate)
    }

    @Test func aNumberThatAStrangerHadBeforeClaimsNoneOfItsSockets() {
        var accounts = Self.accounts()
        accounts.noteProcesses([], at: 10_000_000)
        accounts.noteProcesses([Self.app], at: 20_000_000)
        let isStrangers = !Self.conclude(&accounts, 2, at: 5)
        #expect(isStrangers)
        let isOwn = Self.conclude(&accounts, 3, at: 25)
        #expect(isOwn)
    }

    @Test func twoProcessesOfOneNumberAreTwo() {
        var group = ProcessGroup()
        let next = ProcessIdentity(pid: 4711, startTime: 200)
        group.update([Self.app], at: 10)
        group.update([], at: 20)
        group.update([next], at: 40)
        #expect(group.process(4711, at: 15) == Self.app)
        #expect(group.process(4711, at: 30) == next)
        #expect(group.process(4711, at: 50) == next)
        #expect(group.count == 2)
    }

    @Test func aProcessThatASnapshotHasMissedHasNotEnded() {
        var group = ProcessGroup()
        group.update([Self.app], at: 10)
        group.update([], at: 20)
        group.update([Self.app], at: 30)
        #expect(group.process(4711, at: 25) == Self.app)
        #expect(!group.hasEnded(by: 100))
    }

    @Test func aProcessThatHasEndedIsForgottenWhenItsSocketsAreSettled() {
        var accounts = Self.accounts()
        let client = Self.identity(40_000, 443, cookie: 2)
        let seconds: UInt64 = 1_000_000_000
        accounts.noteProcesses([Self.app], at: seconds)
        accounts.note(Self.transition(client, .closed, .established, at: 1000))
        accounts.note(held: Self.held(client, .established), at: Self.time(1001))
        accounts.note(Self.transition(client, .established, .timeWait, at: 2000))
        accounts.noteProcesses([], at: 2 * seconds)
        // A minute of TIME_WAIT later it is still known whose that was.
        accounts.noteProcesses([], at: 60 * seconds)
        #expect(accounts.processes.count == 1)
        let end = Self.transition(client, .timeWait, .closed, at: 62_000)
        accounts.note(end)
        let removed = accounts.remove(client.cookie, after: end)
        #expect(removed?.holders == [Self.holder])
        accounts.noteProcesses([], at: 63 * seconds)
        #expect(accounts.processes.count == 0)
    }

    @Test func aProcessThatHadNoSocketsIsForgottenWhenNothingOfItCanBeReportedAnyMore() {
        var accounts = Self.accounts()
        let seconds: UInt64 = 1_000_000_000
        for number in 1...1000 as ClosedRange<UInt64> {
            let process = ProcessIdentity(pid: Int32(number), startTime: number)
            accounts.noteProcesses([Self.app, process], at: number * seconds)
        }
        #expect(accounts.processes.contains(Self.app))
        #expect(accounts.processes.count < 20)
    }

    // MARK: - Listeners and sides

    @Test func ofTwoListenersOfAPortTheOneWithTheAddressAccepts() {
        var table = ListenerTable()
        var wildcard = Self.identity(8080, 0, cookie: 1)
        wildcard.local.address = .anyIPv6
        table.insert(wildcard, in: nil)
        let connection = Self.identity(8080, 40_000, cookie: 9)
        #expect(table.listener(of: connection, in: nil) == wildcard.cookie)
        let exact = Self.identity(8080, 0, cookie: 2)
        table.insert(exact, in: nil)
        #expect(table.listener(of: connection, in: nil) == exact.cookie)
        #expect(table.listener(of: Self.identity(8081, 40_000, cookie: 9), in: nil) == nil)
        table.remove(exact)
        #expect(table.listener(of: connection, in: nil) == wildcard.cookie)
        let elsewhere = NetworkNamespace(id: .init(device: 1, inode: 2), path: "", label: "elsewhere")
        #expect(table.listener(of: connection, in: elsewhere) == nil)
        table.insertService(wildcard.local, in: nil)
        #expect(table.isAccepted(connection, in: nil))
        #expect(!table.isAccepted(connection, in: elsewhere))
    }

    @Test func anIPv4WildcardAcceptsNoIPv6() {
        var table = ListenerTable()
        var wildcard = Self.identity(8080, 0, cookie: 1)
        wildcard.local.address = .anyIPv4
        table.insert(wildcard, in: nil)
        var connection = Self.identity(8080, 40_000, cookie: 9)
        #expect(table.listener(of: connection, in: nil) == wildcard.cookie)
        connection.local.address = .loopbackIPv6
        #expect(table.listener(of: connection, in: nil) == nil)
    }

    @Test func theSurestSideCounts() {
        var sides = SideEvidence()
        sides.take(.active, by: .elimination)
        sides.take(.passive, by: .counters)
        sides.take(.active, by: .inferred)
        #expect(sides.side == .passive)
        sides.take(.unknown, by: .call)
        sides.take(.active, by: .call)
        sides.take(.passive, by: .listener)
        #expect(sides.side == .active)
    }

    @Test func theFirstTransitionIsKeptOfADescriptorThatIsUsedAgainAndAgain() {
        var transitions = TransitionHistory()
        for number in 1...100 as ClosedRange<UInt64> {
            transitions.append(Self.transition(Self.listener, .closed, .listen, at: number))
        }
        #expect(transitions.all.first?.time == Self.time(1))
        #expect(transitions.all.last?.time == Self.time(100))
        #expect(transitions.all.count <= 32)
    }
}
