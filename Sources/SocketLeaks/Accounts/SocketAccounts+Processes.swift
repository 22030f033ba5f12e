internal import SockDiag
internal import TCPWatch

/// Sockets that are found with the processes of a scope.
extension SocketAccounts {
    /// The sockets whose holders have to be found, by inode.
    package var pendingInodes: some Collection<UInt32> { pending.keys }

    /// Takes a snapshot of the scope's processes, monotonic nanoseconds.
    ///
    /// One that has ended is remembered while it is the last holder of a socket that is not over, and for as long as a
    /// watcher may still report what it did.
    package mutating func noteProcesses(_ running: Set<ProcessIdentity>, at time: UInt64) {
        processes.update(running, at: time)
        let (limit, isLate) = time.subtractingReportingOverflow(Self.latestReport)
        guard !isLate, time >= nextForgetting, processes.hasEnded(by: limit) else { return }
        nextForgetting = time + Self.forgettingInterval
        let needed = Set(accounts.values.lazy.filter(\.isOwn).flatMap { $0.holders.map(\.process) })
        processes.forgetEnded(by: limit, unless: needed.contains)
    }

    /// A watcher reports within its interval, and the kernel's messages may wait for its workers.
    private static var latestReport: UInt64 { 10_000_000_000 }
    private static var forgettingInterval: UInt64 { 1_000_000_000 }

    /// Notes a socket that processes of the scope hold. Returns whether that is new and its transitions are known.
    @discardableResult
    package mutating func note(held: HeldSocket, at time: EventTime) -> Bool {
        let socket = held.socket
        let cookie = socket.cookie
        let isKnown = accounts[cookie] != nil
        if !isKnown {
            accounts[cookie] = SocketAccount(socket, .candidates(candidates), at: time)
            if socket.state == .listen { listeners.insert(socket.identity, in: socket.namespace) }
        }
        accounts[cookie]?.sides.take(socket.measuredSide, by: .counters)
        return claim(cookie, held.holders) && isKnown
    }

    /// Asks again who holds the scope's sockets: one of its processes may have started another that inherits them.
    package mutating func askAgain() {
        for (cookie, account) in accounts where account.isOwn && account.life.state != .timeWait {
            if let inode = account.life.inode { pending[inode] = cookie }
        }
    }

    /// Takes the answer to ``pendingInodes``, found at a time among the processes that ran then. Returns the cookies
    /// that turned out to be the scope's.
    package mutating func claim(
        _ holders: HolderSnapshot,
        of running: Set<ProcessIdentity>,
        at time: EventTime
    ) -> Set<SocketCookie> {
        noteProcesses(running, at: time.monotonicNanoseconds)
        var claimed: Set<SocketCookie> = []
        for (inode, cookie) in pending {
            let found = holders[inode]
            if !found.isEmpty {
                if claim(cookie, found) { claimed.insert(cookie) }
            } else if accounts[cookie]?.missedAt == nil {
                accounts[cookie]?.missedAt = time.monotonicNanoseconds
            }
        }
        pending.removeAll(keepingCapacity: true)
        return claimed
    }

    /// Attributes a socket to the scope. Returns whether that is new.
    mutating func claim(_ cookie: SocketCookie, _ holders: [SocketHolder]) -> Bool {
        guard let account = accounts[cookie] else { return false }
        accounts[cookie]?.holders = holders
        guard !account.isOwn, let processScope else { return false }
        accounts[cookie]?.attribution = .maker(processScope)
        states.count(from: nil, to: account.life.state)
        if account.life.state == .listen {
            listeners.insertService(account.identity.local, in: account.namespace)
        }
        return true
    }

    /// Removes sockets that nobody has reported, but for those that are still held.
    package mutating func settle(held: Set<SocketCookie>, at time: EventTime) {
        for (cookie, account) in accounts
        where account.isOwn && account.life.transitions.isEmpty && !held.contains(cookie) {
            states.count(from: account.life.state, to: .closed)
            accounts[cookie]?.vanish(at: time)
        }
    }
}
