internal import SocketValues

/// What is remembered of one object of the kernel's, and of the connection that it carries: 80 bytes.
///
/// A connection is carried by one object after the other: a half-open request, a socket, a minisocket. They share a cookie,
/// and the entry goes on with them. A socket whose connection has ended, and that a program still holds, has an entry in
/// CLOSED: it may be connected again, which is another connection under the same cookie.
struct SocketEntry {
    let cookie: SocketCookie
    var endpoints: Endpoints
    /// When ``state`` was entered, monotonic nanoseconds; 0 where that was before watching began.
    var enteredAt: UInt64
    /// Of a socket, when its connection was first known, 0 where it was there before watching began; of a request or a
    /// minisocket, which ``Bucket`` is its.
    var openedAtOrBucket: UInt64
    private(set) var inode: UInt32
    private var uidNumber: UInt32
    /// The number of the dump that it was in last.
    var generation: UInt16
    /// The states in which the filter would find it, as it was seen last.
    var matching: StateMask
    var flags: Flags
    var state: TCPState
    /// Which connection of the cookie it carries.
    var incarnation: UInt8

    struct Flags: OptionSet {
        let rawValue: UInt16
        /// Nothing is here.
        static let isFree = Flags(rawValue: 1 << 0)
        static let isIPv6 = Flags(rawValue: 1 << 1)
        fileprivate static let kind = Flags(rawValue: 3 << 2)
        fileprivate static let side = Flags(rawValue: 3 << 4)
        /// The uid is known.
        static let hasUID = Flags(rawValue: 1 << 6)
        /// One dump, or one lookup, has not shown it as it is known; the next one decides.
        static let isDoubted = Flags(rawValue: 1 << 7)
        /// A lookup of it is under way.
        static let isAsked = Flags(rawValue: 1 << 8)
        /// Its first transition is not reported yet: the kernel had not chosen its port.
        static let isDeferred = Flags(rawValue: 1 << 9)
        /// The kernel has reported that the socket is destroyed; a lookup decides whether a minisocket took its place.
        static let isDestroyed = Flags(rawValue: 1 << 10)
        /// A minisocket whose socket's end the kernel has not reported: it had another cookie, or none.
        static let isUnclaimed = Flags(rawValue: 1 << 11)
        /// A socket in CLOSED that has carried a connection.
        static let hasCarried = Flags(rawValue: 1 << 12)
        /// One dump of all sockets has not shown it, and no lookup finds it.
        static let isMissed = Flags(rawValue: 1 << 13)
        /// A minisocket that has ``Bucket/counters``.
        static let hasCounters = Flags(rawValue: 1 << 14)
    }

    /// What kind of object it is.
    enum Kind: UInt16 { case socket, request, minisocket }

    init(
        _ name: SocketName,
        _ kind: Kind,
        in state: TCPState,
        side: OpeningSide = .unknown,
        enteredAt: UInt64,
        generation: UInt16,
        matching: StateMask = .all
    ) {
        cookie = name.cookie
        endpoints = name.endpoints
        flags = name.family == .ipv6 ? .isIPv6 : []
        (self.state, self.enteredAt, self.generation, self.matching) = (state, enteredAt, generation, matching)
        (openedAtOrBucket, inode, uidNumber, incarnation) = (enteredAt, 0, 0, 0)
        self.kind = kind
        self.side = side
    }

    /// What kind of object it is; the table sets it, for it finds objects by it.
    var kind: Kind {
        get { Kind(rawValue: flags.intersection(.kind).rawValue >> 2) ?? .socket }
        set {
            flags.remove(.kind)
            flags.insert(Flags(rawValue: newValue.rawValue << 2))
        }
    }

    /// Which side opened the connection.
    var side: OpeningSide {
        get { OpeningSide(rawValue: UInt8(truncatingIfNeeded: flags.intersection(.side).rawValue >> 4)) ?? .unknown }
        set {
            flags.remove(.side)
            flags.insert(Flags(rawValue: UInt16(newValue.rawValue) << 4))
        }
    }

    var family: AddressFamily { flags.contains(.isIPv6) ? .ipv6 : .ipv4 }
    var name: SocketName { SocketName(cookie, endpoints, family: family) }
    var uid: UInt32? { flags.contains(.hasUID) ? uidNumber : nil }
    var inodeIfKnown: UInt32? { inode == 0 ? nil : inode }

    /// Whether it is in the kernel's table of connections or of listeners.
    var isListed: Bool { state != .bound && state != .closed }

    /// Whether an exact lookup finds it: a socket without a connection is in dumps alone, and so is one whose port was never
    /// reported. One that was bound is found by the endpoints of the connection that it is known to have had since.
    var isFindable: Bool {
        endpoints.localPort != 0 && (isListed || state == .bound && endpoints.remotePort != 0)
    }

    /// Whether it carries a connection, which may go on in a minisocket.
    var isConnected: Bool { isListed && state != .listen }

    /// Whether tracepoints report its transitions: not those of a request or a minisocket, nor bind().
    var isTraced: Bool { kind == .socket && isListed }

    /// Whether it is a socket whose connection has ended, or that never had one.
    var isClosedSocket: Bool { state == .closed && kind == .socket }

    /// Remembers what a socket has, and a request, a minisocket or an orphan has not.
    mutating func learnOwner(inode: UInt32, uid: UInt32?) {
        if inode != 0 { self.inode = inode }
        guard let uid else { return }
        uidNumber = uid
        flags.insert(.hasUID)
    }

    /// Another connection begins on the socket: nothing of the former one is its own, but the owner. Its number is the
    /// tracker's to give.
    mutating func begin(_ endpoints: Endpoints, side: OpeningSide, at openedAt: UInt64) {
        flags.subtract([.hasCarried, .isDoubted, .isDeferred])
        self.endpoints = endpoints
        self.side = side
        openedAtOrBucket = openedAt
        enteredAt = openedAt
    }
}

/// What is remembered of a request or a minisocket beside its entry: what the kernel's timer will do to it, and what its
/// connection came to. 72 bytes.
struct Bucket {
    /// When its connection was first known, monotonic nanoseconds; 0 where it was there before watching began.
    var openedAt: UInt64 = 0
    /// When the kernel's timer ends it, or sends the SYN+ACK again, monotonic nanoseconds; 0 where that is not known.
    var due: UInt64 = 0
    /// When the last transition of the socket before it was, where that may have been the connection's end too; of a
    /// request, when its SYN+ACK was sent again.
    var lastTransitionAt: UInt64 = 0
    /// When it is looked up next; the end of time where nothing is planned.
    var checkAt: UInt64 = .max
    /// When its timer fires, which may be sooner: then it is set again.
    var timerAt: UInt64 = .max
    /// What the kernel measured of the socket before it, where the entry has ``SocketEntry/Flags/hasCounters``.
    var counters = SocketCounters()
}
