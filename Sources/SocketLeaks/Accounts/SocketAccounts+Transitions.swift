internal import SockDiag
package import TCPWatch

/// What a watcher reports of all the machine's sockets, where a scope is known by its processes.
///
/// A socket is the scope's where one of its processes holds it when that is asked, which is as soon as it has an inode; or
/// where it was accepted from one of their listeners. Another program's is one that lives on after none of the processes was
/// found to hold it, or that was accepted from another's listener. Of the rest, which came and went between two polls, it
/// cannot be known.
extension SocketAccounts {
    /// Notes a listener that existed before: one of the scope's processes may have inherited it.
    package mutating func note(existing socket: WatchedSocket, at time: EventTime) {
        guard socket.state == .listen, let inode = socket.inode else { return }
        accounts[socket.cookie] = SocketAccount(socket, .maker(nil), isOlder: true, at: time)
        listeners.insert(socket.identity, in: socket.namespace)
        pending[inode] = socket.cookie
    }

    /// Notes a transition. Returns it with what is known of it beyond what the watcher knows.
    @discardableResult
    package mutating func note(_ transition: Transition) -> Transition {
        let cookie = transition.identity.cookie
        var transition = transition
        let known = accounts[cookie]
        let before = known?.life.state
        var account = known ?? SocketAccount(transition, .candidates(candidates))
        if transition.from == nil, let before, before != .closed {
            // It was seen before, held by a process; how it came from there to its end, nobody has seen.
            transition.from = before
            transition.via = TCPStateMachine.passed(from: before, to: transition.to, side: account.side)
            transition.certainty = .inferred
        }
        account.take(transition)
        if known == nil, let counters = strays.remove(transition.identity) { account.take(counters) }
        if !account.isOwn, let inode = transition.inode, transition.to != .closed { pending[inode] = cookie }
        accounts[cookie] = account
        if account.isOwn { states.count(from: before, to: transition.to) }
        if transition.to == .listen { listeners.insert(transition.identity, in: transition.namespace) }
        if transition.from == .listen { listeners.remove(transition.identity) }
        return transition
    }

    /// Notes what the kernel measured of a socket that it destroyed.
    package mutating func note(_ counters: FinalCounters, of identity: SocketIdentity) {
        if accounts[identity.cookie] != nil {
            accounts[identity.cookie]?.take(counters)
        } else {
            strays.insert(counters, of: identity)
        }
    }

    /// Attributes a socket by who held it when it was new, and by the listener that it was accepted from. Returns whether it
    /// turned out to be the scope's.
    package mutating func conclude(_ transition: Transition) -> Bool {
        let cookie = transition.identity.cookie
        guard let account = accounts[cookie], !account.isOwn else { return false }
        let known = transition.owners.filter { $0.descriptor != nil }.compactMap { owner in
            processes.process(owner.pid, at: account.firstSeen.monotonicNanoseconds).map { SocketHolder(owner, of: $0) }
        }
        if !known.isEmpty { return claim(cookie, known) }
        guard account.sides.mayBeAccepted,
            let listener = listeners.listener(of: account.identity, in: account.namespace).flatMap({ accounts[$0] })
        else {
            if transition.from == nil { accounts[cookie]?.sides.take(.active, by: .elimination) }
            return false
        }
        accounts[cookie]?.sides.take(.passive, by: .listener)
        if listener.isOwn { return claim(cookie, listener.holders) }
        accounts[cookie]?.attribution = .maker(nil)
        return false
    }

    /// Notes that a socket's last holder has ended, and that nobody closed it before the transition.
    package mutating func noteExit(before transition: Transition) {
        if accounts[transition.identity.cookie]?.stateAtExit == nil {
            accounts[transition.identity.cookie]?.stateAtExit = transition.from
        }
    }

    /// An account by what is known of listeners now: a connection with the local endpoint of one of the scope's, also of
    /// one that was found later, is the scope's.
    package func completed(_ account: SocketAccount) -> SocketAccount {
        guard let processScope, account.sides.mayBeAccepted,
            listeners.isAccepted(account.identity, in: account.namespace)
        else { return account }
        var account = account
        account.attribution = .maker(processScope)
        account.sides.take(.passive, by: .listener)
        return account
    }

    /// Removes a socket that has ended. Returns its account, unless it was another program's.
    package mutating func remove(_ cookie: SocketCookie, after transition: Transition) -> SocketAccount? {
        guard let account = accounts.removeValue(forKey: cookie), !account.attribution.isForeign else { return nil }
        if account.isOwn { return account }
        // It lived on after it was found to be nobody's here: then it was another's.
        let hasLivedOn = account.missedAt.map { transition.time.monotonicNanoseconds > $0 } ?? false
        return hasLivedOn || !account.isConnection ? nil : account
    }
}
