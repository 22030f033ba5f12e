internal import SockDiag
internal import SocketOwners
internal import TCPWatch

/// The sockets of COMMAND and its descendants, found among all that a watcher tells of.
///
/// A socket is theirs where one of them holds it when it is looked for, which is as soon as it has an inode; or where it
/// was accepted from one of their listeners. A connection that came and went between two looks, and that they opened,
/// cannot be told from another program's: it is counted as ``untold``.
struct CommandSockets {
    private var sockets: [SocketCookie: CommandSocket] = [:]
    /// Sockets of which has to be found out who holds them.
    private var asked: [UInt32: SocketCookie] = [:]
    /// Of each local port, COMMAND's listeners.
    private var listeners: [UInt16: Set<SocketCookie>] = [:]
    private(set) var census = StateCensus()
    /// Connections of this machine that ended before it could be told whose they were.
    private var untoldEnded = 0

    /// The socket of a cookie.
    subscript(cookie: SocketCookie) -> CommandSocket? { sockets[cookie] }

    /// COMMAND's sockets that are there now.
    var own: some Sequence<CommandSocket> { sockets.values.lazy.filter(\.isOwn) }

    /// Connections of which it could not be told whether they are COMMAND's.
    var untold: Int {
        untoldEnded
            + sockets.values.count { !$0.isOwn && !$0.isOlder && !$0.hadInode && $0.isConnection && $0.state != .synReceived }
    }

    /// The sockets that are asked for, by inode.
    var askedInodes: some Collection<UInt32> { asked.keys }

    /// Notes a listener that existed before: COMMAND may have inherited it.
    mutating func note(existing socket: WatchedSocket) {
        guard socket.state == .listen, let inode = socket.inode else { return }
        sockets[socket.cookie] = CommandSocket(existing: socket)
        asked[inode] = socket.cookie
    }

    /// Notes a step.
    mutating func note(_ step: Transition) {
        let cookie = step.identity.cookie
        var socket = sockets[cookie] ?? CommandSocket(step)
        let before = socket.isOwn && sockets[cookie] != nil ? socket.state : nil
        socket.take(step)
        if !socket.isOwn {
            if let listener = listener(of: socket, after: step) {
                socket.beAccepted(by: listener)
            } else if let inode = step.inode, step.to != .closed {
                asked[inode] = cookie
            }
        }
        sockets[cookie] = socket
        if socket.isOwn { noteState(of: cookie, from: before, to: step.to) }
    }

    /// Takes the answer to what was asked, found at a time: the cookies that turned out to be COMMAND's.
    mutating func claim(_ owners: OwnerSnapshot, at time: EventTime) -> [SocketCookie] {
        var claimed: [SocketCookie] = []
        for (inode, cookie) in asked {
            let holders = owners[inode]
            if holders.isEmpty {
                if sockets[cookie]?.missedAt == nil { sockets[cookie]?.missedAt = time.monotonicNanoseconds }
            } else if let socket = sockets[cookie] {
                sockets[cookie]?.isOwn = true
                sockets[cookie]?.owners = holders
                noteState(of: cookie, from: nil, to: socket.state)
                claimed.append(cookie)
            }
        }
        asked.removeAll(keepingCapacity: true)
        return claimed
    }

    /// What the kernel measured of a socket that it destroyed.
    mutating func note(_ counters: FinalCounters, of cookie: SocketCookie) { sockets[cookie]?.take(counters) }

    /// Says of a socket that its last owner has ended, and nobody closed it before the step.
    mutating func noteExit(before step: Transition) {
        if sockets[step.identity.cookie]?.stateAtExit == nil { sockets[step.identity.cookie]?.stateAtExit = step.from }
    }

    /// Lets go of a socket that has ended; it, if it was COMMAND's.
    mutating func remove(_ cookie: SocketCookie, after step: Transition) -> CommandSocket? {
        guard let socket = sockets.removeValue(forKey: cookie) else { return nil }
        if socket.isOwn { return socket }
        guard step.closes || step.from == nil else { return nil }
        // It lived on after it was found to be nobody's here: then it was another's.
        let isForeign = socket.missedAt.map { step.time.monotonicNanoseconds > $0 } ?? false
        if !isForeign { untoldEnded += 1 }
        return nil
    }

    /// COMMAND's listener that a connection was accepted from.
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

    private mutating func noteState(of cookie: SocketCookie, from: TCPState?, to: TCPState) {
        census.count(from: from, to: to)
        guard let port = sockets[cookie]?.identity.local.port else { return }
        if to == .listen { listeners[port, default: []].insert(cookie) }
        if from == .listen { listeners[port]?.remove(cookie) }
    }
}

/// How many sockets are in each state, and how many were at most.
struct StateCensus {
    private(set) var now: [TCPState: Int] = [:]
    private(set) var peaks: [TCPState: Int] = [:]
    /// The most sockets that there were at once.
    private(set) var peak = 0
    private var total = 0

    /// Counts a socket's step; from nil where it is new, to CLOSED where it ends.
    mutating func count(from: TCPState?, to: TCPState) {
        if let from, from != .closed { add(-1, from) }
        if to != .closed { add(1, to) }
    }

    private mutating func add(_ number: Int, _ state: TCPState) {
        now[state, default: 0] += number
        total += number
        peaks[state] = max(peaks[state] ?? 0, now[state] ?? 0)
        peak = max(peak, total)
    }
}
