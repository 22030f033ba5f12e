internal import SockDiag
internal import SocketOwners
internal import TCPWatch

/// The sockets of COMMAND and its descendants, found among all that a watcher tells of.
///
/// A socket is theirs where one of them holds it when it is looked for, which is as soon as it has an inode; or where it
/// was accepted from one of their listeners. Another program's is one that lives on after nobody here was found to hold
/// it, or that was accepted from another's listener. Of the rest, which came and went between two looks, it cannot be told.
struct CommandSockets {
    private var sockets: [SocketCookie: CommandSocket] = [:]
    /// Sockets of which has to be found out who holds them.
    private var asked: [UInt32: SocketCookie] = [:]
    /// The machine's listeners, by their ports.
    private var listeners: [UInt16: Set<SocketCookie>] = [:]
    /// Where COMMAND has listened.
    private var services: Set<SocketEndpoint> = []
    private(set) var census = StateCensus()
    /// What was measured of sockets that are not known: their TIME_WAIT, which is seen next, has another cookie.
    private var strays: [SocketIdentity: FinalCounters] = [:]
    private static let keptStrays = 4096
    /// All processes of COMMAND that were ever seen.
    private(set) var processes: Set<Int32> = []

    /// The socket of a cookie.
    subscript(cookie: SocketCookie) -> CommandSocket? { sockets[cookie] }

    /// COMMAND's sockets that are there now, and those of which it cannot be told.
    var remaining: [CommandSocket] { sockets.values.filter { $0.isOwn || $0.isUntold } }

    /// The sockets that are asked for, by inode.
    var askedInodes: some Collection<UInt32> { asked.keys }

    /// Notes a listener that existed before: COMMAND may have inherited it.
    mutating func note(existing socket: WatchedSocket) {
        guard socket.state == .listen, let inode = socket.inode else { return }
        sockets[socket.cookie] = CommandSocket(socket, isOlder: true)
        listeners[socket.local.port, default: []].insert(socket.cookie)
        asked[inode] = socket.cookie
    }

    /// Notes a socket that processes of COMMAND hold: whether that is news of a socket whose steps are known.
    mutating func note(held socket: WatchedSocket) -> Bool {
        let cookie = socket.cookie
        let side = socket.measuredSide
        if sockets[cookie] != nil {
            if side != .unknown { sockets[cookie]?.side = side }
            return claim(cookie, socket.owners)
        }
        var new = CommandSocket(socket, isOlder: false)
        new.isOwn = true
        new.owners = socket.owners
        new.side = side
        sockets[cookie] = new
        census.count(from: nil, to: socket.state)
        if socket.state == .listen {
            listeners[socket.local.port, default: []].insert(cookie)
            services.insert(socket.local)
        }
        return false
    }

    /// Whether a connection has the local end of one of COMMAND's listeners, also of one that was found later.
    func isAccepted(_ identity: SocketIdentity) -> Bool {
        let local = identity.local
        return !identity.remote.address.isAny && !services.isEmpty
            && [local, SocketEndpoint(.anyIPv4, port: local.port), SocketEndpoint(.anyIPv6, port: local.port)]
                .contains(where: services.contains)
    }

    /// A socket that was left open, with what is known of its life.
    func leak(_ socket: WatchedSocket) -> SocketLeak {
        let side = isAccepted(socket.identity) ? OpeningSide.passive : socket.measuredSide
        return SocketLeak(socket, history: sockets[socket.cookie]?.steps ?? [], openedBy: side)
    }

    /// Lets go of sockets that nobody has told of, but for those that are still held.
    mutating func settle(held: Set<SocketCookie>, at time: EventTime) {
        for (cookie, socket) in sockets where socket.isOwn && socket.steps.isEmpty && !held.contains(cookie) {
            census.count(from: socket.state, to: .closed)
            sockets[cookie]?.vanish(at: time)
        }
    }

    /// Notes a step; it, with what is known of it beyond what the watcher does.
    @discardableResult
    mutating func note(_ step: Transition) -> Transition {
        let cookie = step.identity.cookie
        var step = step
        var socket = sockets[cookie] ?? CommandSocket(step)
        let before = sockets[cookie]?.state
        if step.from == nil, let before, before != .closed {
            // It was seen before, held by COMMAND; how it came from there to its end, nobody has seen.
            step.from = before
            step.via = TCPStateMachine.passed(from: before, to: step.to, side: socket.side)
            step.certainty = .inferred
        }
        socket.take(step)
        if before == nil, !strays.isEmpty, let counters = strays.removeValue(forKey: step.identity.ends) {
            socket.take(counters)
        }
        if !socket.isOwn, let inode = step.inode, step.to != .closed { asked[inode] = cookie }
        sockets[cookie] = socket
        if socket.isOwn { census.count(from: before, to: step.to) }
        if step.to == .listen { listeners[step.identity.local.port, default: []].insert(cookie) }
        if step.from == .listen { listeners[step.identity.local.port]?.remove(cookie) }
        return step
    }

