internal import SockDiag
internal import SocketOwners
internal import TCPWatch

/// What is known of one socket since COMMAND was started.
struct CommandSocket {
    var identity: SocketIdentity
    var namespace: NetworkNamespace?
    private(set) var state: TCPState
    /// Its steps in their order, the first ones and the latest.
    private(set) var steps: [Transition] = []
    /// Who of COMMAND's processes holds it, as it was found; empty where that was only concluded.
    var owners: [SocketOwner] = []
    /// Whether it is COMMAND's.
    var isOwn = false
    /// Whether it was there before.
    var isOlder = false
    /// When none of COMMAND's processes was found to hold it, monotonic nanoseconds.
    var missedAt: UInt64?
    /// Whether it is known to be another program's.
    var isForeign = false
    /// Its inode, once a program held it.
    private(set) var inode: UInt32?
    /// What the kernel measured of it, once it has destroyed the full socket.
    private(set) var counters: FinalCounters?
    /// Whether the counters came after the latest step.
    private var isJustMeasured = false
    /// The state that it was in when its last owner ended, where nobody had closed it before.
    var stateAtExit: TCPState?
    var side = OpeningSide.unknown
    private(set) var openedAt: EventTime?
    /// When it was over for the program: in TIME_WAIT or closed.
    private(set) var endedAt: EventTime?

    /// So many steps are kept of each socket.
    private static let keptSteps = 32

    init(_ step: Transition) {
        identity = step.identity
        namespace = step.namespace
        state = step.to
        // What does not begin with its first step was there before.
        isOlder = step.from.map { $0 != .closed && $0 != .bound } ?? false
    }

    /// A socket that was not seen to begin.
    init(_ socket: WatchedSocket, isOlder: Bool) {
        identity = socket.identity
        namespace = socket.namespace
        state = socket.state
        inode = socket.inode
        self.isOlder = isOlder
    }

    /// Whether it is or was a connection, and no listener or bound socket.
    var isConnection: Bool { !identity.remote.address.isAny }

    /// Whether it cannot be told if it is COMMAND's.
    var isUntold: Bool {
        !isOwn && !isForeign && !isOlder && inode == nil && isConnection && state != .synReceived
    }

    /// Takes a step.
    mutating func take(_ step: Transition) {
        if steps.count == Self.keptSteps { steps.remove(at: Self.keptSteps / 2) }
        steps.append(step)
        state = step.to
        inode = step.inode ?? inode
        if openedAt == nil, step.opens {
            openedAt = step.time
            if side == .unknown { side = SocketLeak.openingSide(of: [step]) }
        }
        if step.to == .timeWait || step.closes || step.from == nil { endedAt = endedAt ?? step.time }
        if let final = step.final {
            counters = final
        } else if step.to == .timeWait, isJustMeasured {
            counters?.discountFIN()
        }
        isJustMeasured = false
    }

    /// It is there no more, and nobody told of its end.
    mutating func vanish(at time: EventTime) {
        state = .closed
        endedAt = endedAt ?? time
    }

    /// Takes what the kernel measured of the full socket; in TIME_WAIT that counts the peer's FIN.
    mutating func take(_ counters: FinalCounters) {
        self.counters = counters
        if state == .timeWait { self.counters?.discountFIN() } else { isJustMeasured = true }
    }

    /// As it was when its last owner ended.
    var lastOpen: WatchedSocket {
        WatchedSocket(
            remembered: identity,
            in: stateAtExit ?? state,
            uid: steps.last?.uid,
            inode: steps.last?.inode,
            namespace: namespace,
            owners: owners
        )
    }

    /// How long it lasted for the program, or has lasted; nil where its beginning was not seen.
    func duration(at now: EventTime) -> Duration? {
        // One that was opened and over between two looks has one time for both.
        guard let openedAt, openedAt != endedAt else { return nil }
        let end = (endedAt ?? now).monotonicNanoseconds
        return .nanoseconds(Int64(clamping: end) - Int64(clamping: openedAt.monotonicNanoseconds))
    }
}

extension Transition {
    /// Whether this side begins to close with it, or has by then.
    var closesHere: Bool {
        guard let from, !Self.closing.contains(from) else { return false }
        return Self.closing.contains(to) || via.contains(where: Self.closing.contains)
    }

    private static let closing: TCPStateSet = [.finWait1, .finWait2, .closing, .timeWait, .lastAck, .closed]
}
