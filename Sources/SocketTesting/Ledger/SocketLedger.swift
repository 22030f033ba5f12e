package import SockDiag
internal import Synchronization
internal import TCPWatch

/// Which TCP sockets this process and its children hold, and in whose window each of them came.
///
/// There is one for the process. It looks whenever a window opens or closes, so that between two looks the same windows
/// are open: a socket that is new has come in one of these. Where the call that made it was seen, it is known in which.
package final class SocketLedger: Sendable {
    /// That of this process.
    package static let shared = SocketLedger()

    private let state = Locked(State())
    private let history = SocketHistory()
    /// Whether a window is open.
    let isWatching = Atomic(false)

    func withState(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

    /// Opens a window: what is there now is not its own.
    ///
    /// - Throws: ``/SockDiag/SockDiagError`` where the descriptors or the children's sockets cannot be listed.
    package func begin(_ window: LeakWindow) throws(SockDiagError) {
        history.start()
        try state.withLock { state throws(SockDiagError) in
            try state.look()
            state.open.append(window)
            isWatching.store(true, ordering: .relaxed)
        }
    }

    /// Closes a window. What has to be told there is known to the answer.
    ///
    /// - Throws: ``/SockDiag/SockDiagError``, as ``begin(_:)`` does; the window is closed.
    package func end(_ window: LeakWindow) throws(SockDiagError) -> LeakJudgement {
        try state.withLock { state throws(SockDiagError) in
            defer {
                state.open.removeAll { $0 == window }
                if state.open.isEmpty {
                    state.halves = [:]
                    isWatching.store(false, ordering: .relaxed)
                }
            }
            try state.look()
            let stillOpen = Set(state.open).subtracting([window])
            let due = state.holdings.values.filter { holding in
                guard !holding.isJudged, !holding.suspects.contains(where: stillOpen.contains) else { return false }
                let place = LeakWindow.innermost(around: holding.suspects)
                return place == window || place == nil && holding.suspects.contains(window)
            }
            return LeakJudgement(of: due.map(\.cookie), at: window, in: self)
        }
    }

    /// What is still held of these, or counts though it is not.
    func holdings(_ cookies: [SocketCookie]) throws(SockDiagError) -> [Holding] {
        try state.withLock { state throws(SockDiagError) in
            try state.look()
            return cookies.compactMap { state.holdings[$0] }
        }
    }

    /// The steps of a socket, as far as they were watched.
    func steps(of cookie: SocketCookie) -> [Transition] { history[cookie] }

    /// Nobody else tells of these.
    func noteJudged(_ cookies: [SocketCookie]) {
        state.withLock { state in for cookie in cookies { state.holdings[cookie]?.isJudged = true } }
    }
}
