internal import Glibc
package import SockDiag
internal import SocketOwners
internal import Synchronization
internal import TCPWatch

/// Which TCP sockets this process and its children hold, and in whose window each of them came.
///
/// There is one for the process. It looks whenever a window opens or closes, so that between two looks the same windows
/// are open: a socket that is new has come in one of these. ``SocketCalls`` often knows better in which.
package final class SocketLedger: Sendable {
    package static let shared = SocketLedger()

    /// A socket that is held.
    struct Holding {
        let cookie: SocketCookie
        /// Who holds it; the descriptor where it is this process.
        var pid: Int32 = 0
        var descriptor: OwnDescriptor?
        /// The number of the look that it was last seen at.
        var lastSeen = 0
        /// Which end of a connection it is.
        var side = OpeningSide.unknown
        /// Whom it was to be connected to; when the connection is over, the kernel does not know it any more.
        var peer: SocketEndpoint?
        /// When it was first seen.
        let since = ContinuousClock.now
        /// The windows one of which it came in; none where it was made in nobody's.
        private(set) var suspects: [LeakWindow]
        /// Whether nobody else comes into question.
        private var isCertain = false
        /// Whether somebody has told of it.
        var isTold = false

        init(cookie: SocketCookie, suspects: [LeakWindow]) { (self.cookie, self.suspects) = (cookie, suspects) }

        /// The window that it is known to have been made in; none where it was in nobody's, nil where it is not known.
        var maker: [LeakWindow]? {
            get { isCertain ? suspects : nil }
            set { (suspects, isCertain) = (newValue ?? suspects, newValue != nil) }
        }
    }

    struct State {
        var open: [LeakWindow] = [] {
            didSet {
                let outer = Set(open.compactMap { $0.parent.map(ObjectIdentifier.init) })
                suspects = open.filter { !outer.contains(ObjectIdentifier($0)) }
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

    private let state = Mutex(State())
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
            let stillOpen = state.open.filter { $0 != window }
            let due = state.holdings.values.filter { holding in
                guard !holding.isTold, !holding.suspects.contains(where: stillOpen.contains) else { return false }
                let place = LeakWindow.innermost(around: holding.suspects)
                return place == window || place == nil && holding.suspects.contains(window)
            }
            return LeakJudgement(of: due.map(\.cookie), at: window, in: self)
        }
    }

    /// What is still held of these.
    func holdings(_ cookies: [SocketCookie]) throws(SockDiagError) -> [Holding] {
        try state.withLock { state throws(SockDiagError) in
            try state.look()
            return cookies.compactMap { state.holdings[$0] }
        }
    }

    /// The steps of a socket, as far as they were watched.
    func steps(of cookie: SocketCookie) -> [Transition] { history[cookie] }

    /// Nobody else tells of these.
    func noteTold(_ cookies: [SocketCookie]) {
        state.withLock { state in for cookie in cookies { state.holdings[cookie]?.isTold = true } }
    }
}

extension SocketLedger.State {
    /// Notes what is new, and forgets what nobody holds any more.
    fileprivate mutating func look() throws(SockDiagError) {
        lookCount += 1
        try OwnDescriptor.forEach { descriptor in
            guard let cookie = descriptor.cookie, holdings[cookie] != nil || descriptor.isTCP else { return }
            see(cookie, getpid(), descriptor)
        }
        let children = Descendants.pids
        if !children.isEmpty {
            let owners = try OwnerSnapshot(in: ProcessSelection(pids: children))
            var client = try SockDiagClient()
            try client.forEach { record in
                if let owner = owners[record.inode].first { see(record.cookie, owner.pid, nil) }
            }
        }
        holdings = holdings.filter { $0.value.lastSeen == lookCount }
    }

    /// Notes that a process holds a socket. One that is new has come in a window that is open.
    mutating func see(_ cookie: SocketCookie, _ pid: Int32, _ descriptor: OwnDescriptor?) {
        var holding = holdings[cookie] ?? SocketLedger.Holding(cookie: cookie, suspects: suspects)
        // Of several holders it is this process first.
        if holding.lastSeen != lookCount || descriptor != nil { (holding.pid, holding.descriptor) = (pid, descriptor) }
        holding.lastSeen = lookCount
        holdings[cookie] = holding
    }
}
