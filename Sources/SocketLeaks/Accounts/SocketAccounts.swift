internal import SockDiag
package import TCPWatch

/// Whose each socket is, and whether it was forgotten: the one engine behind `run`, `tcpstates-test`, the trait and
/// ``ForgottenSockets``.
///
/// It is pure: what descriptors, calls and a watcher show is handed to it, with the time. A ``LeakScope`` is what sockets
/// are made in. A socket that appears while scopes are open is one of theirs until it is known whose, and has leaked
/// where it is still there when its scope and the ``GracePeriod`` have ended, and counts by the ``LeakRules``.
///
/// ## What it takes the place of
///
/// | | `run` | `tcpstates-test` | the trait | now |
/// | --- | --- | --- | --- | --- |
/// | whose | held by a descendant, by its number; accepted from a listener of theirs | held by a test process when that ends; the test by the time | made by a call in the test's task; accepted from its listener; the other endpoint's; else the tests that ran | all of these, in this order: a call, a holder, the listener, the other endpoint, the time (``Attribution``) |
/// | process | its number, never forgotten | its number | its number | number and start time (``ProcessIdentity``), forgotten when its sockets are settled (``ProcessGroup``) |
/// | side | counters, else transitions, or any listener's port and address in any namespace | as `run` | the call, else transitions | the surest of them (``SideEvidence``) |
/// | listener | by port and address, the first of several; once more by endpoint after its end | as `run` | by descriptor | by descriptor, else by port and address in the same namespace, the exact one first (``ListenerTable``) |
/// | grace | 500 ms, polled every 20 ms or interval | none: the process is stopped | 1 s, polled after 1, 2, 4 … 32 ms | one ``GracePeriod``, polled as by the trait, by `run` no more often than its interval; a process that is stopped gets none. The time is a parameter |
/// | TIME_WAIT | held sockets alone | held sockets alone | also unheld ones, where asked for | a parameter, ``LeakRules/countsUnheld`` |
/// | vanished TIME_WAIT | counters by endpoints, given to the TIME_WAIT of another cookie | as `run` | kept while a suspect counts it | ``StrayCounters``, ``endSnapshot()`` |
/// | history | 32 transitions, without the middle | as `run` | 16 transitions, the latest: the first one was lost, and the age | 32 transitions, without the middle (``TransitionHistory``) |
/// | age | from the first transition | from the first transition, else from the poll that showed it | from the first transition, else from when it was seen | as the trait |
/// | text | ``SocketLeak`` | ``SocketLeak`` | ``SocketLeak`` | ``SocketLeak`` |
///
/// Two differences stay, because tests pin them. An undecided listener gives what it accepts away in
/// `run`, where all its processes have been asked for it before (``conclude(_:)``); the trait knows the task that accepted
/// (``noteAccepted(_:from:at:of:by:)``). And what is undecided at the end is listed by `run` as connections that cannot be
/// attributed, but reported by the trait as of all candidates.
package struct SocketAccounts: Sendable {
    /// The scopes that are open.
    package internal(set) var openScopes: [LeakScope] = [] {
        didSet {
            let outer = Set(openScopes.compactMap(\.parent))
            candidates = openScopes.filter { !outer.contains($0) }
        }
    }
    /// The scopes that something can appear in without it being known in which: all that are open, but for those around
    /// another one.
    private(set) var candidates: [LeakScope] = []
    /// The scope that is known by its processes; nil where all scopes share one.
    let processScope: LeakScope?
    var accounts: [SocketCookie: SocketAccount] = [:]
    /// Sockets whose holders have to be found.
    var pending: [UInt32: SocketCookie] = [:]
    var listeners = ListenerTable()
    var halves = ConnectionHalves()
    var strays = StrayCounters()
    /// The number of the last snapshot of descriptors.
    var snapshot = 0
    /// The processes of the scope that is known by them.
    package internal(set) var processes: ProcessGroup
    /// When ended processes are forgotten next, monotonic nanoseconds.
    var nextForgetting: UInt64 = 0
    /// The number of the scopes' sockets in each state; only of a scope that is known by its processes.
    package internal(set) var states = StateTally()

    /// For scopes that share this process.
    package init() {
        processScope = nil
        processes = ProcessGroup()
    }

    /// For a scope that is known by its processes, none of which has been started yet; monotonic nanoseconds.
    package init(processesOf scope: LeakScope, at time: UInt64 = 0) {
        processScope = scope
        processes = ProcessGroup(at: time)
        openScopes = [scope]
        candidates = [scope]
    }

    /// Whether there is an account of a socket.
    package func contains(_ cookie: SocketCookie) -> Bool { accounts.index(forKey: cookie) != nil }

    /// The account of a socket.
    package subscript(cookie: SocketCookie) -> SocketAccount? { accounts[cookie] }

    /// The accounts of sockets that are there and whose they are, and those of which it cannot be known.
    package var remaining: [SocketAccount] { accounts.values.filter { $0.isOwn || $0.isUndecided } }

    /// Opens a scope: what is there now is not its own.
    package mutating func open(_ scope: LeakScope) { openScopes.append(scope) }

    /// Closes a scope.
    package mutating func close(_ scope: LeakScope) {
        openScopes.removeAll { $0 == scope }
        if openScopes.isEmpty { halves = ConnectionHalves() }
    }

    /// The sockets to be judged where a scope ends that is open still: those that appeared in it or in one that it is the
    /// innermost around, and that no other open scope may have made. Those of several scopes with nothing around them are
    /// judged where the last of these ends.
    package func due(at scope: LeakScope) -> [SocketCookie] {
        let stillOpen = Set(openScopes).subtracting([scope])
        return accounts.indices.filter { index in
            guard !accounts.values[index].isJudged else { return false }
            let scopes = accounts.values[index].attribution.scopes
            guard !scopes.contains(where: stillOpen.contains) else { return false }
            let place = LeakScope.innermost(around: scopes)
            return place == scope || place == nil && scopes.contains(scope)
        }.map { accounts.keys[$0] }
    }

    /// Marks these as judged: no other scope reports them.
    package mutating func markJudged(_ cookies: [SocketCookie]) {
        for cookie in cookies { accounts[cookie]?.isJudged = true }
    }

    /// A socket that was left open, with what is known of its life.
    ///
    /// - Parameters:
    ///   - socket: As it was found.
    ///   - history: Its transitions, where a watcher reports them elsewhere.
    ///   - time: When it was found.
    /// - Returns: The leak.
    package func leak(_ socket: WatchedSocket, history: [Transition]? = nil, at time: EventTime) -> SocketLeak {
        let account = accounts[socket.cookie]
        var sides = account?.sides ?? SideEvidence()
        sides.take(socket.measuredSide, by: .counters)
        if listeners.isAccepted(socket.identity, in: socket.namespace) { sides.take(.passive, by: .listener) }
        return SocketLeak(
            socket,
            history: history ?? account?.life.transitions ?? [],
            openedBy: sides.side,
            firstSeen: account?.firstSeen,
            at: time
        )
    }
}
