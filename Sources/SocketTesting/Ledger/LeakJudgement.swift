package import SockDiag
internal import SocketLeaks
internal import TCPWatch

/// What is to be reported at the end of a scope: the sockets that appeared in it, once they have had time to go.
package struct LeakJudgement: Sendable {
    private let cookies: [SocketCookie]
    private let ledger: SocketLedger
    private let grace: GracePeriod

    init(of cookies: [SocketCookie], at scope: LeakScope, in ledger: SocketLedger) {
        (self.cookies, self.ledger, grace) = (cookies, ledger, GracePeriod(scope.rules))
    }

    /// Whether there is nothing left that could be reported, or no time.
    ///
    /// - Throws: ``/SockDiag/KernelError``.
    package func isSettled() throws(KernelError) -> Bool {
        if cookies.isEmpty || grace.isOver { return true }
        return try counting().isEmpty
    }

    /// What is there now, and is reported by nobody else from now on: what is certain first.
    ///
    /// - Throws: ``/SockDiag/KernelError``.
    package func findings() throws(KernelError) -> [LeakFinding] {
        guard !cookies.isEmpty else { return [] }
        let found = try counting()
        ledger.markJudged(cookies)
        let now = EventTime.now()
        var findings: [LeakFinding] = []
        for (account, socket) in found {
            let suspects = account.attribution.scopes
            let leak = ledger.leak(socket, at: now)
            if let index = findings.firstIndex(where: { $0.suspects == suspects }) {
                findings[index].leaks.append(leak)
            } else {
                findings.append(LeakFinding(leaks: [leak], suspects: suspects))
            }
        }
        return findings.sorted { $0.suspects.count < $1.suspects.count }
    }

    private typealias Found = (account: SocketAccount, socket: WatchedSocket)

    /// What is still there, and counts by the rules of every scope that it may have appeared in.
    private func counting() throws(KernelError) -> [Found] {
        let accounts = try ledger.accounts(cookies)
        guard !accounts.isEmpty else { return [] }
        var client = try SockDiagClient()
        var matchers: [LeakScope: LeakMatcher] = [:]
        for suspect in Set(accounts.flatMap(\.attribution.scopes)) {
            matchers[suspect] = try LeakMatcher(suspect.rules, for: &client)
        }
        let extensions = matchers.values.reduce(into: SocketExtensions.info) { $0.formUnion($1.extensions) }
        let isHeld = Dictionary(uniqueKeysWithValues: accounts.map { ($0.identity.cookie, !$0.holders.isEmpty) })
        var rows: [SocketCookie: InetSocket] = [:]
        try client.forEach(SocketQuery(extensions: extensions)) { record in
            // Of a socket that is held there may be a second row, without an inode: its TIME_WAIT.
            if isHeld[record.cookie] == (record.inode != nil) { rows[record.cookie] = InetSocket(record) }
        }
        // What the kernel lists elsewhere, or no more, or as if it had never been connected, the descriptor shows.
        for account in accounts {
            let cookie = account.identity.cookie
            let isAsNew = rows[cookie].map { $0.state == .bound && account.identity.remote.port != 0 } ?? true
            if isAsNew { rows[cookie] = OwnDescriptor(of: account.holders)?.socket(account.identity) }
        }
        let processes = Set(accounts.flatMap { $0.holders.map(\.process) })
        let holders = try HolderSnapshot(of: rows.values.compactMap(\.inode), in: processes)
        let counting = accounts.compactMap { account -> Found? in
            guard let row = rows[account.identity.cookie] else { return nil }
            let socket = HeldSocket(WatchedSocket(socket: row), by: holders[row.inode]).socket
            let isLeak = account.attribution.scopes.allSatisfy {
                matchers[$0]?.counts(socket, isHeld: !account.holders.isEmpty) == true
            }
            return isLeak ? (account, socket) : nil
        }
        return counting.sorted {
            $0.account.firstSeen.monotonicNanoseconds < $1.account.firstSeen.monotonicNanoseconds
        }
    }
}
