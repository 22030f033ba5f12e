internal import Glibc
internal import SockDiag
internal import SocketOwners

extension SocketLedger {
    /// What is written down.
    struct State {
        var open: [LeakWindow] = [] {
            didSet {
                let outer = Set(open.compactMap(\.parent))
                suspects = open.filter { !outer.contains($0) }
            }
        }
        /// The windows that something can come in without anybody knowing in which: all that are open, but for those
        /// around another one.
        private(set) var suspects: [LeakWindow] = []
        /// The number of the last look.
        var lookCount = 0
        var holdings: [SocketCookie: Holding] = [:]
        /// The one end of a connection of which the other is not known yet.
        var halves: [Connection: SocketCookie] = [:]
    }
}

extension SocketLedger.State {
    /// Notes what is new, and forgets what nobody holds any more unless that may count too.
    mutating func look() throws(SockDiagError) {
        lookCount += 1
        try OwnDescriptor.forEach { descriptor in
            guard let cookie = descriptor.cookie, holdings[cookie] != nil || descriptor.isTCP else { return }
            see(cookie, getpid(), descriptor)
        }
        if Self.hasChildren {
            let owners = try OwnerSnapshot(in: ProcessSelection(pids: Set(Descendants.current())))
            var client = try SockDiagClient()
            try client.forEach { record in
                if let owner = owners[record.inode].first { see(record.cookie, owner.pid, nil) }
            }
        }
        for (cookie, holding) in holdings where holding.lastSeen != lookCount {
            let isWanted = !holding.isJudged && holding.suspects.contains(where: \.countsUnheld)
            holdings[cookie] = isWanted ? holding.released : nil
        }
    }

    /// Whether there is a child to look at: asks without reaping anybody, and fails where nobody could be reaped.
    private static var hasChildren: Bool {
        var information = siginfo_t()
        return waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) == 0
    }

    /// Notes that a process holds a socket. One that is new has come in a window that is open.
    mutating func see(_ cookie: SocketCookie, _ pid: Int32, _ descriptor: OwnDescriptor?) {
        guard let index = holdings.index(forKey: cookie) else {
            var holding = SocketLedger.Holding(cookie: cookie, suspects: suspects)
            (holding.pid, holding.descriptor, holding.lastSeen) = (pid, descriptor, lookCount)
            return holdings[cookie] = holding
        }
        // Of several holders it is this process first.
        guard holdings.values[index].lastSeen != lookCount || descriptor != nil else { return }
        holdings.values[index].pid = pid
        holdings.values[index].descriptor = descriptor
        holdings.values[index].lastSeen = lookCount
    }
}
