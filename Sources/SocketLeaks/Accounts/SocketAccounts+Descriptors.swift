internal import SockDiag
package import TCPWatch

/// Snapshots of this process' descriptors, and of its children's.
extension SocketAccounts {
    /// Begins a snapshot; each socket that is held then follows by ``see(_:heldBy:at:)``.
    package mutating func beginSnapshot() { snapshot += 1 }

    /// Notes that a process holds a socket. One that is new has appeared in a scope that is open. Of several holders it is
    /// the first that the snapshot shows.
    package mutating func see(_ cookie: SocketCookie, heldBy holder: SocketHolder, at time: EventTime) {
        guard let index = accounts.index(forKey: cookie) else {
            var account = SocketAccount(SocketIdentity(cookie), .candidates(candidates), at: time)
            (account.holders, account.lastSnapshot) = ([holder], snapshot)
            return accounts[cookie] = account
        }
        guard accounts.values[index].lastSnapshot != snapshot else { return }
        accounts.values[index].lastSnapshot = snapshot
        // Mostly the same, and then nothing has to be allocated.
        if accounts.values[index].holders.first != holder { accounts.values[index].holders = [holder] }
    }

    /// Notes in which state a socket was found that processes hold.
    package mutating func see(_ socket: WatchedSocket, heldBy holders: [SocketHolder], at time: EventTime) {
        guard let first = holders.first else { return }
        see(socket.cookie, heldBy: first, at: time)
        accounts[socket.cookie]?.find(socket, heldBy: holders, at: time)
    }

    /// Notes that processes hold a socket that no dump lists any more.
    package mutating func seeUnlisted(_ cookie: SocketCookie, heldBy holders: [SocketHolder], at time: EventTime) {
        guard let first = holders.first, contains(cookie) else { return }
        see(cookie, heldBy: first, at: time)
        accounts[cookie]?.findUnlisted(heldBy: holders, at: time)
    }

    /// Whether the last snapshot has shown that the socket is held.
    package func isHeld(_ cookie: SocketCookie) -> Bool {
        accounts[cookie].map { $0.lastSnapshot == snapshot && !$0.holders.isEmpty } ?? false
    }

    /// The cookies of the sockets that have an inode, by it.
    package var cookiesByInode: [UInt32: SocketCookie] {
        var cookies: [UInt32: SocketCookie] = [:]
        for (cookie, account) in accounts { if let inode = account.life.inode { cookies[inode] = cookie } }
        return cookies
    }

    /// Forgets a socket that has ended, unless it is connected anew.
    package mutating func forgetEnded(_ cookie: SocketCookie) {
        if accounts[cookie]?.life.state == .closed { accounts[cookie] = nil }
    }

    /// Ends a snapshot: forgets what nobody holds any more, unless that may count too.
    ///
    /// - Parameter start: What has happened later may be of sockets that the snapshot could not show: those are kept. Nil
    ///   where nothing is reported from elsewhere.
    package mutating func endSnapshot(begunAt start: EventTime? = nil) {
        pending.removeAll(keepingCapacity: true)
        let begin = start?.monotonicNanoseconds ?? .max
        let unseen = accounts.indices.filter { index in
            let account = accounts.values[index]
            return account.lastSnapshot != snapshot
                && (account.life.transitions.last?.time ?? account.firstSeen).monotonicNanoseconds < begin
        }.map { accounts.keys[$0] }
        for cookie in unseen {
            guard let account = accounts[cookie] else { continue }
            if !account.isJudged, account.attribution.scopes.contains(where: \.rules.countsUnheld) {
                accounts[cookie]?.holders = []
            } else {
                accounts[cookie] = nil
            }
        }
    }
}

extension SocketIdentity {
    /// A socket of which no endpoint is known yet.
    fileprivate init(_ cookie: SocketCookie) {
        let nowhere = SocketEndpoint(.anyIPv4, port: 0)
        self.init(family: .ipv4, local: nowhere, remote: nowhere, cookie: cookie)
    }
}
