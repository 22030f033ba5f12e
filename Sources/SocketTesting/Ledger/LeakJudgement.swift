package import SockDiag
internal import SocketOwners
internal import TCPWatch

/// What is to be told at the end of a window: the sockets that came in it, once they have had time to go.
package struct LeakJudgement: Sendable {
    private let cookies: [SocketCookie]
    private let window: LeakWindow
    private let ledger: SocketLedger
    private let deadline: ContinuousClock.Instant

    init(of cookies: [SocketCookie], at window: LeakWindow, in ledger: SocketLedger) {
        self.cookies = cookies
        self.window = window
        self.ledger = ledger
        deadline = .now + window.rules.settleTime
    }

    /// How long to wait between two looks, until it is settled.
    package static var pauses: some Sequence<Duration> {
        sequence(first: .milliseconds(1)) { min($0 * 2, .milliseconds(32)) }
    }

    /// Whether there is nothing left that could be told, or no time.
    ///
    /// - Throws: ``/SockDiag/SockDiagError``.
    package func isSettled() throws(SockDiagError) -> Bool {
        if cookies.isEmpty || ContinuousClock.now >= deadline { return true }
        return try counting().isEmpty
    }

    /// What is there now, and is told by nobody else from now on: what is certain first.
    ///
    /// - Throws: ``/SockDiag/SockDiagError``.
    package func findings() throws(SockDiagError) -> [LeakFinding] {
        guard !cookies.isEmpty else { return [] }
        let found = try counting()
        ledger.noteJudged(cookies)
        var findings: [LeakFinding] = []
        for (holding, socket) in found {
            var leak = SocketLeak(socket, history: ledger.steps(of: holding.cookie), openedBy: holding.side)
            if leak.age == nil { leak.age = holding.since.duration(to: .now) }
            if let index = findings.firstIndex(where: { $0.suspects == holding.suspects }) {
                findings[index].leaks.append(leak)
            } else {
                findings.append(LeakFinding(leaks: [leak], suspects: holding.suspects))
            }
        }
        return findings.sorted { $0.suspects.count < $1.suspects.count }
    }

    /// What is still there, and counts by the rules of every window that it may have come in.
    private func counting() throws(SockDiagError) -> [(holding: SocketLedger.Holding, socket: WatchedSocket)] {
        let holdings = try ledger.holdings(cookies)
        guard !holdings.isEmpty else { return [] }
        var client = try SockDiagClient()
        var matchers: [LeakWindow: LeakMatcher] = [:]
        for suspect in Set(holdings.flatMap(\.suspects)) {
            matchers[suspect] = try LeakMatcher(suspect.rules, for: &client)
        }
        let extensions = matchers.values.reduce(into: SocketExtensions()) { $0.formUnion($1.extensions) }
        let isHeld = Dictionary(uniqueKeysWithValues: holdings.map { ($0.cookie, $0.pid != 0) })
        var rows: [SocketCookie: TCPSocket] = [:]
        try client.forEach(SocketQuery(extensions: extensions)) { record in
            // Of a socket that is held there may be a second row, without an inode: its TIME_WAIT.
            if isHeld[record.cookie] == (record.inode != nil) { rows[record.cookie] = TCPSocket(record) }
        }
        // What the kernel lists elsewhere, or no more, or as if it had never been connected, the descriptor tells.
        for holding in holdings where rows[holding.cookie].map({ $0.state == .bound && holding.peer != nil }) ?? true {
            rows[holding.cookie] = holding.descriptor?.socket(holding.cookie, peer: holding.peer)
        }
        let pids = ProcessSelection(pids: Set(holdings.map(\.pid)).subtracting([0]))
        let owners = try OwnerSnapshot(of: rows.values.compactMap(\.inode), in: pids)
        let counting = holdings.compactMap { holding -> (holding: SocketLedger.Holding, socket: WatchedSocket)? in
            guard let row = rows[holding.cookie] else { return nil }
            let socket = WatchedSocket(row, heldBy: owners[row.inode])
            let isLeak = holding.suspects.allSatisfy {
                matchers[$0]?.counts(socket) == true && (holding.pid != 0 || $0.countsUnheld)
            }
            return isLeak ? (holding, socket) : nil
        }
        return counting.sorted { $0.holding.since < $1.holding.since }
    }
}