    /// Asks again who holds COMMAND's sockets: it may have started a process that inherits them.
    mutating func askAgain() {
        for (cookie, socket) in sockets where socket.isOwn && socket.state != .timeWait {
            if let inode = socket.inode { asked[inode] = cookie }
        }
    }

    /// Takes the answer to what was asked, found at a time among these processes: the cookies that turned out to be
    /// COMMAND's.
    mutating func claim(
        _ owners: OwnerSnapshot,
        of processes: Set<Int32>,
        at time: EventTime
    ) -> Set<SocketCookie> {
        self.processes.formUnion(processes)
        var claimed: Set<SocketCookie> = []
        for (inode, cookie) in asked {
            let holders = owners[inode]
            if !holders.isEmpty {
                if claim(cookie, holders) { claimed.insert(cookie) }
            } else if sockets[cookie]?.missedAt == nil {
                sockets[cookie]?.missedAt = time.monotonicNanoseconds
            }
        }
        asked.removeAll(keepingCapacity: true)
        return claimed
    }

    /// Concludes whose a socket is from who took the step, and from the listener that it was accepted from: whether it
    /// turned out to be COMMAND's.
    mutating func conclude(_ step: Transition) -> Bool {
        let cookie = step.identity.cookie
        guard let socket = sockets[cookie], !socket.isOwn else { return false }
        let known = step.owners.filter { processes.contains($0.pid) }
        if !known.isEmpty { return claim(cookie, known) }
        guard let listener = listener(of: socket, after: step) else {
            if step.from == nil { sockets[cookie]?.side = .active }
            return false
        }
        sockets[cookie]?.side = .passive
        if listener.isOwn { return claim(cookie, listener.owners) }
        sockets[cookie]?.isForeign = true
        return false
    }

    private mutating func claim(_ cookie: SocketCookie, _ owners: [SocketOwner]) -> Bool {
        guard let socket = sockets[cookie] else { return false }
        sockets[cookie]?.owners = owners
        guard !socket.isOwn else { return false }
        sockets[cookie]?.isOwn = true
        census.count(from: nil, to: socket.state)
        if socket.state == .listen { services.insert(socket.identity.local) }
        return true
    }

    /// What the kernel measured of a socket that it destroyed.
    mutating func note(_ counters: FinalCounters, of identity: SocketIdentity) {
        if sockets[identity.cookie] != nil {
            sockets[identity.cookie]?.take(counters)
        } else {
            if strays.count == Self.keptStrays { strays.removeAll() }
            strays[identity.ends] = counters
        }
    }

    /// Says of a socket that its last owner has ended, and nobody closed it before the step.
    mutating func noteExit(before step: Transition) {
        if sockets[step.identity.cookie]?.stateAtExit == nil { sockets[step.identity.cookie]?.stateAtExit = step.from }
    }

    /// Lets go of a socket that has ended; it, unless it was another program's.
    mutating func remove(_ cookie: SocketCookie, after step: Transition) -> CommandSocket? {
        guard let socket = sockets.removeValue(forKey: cookie), !socket.isForeign else { return nil }
        if socket.isOwn { return socket }
        // It lived on after it was found to be nobody's here: then it was another's.
        let hasLivedOn = socket.missedAt.map { step.time.monotonicNanoseconds > $0 } ?? false
        return hasLivedOn || socket.isOlder || !socket.isConnection ? nil : socket
    }

    /// The listener that a connection was accepted from.
    private func listener(of socket: CommandSocket, after step: Transition) -> CommandSocket? {
        guard step.from == nil || socket.side != .active, !socket.identity.remote.address.isAny,
            let cookies = listeners[socket.identity.local.port]
        else { return nil }
        for cookie in cookies {
            guard let listener = sockets[cookie], listener.namespace == socket.namespace else { continue }
            let address = listener.identity.local.address
            if address.isAny || address == socket.identity.local.address { return listener }
        }
        return nil
    }
}

extension SocketIdentity {
    /// The connection's ends alone.
    fileprivate var ends: SocketIdentity {
        var ends = self
        ends.cookie = .any
        return ends
    }
}
