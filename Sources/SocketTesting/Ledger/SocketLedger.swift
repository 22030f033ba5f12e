internal import LinuxLibC
package import SockDiag
package import SocketLeaks
internal import Synchronization
internal import TCPWatch

/// Which TCP sockets this process and its children hold, and in whose scope each of them appeared.
///
/// There is one for the process. It takes a snapshot whenever a scope opens or closes, so that between two snapshots the
/// same scopes are open: a socket that is new has appeared in one of these. Where the call that made it was seen, it is
/// known in which.
package final class SocketLedger: Sendable {
    /// The ledger of this process.
    package static let shared = SocketLedger()

    private let state = Locked(State())
    private let history = SocketHistory()
    /// Whether a scope is open.
    let isWatching = Atomic(false)

    func withState(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

    /// Opens a scope: what is there now is not its own.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where the descriptors or the children's sockets cannot be listed.
    package func begin(_ scope: LeakScope) throws(KernelError) {
        history.start()
        try state.withLock { state throws(KernelError) in
            try state.takeSnapshot()
            state.accounts.open(scope)
            isWatching.store(true, ordering: .relaxed)
        }
    }

    /// Closes a scope. The answer knows what has to be reported there.
    ///
    /// - Throws: ``/SockDiag/KernelError``, as ``begin(_:)`` does; the scope is closed.
    package func end(_ scope: LeakScope) throws(KernelError) -> LeakJudgement {
        try state.withLock { state throws(KernelError) in
            defer {
                state.accounts.close(scope)
                if state.accounts.openScopes.isEmpty { isWatching.store(false, ordering: .relaxed) }
            }
            try state.takeSnapshot()
            return LeakJudgement(of: state.accounts.due(at: scope), at: scope, in: self)
        }
    }

    /// What is still held of these, or counts though it is not.
    func accounts(_ cookies: [SocketCookie]) throws(KernelError) -> [SocketAccount] {
        try state.withLock { state throws(KernelError) in
            try state.takeSnapshot()
            return cookies.compactMap { state.accounts[$0] }
        }
    }

    /// A socket that was left open, with what is known of its life.
    func leak(_ socket: WatchedSocket, at time: EventTime) -> SocketLeak {
        let history = history[socket.cookie]
        return state.withLock { $0.accounts.leak(socket, history: history, at: time) }
    }

    /// Marks these as judged: no other scope reports them.
    func markJudged(_ cookies: [SocketCookie]) { withState { $0.accounts.markJudged(cookies) } }
}

extension SocketLedger {
    /// The accounts.
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
