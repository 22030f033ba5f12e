internal import Glibc
internal import SockDiag
internal import SocketLeaks
internal import TCPWatch

extension SocketLedger {
    /// What is written down.
    struct State {
        var accounts = SocketAccounts()
    }
}

extension SocketLedger.State {
    /// Notes what is new, and forgets what nobody holds any more unless that may count too.
    mutating func takeSnapshot() throws(KernelError) {
        accounts.beginSnapshot()
        let now = EventTime.now()
        try OwnDescriptor.forEach { descriptor in
            guard let cookie = descriptor.cookie, accounts.contains(cookie) || descriptor.isTCP else { return }
            accounts.see(cookie, heldBy: descriptor.holder, at: now)
        }
        if Self.hasChildren { try seeChildren(at: now) }
        accounts.endSnapshot()
    }

    private mutating func seeChildren(at time: EventTime) throws(KernelError) {
        let children = try ProcessIdentity.descendants()
        guard !children.isEmpty else { return }
        let holders = try HolderSnapshot(in: children)
        var client = try SockDiagClient()
        try client.forEach { record in
            if let holder = holders[record.inode].first { accounts.see(record.cookie, heldBy: holder, at: time) }
        }
    }

    /// Whether there is a child to ask for: finds out without reaping anybody, and fails where nobody could be reaped.
    private static var hasChildren: Bool {
        var information = siginfo_t()
        return waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) == 0
    }
}
