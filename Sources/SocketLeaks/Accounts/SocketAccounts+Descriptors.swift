package import SockDiag

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

    /// Ends a snapshot: forgets what nobody holds any more, unless that may count too.
    package mutating func endSnapshot() {
        let unseen = accounts.indices.filter { accounts.values[$0].lastSnapshot != snapshot }.map { accounts.keys[$0] }
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
