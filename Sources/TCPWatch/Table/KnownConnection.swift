internal import SockDiag

/// What is remembered of one connection, listener or bound socket: 80 bytes.
struct KnownConnection {
    let cookie: SocketCookie
    private let localHigh, localLow, remoteHigh, remoteLow: UInt64
    /// When ``state`` was entered, monotonic nanoseconds; 0 where that was before watching began.
    var enteredAt: UInt64
    /// When the connection was first seen, monotonic nanoseconds; 0 where it was there before watching began.
    let openedAt: UInt64
    private let localPort, remotePort: UInt16
    private let interfaceIndex: UInt32
    private(set) var inodeNumber: UInt32
    private(set) var uidNumber: UInt32
    /// The number of the dump that it was seen in last.
    var generation: UInt32
    var state: TCPState
    let side: OpeningSide
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
    }

    init(
        _ record: borrowing some SocketFields & ~Escapable,
        side: OpeningSide,
        enteredAt: UInt64,
        generation: UInt32
    ) {
        let (local, remote) = (record.local, record.remote)
        cookie = record.cookie
        (localHigh, localLow) = local.address.bits
        (remoteHigh, remoteLow) = remote.address.bits
        (localPort, remotePort) = (local.port, remote.port)
        interfaceIndex = record.interface?.rawValue ?? 0
        familyNumber = record.family.rawValue
        inodeNumber = 0
        uidNumber = 0
        self.enteredAt = enteredAt
        openedAt = enteredAt
        self.generation = generation
        self.side = side
        state = record.state
        flags = record.isMinisocket ? .isMinisocket : []
        learnOwner(record)
    }

    /// Remembers what a socket has and a request, a minisocket or an orphan has not.
    mutating func learnOwner(_ record: borrowing some SocketFields & ~Escapable) {
        if let inode = record.inode { inodeNumber = inode }
        if let uid = record.uid {
            uidNumber = uid
            flags.insert(.hasUID)
        }
    }

    var inode: UInt32? { inodeNumber == 0 ? nil : inodeNumber }
    var uid: UInt32? { flags.contains(.hasUID) ? uidNumber : nil }
    var localPortNumber: UInt16 { localPort }
    /// Whether a program may hold a descriptor of it. A half-open request and a minisocket have none.
    var isFullSocket: Bool { !flags.contains(.isMinisocket) && (state != .synReceived || side == .active) }

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
