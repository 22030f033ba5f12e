internal import SockDiag
package import TCPWatch

/// What is known of one socket: whose it is, who holds it, and what it did.
package struct SocketAccount: Sendable {
    /// Its cookie, and its endpoints as far as they are known.
    package var identity: SocketIdentity
    /// The network namespace that it is in.
    package var namespace: NetworkNamespace?
    /// Which scope it belongs to.
    package var attribution: Attribution
    /// Who holds it, or held it last, as it was found; empty where that was only concluded.
    package var holders: [SocketHolder] = []
    /// Which side opened it.
    package var sides = SideEvidence()
    /// What a watcher has reported of it.
    package private(set) var life: SocketLife
    /// When it was first seen.
    package let firstSeen: EventTime
    /// Whether it was there before any scope.
    package private(set) var isOlder = false
    /// When none of the processes was found to hold it, monotonic nanoseconds.
    package var missedAt: UInt64?
    /// The state that it was in when its last holder ended, where nobody had closed it before.
    package var stateAtExit: TCPState?
    /// The number of the snapshot in which it was last seen.
    package var lastSnapshot = 0
    /// Whether it has been judged: no other scope reports it.
    package var isJudged = false

    /// A socket of which the first transition was reported.
    package init(_ transition: Transition, _ attribution: Attribution) {
        // What does not begin with its first transition was there before.
        let isOlder = transition.from.map { $0 != .closed && $0 != .bound } ?? false
        self.init(
            transition.identity,
            isOlder ? .maker(nil) : attribution,
            SocketLife(in: transition.to),
            at: transition.time
        )
        namespace = transition.namespace
        self.isOlder = isOlder
    }

    /// A socket that was not seen to begin.
    package init(
        _ socket: WatchedSocket,
        _ attribution: Attribution,
        isOlder: Bool = false,
        at time: EventTime
    ) {
        let life = SocketLife(in: socket.state, inode: socket.inode)
        self.init(socket.identity, isOlder ? .maker(nil) : attribution, life, at: time)
        namespace = socket.namespace
        self.isOlder = isOlder
    }

    /// A socket of which nothing was reported.
    package init(
        _ identity: SocketIdentity,
        _ attribution: Attribution,
        _ life: SocketLife = SocketLife(),
        at time: EventTime
    ) {
        (self.identity, self.attribution, self.life, firstSeen) = (identity, attribution, life, time)
    }

    /// Whether it is known to be a scope's.
    package var isOwn: Bool { attribution.isOwn }

    /// Whether it is or was a connection, and no listener or bound socket.
    package var isConnection: Bool { !identity.remote.address.isAny }

    /// Whether it cannot be known whose it is.
    package var isUndecided: Bool {
        !attribution.isKnown && life.inode == nil && isConnection && life.state != .synReceived
    }

    /// Which side opened it.
    package var side: OpeningSide { sides.side }

    /// The owners, as people are shown them.
    package var owners: [SocketOwner] { holders.map(\.owner) }

    /// Takes a transition.
    package mutating func take(_ transition: Transition) {
        let wasOpen = life.openedAt != nil
        life.take(transition)
        if !wasOpen, life.openedAt != nil { sides.take(transition) }
    }

    /// Takes what the kernel measured of the full socket.
    package mutating func take(_ counters: FinalCounters) { life.take(counters) }

    /// It was found, held by these.
    package mutating func find(_ socket: WatchedSocket, heldBy holders: [SocketHolder], at time: EventTime) {
        let isAnother = identity.remote.port != 0 && identity.remote != socket.remote
        life.find(in: socket.state, inode: socket.inode, isAnother: isAnother, at: time)
        (identity, namespace, self.holders) = (socket.identity, socket.namespace ?? namespace, holders)
    }

    /// It was found by a descriptor, and in no dump: it has no connection any more, or none yet.
    package mutating func findUnlisted(heldBy holders: [SocketHolder], at time: EventTime) {
        life.find(in: .closed, inode: nil, isAnother: false, at: time)
        self.holders = holders
    }

    /// It is there no more, and its end was not reported.
    package mutating func vanish(at time: EventTime) { life.vanish(at: time) }

    /// The socket as it was when its last holder ended, in the form of a leak.
    package var leakAtExit: SocketLeak {
        let socket = WatchedSocket(
            remembered: identity,
            in: stateAtExit ?? life.state,
            uid: life.transitions.last?.uid,
            inode: life.transitions.last?.inode,
            namespace: namespace,
            owners: owners
        )
        return SocketLeak(socket, history: life.transitions, openedBy: side)
    }
}
