internal import SockDiag

/// What is remembered of one connection, listener or bound socket: 80 bytes.
struct KnownConnection {
    let cookie: SocketCookie
    private var localHigh, localLow: UInt64
    private var remoteHigh, remoteLow: UInt64
    /// When ``state`` was entered, monotonic nanoseconds; 0 where that was before watching began.
    var enteredAt: UInt64
    /// When the connection was first seen, monotonic nanoseconds; 0 where it was there before watching began.
    private(set) var openedAt: UInt64
    private var localPort: UInt16
    private var remotePort: UInt16
    private var interfaceIndex: UInt32
    private(set) var inodeNumber: UInt32
    private(set) var uidNumber: UInt32
    /// The number of the dump that it was seen in last.
    var generation: UInt32
    var state: TCPState
    private(set) var side: OpeningSide
    var flags: Flags
    private let familyNumber: UInt8

    struct Flags: OptionSet {
        let rawValue: UInt8
        /// The kernel keeps a minisocket in its place.
        static let isMinisocket = Flags(rawValue: 1)
        /// The uid was told.
        static let hasUID = Flags(rawValue: 2)
        /// It was missing from the last dump, and no lookup could tell whether it is gone.
        static let isMissing = Flags(rawValue: 4)
        /// The kernel told that the full socket was destroyed; its counters are kept apart.
        static let hasFinalCounters = Flags(rawValue: 8)
        /// Its end has been told, while a program still holds the descriptor: the message that the kernel will send
        /// when that is closed tells nothing new.
        static let isEnded = Flags(rawValue: 16)
        /// The filter found it when it was seen last.
        static let isFound = Flags(rawValue: 32)
        /// Its first step waits to be told until the kernel has chosen its port.
        static let isHeld = Flags(rawValue: 64)
        /// It has ended, and the message that it is kept for may have been lost.
        static let isDoubtful = Flags(rawValue: 128)
    }

    init(
        _ record: borrowing some SocketFields & ~Escapable,
        side: OpeningSide,
        enteredAt: UInt64,
        generation: UInt32
    ) {
        self.init(record.identity, in: record.state, side: side, enteredAt: enteredAt, generation: generation)
        if record.isMinisocket { flags = .isMinisocket }
        learnOwner(record)
    }

    init(
        _ identity: SocketIdentity,
        in state: TCPState,
        side: OpeningSide,
        enteredAt: UInt64,
        generation: UInt32
    ) {
        cookie = identity.cookie
        (localHigh, localLow) = identity.local.address.bits
        (remoteHigh, remoteLow) = identity.remote.address.bits
        (localPort, remotePort) = (identity.local.port, identity.remote.port)
        interfaceIndex = identity.interface?.rawValue ?? 0
        familyNumber = identity.family.rawValue
        inodeNumber = 0
        uidNumber = 0
        self.enteredAt = enteredAt
        openedAt = enteredAt
        self.generation = generation
        self.side = side
        self.state = state
        flags = []
    }

    /// Remembers what a socket has and a request, a minisocket or an orphan has not.
    mutating func learnOwner(_ record: borrowing some SocketFields & ~Escapable) {
        if let inode = record.inode { inodeNumber = inode }
        if let uid = record.uid {
            uidNumber = uid
            flags.insert(.hasUID)
        }
    }

    /// Remembers what the trace tells of a socket's owner.
    mutating func learnOwner(uid: UInt32) {
        uidNumber = uid
        flags.insert(.hasUID)
    }

    /// A socket that was bound, or closed, has become a connection, which has its own ends and its own beginning.
    mutating func begin(_ identity: SocketIdentity, side: OpeningSide, at openedAt: UInt64) {
        (localHigh, localLow) = identity.local.address.bits
        (remoteHigh, remoteLow) = identity.remote.address.bits
        (localPort, remotePort) = (identity.local.port, identity.remote.port)
        interfaceIndex = identity.interface?.rawValue ?? 0
        self.openedAt = openedAt
        self.side = side
    }

    /// Remembers this end, which the kernel chose after the first step.
    mutating func learnLocal(_ local: SocketEndpoint) {
        (localHigh, localLow) = local.address.bits
        localPort = local.port
    }

    var inode: UInt32? { inodeNumber == 0 ? nil : inodeNumber }
    var uid: UInt32? { flags.contains(.hasUID) ? uidNumber : nil }
    var localPortNumber: UInt16 { localPort }
    /// Whether a program may hold a descriptor of it. A half-open request and a minisocket have none.
    var isFullSocket: Bool { !flags.contains(.isMinisocket) && (state != .synReceived || side == .active) }

    /// Whether an exact lookup finds it; a socket without a connection is in dumps alone.
    var isListed: Bool { state != .bound && state != .closed }

    /// Whether tracepoints tell of its steps: not of a request's, a minisocket's, or before there is a connection.
    var isTraceable: Bool { isFullSocket && isListed }

    /// A number that is the same for the same endpoints, and mostly for no others.
    var endpoints: UInt64 {
        func mixed(_ hash: UInt64, _ word: UInt64) -> UInt64 {
            let product = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
            return product ^ product >> 29
        }
        let ports = UInt64(localPort) << 16 | UInt64(remotePort)
        return mixed(mixed(mixed(mixed(ports, localHigh), localLow), remoteHigh), remoteLow)
    }

    /// Whether it lies between the same ends, by whatever name.
    func isBetween(_ other: SocketIdentity) -> Bool {
        var same = identity
        same.cookie = other.cookie
        return same == other
    }

    var identity: SocketIdentity {
        let family = AddressFamily(rawValue: familyNumber)
        let interface = interfaceIndex == 0 ? nil : NetworkInterface(rawValue: interfaceIndex)
        func endpoint(_ high: UInt64, _ low: UInt64, _ port: UInt16) -> SocketEndpoint {
            let address =
                family == .ipv6 ? IPAddress(ipv6: high, low) : IPAddress(ipv4: UInt32(truncatingIfNeeded: low))
            return SocketEndpoint(address, port: port, scope: address.isLinkLocal ? interface : nil)
        }
        return SocketIdentity(
            family: family,
            local: endpoint(localHigh, localLow, localPort),
            remote: endpoint(remoteHigh, remoteLow, remotePort),
            cookie: cookie,
            interface: interface
        )
    }
}
