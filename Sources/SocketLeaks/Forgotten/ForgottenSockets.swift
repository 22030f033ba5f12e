internal import LinuxSystem
public import SockDiag
public import SocketOwners
public import TCPWatch

/// Searches running programs for sockets that they forgot: descriptors that are of no use any more, and that nobody closes.
///
/// ```swift
/// import SocketLeaks
///
/// var search = try ForgottenSockets(of: .process(4711))
/// while true {
///     let found = try search.find()
///     for socket in found.sockets { print(socket) }
///     if !found.coverage.isComplete { print(found.coverage) }
///     try await Task.sleep(for: .seconds(10))
/// }
/// ```
///
/// It compares the descriptors of the processes with the kernel's list of sockets. So it also finds what no dump lists:
/// sockets that were never bound, or whose connection was refused, reset or let go. What counts, and from when on, is said at
/// ``ForgottenSocket/Kind``.
///
/// The kernel keeps no time of a transition. One search knows the age of some sockets (``SocketAge/Ground/segment``); a value
/// that searches again and again knows since when it has found each, and one that is given what a watcher reports knows the
/// transitions too: ``note(_:)``.
///
/// Not found are: sockets on their way between two processes (`SCM_RIGHTS`) and those that io_uring alone holds, which are
/// in no table of descriptors; those of a thread that has a table of its own (`unshare(CLONE_FILES)`); and MPTCP sockets
/// that have a subflow. A TCP socket that was made in a network namespace in which there is no process and which has no
/// name is taken for one that no dump lists.
public struct ForgottenSockets: Sendable {
    /// What a search has found.
    public struct Findings: Hashable, Sendable {
        /// The forgotten sockets, by process and descriptor.
        public var sockets: [ForgottenSocket]
        /// The sockets of other protocols that are held, where they are asked for: ``ForgottenSockets/otherProtocols``.
        public var descriptors: [HeldDescriptor]
        /// What was seen, and what was not.
        public var coverage: SearchCoverage

        /// What a search has found.
        public init(
            sockets: [ForgottenSocket] = [],
            descriptors: [HeldDescriptor] = [],
            coverage: SearchCoverage = SearchCoverage()
        ) {
            (self.sockets, self.descriptors, self.coverage) = (sockets, descriptors, coverage)
        }
    }

    /// The ways of forgetting that are looked for.
    public var kinds = Set(ForgottenSocket.Kind.allCases)
    /// Sockets that never count.
    public var ignored: SocketFilter?
    /// The protocols besides TCP whose sockets are listed, as `[.udp, .udpv6, .unix, .unixStream]`. Nothing shows whether
    /// one is in use.
    public var otherProtocols: Set<SocketProtocolName> = []

    let selection: ProcessSelection
    /// The processes that were named by their numbers.
    let named: Set<ProcessIdentity>
    var accounts = SocketAccounts()
    /// The sockets that were in no dump, by inode.
    var unlisted: [UInt32: UnlistedSocket] = [:]
    /// When connections that wait to be accepted were first found, monotonic nanoseconds.
    var waitingSince: [SocketCookie: UInt64] = [:]
    /// Sockets whose end was reported since the last search: some of them may be held.
    private var ended: [SocketCookie] = []

    /// A search in these processes. One that is named by its number is that very process, also when it has ended and another
    /// has its number.
    ///
    /// - Throws: ``/SockDiag/KernelError``; of code ``/SockDiag/KernelError/Code/notFound`` where there is no process of a
    ///   number.
    public init(of processes: ProcessSelection = .all) throws(KernelError) {
        selection = processes
        let proc = try ProcessDirectory()
        var named: Set<ProcessIdentity> = []
        for pid in processes.pids {
            guard let process = ProcessIdentity(of: pid, in: proc) else {
                throw KernelError(
                    .notFound,
                    operation: "search process \(pid)",
                    detail: "there is no such process",
                    remedy: "name a process that runs"
                )
            }
            named.insert(process)
        }
        self.named = named
    }

    /// Notes what a watcher reports, of whichever sockets: then a forgotten socket has its transitions, and the age that
    /// follows from them.
    ///
    /// What is not held is forgotten at the next search. A connection that is opened meanwhile takes some hundred bytes, of
    /// those that have ended the last 4,096.
    public mutating func note(_ event: SocketEvent) {
        guard case .transition(let transition) = event else { return }
        accounts.note(transition)
        guard transition.to == .closed else { return }
        ended.append(transition.identity.cookie)
        guard ended.count > 2 * Self.endedLimit else { return }
        for cookie in ended.prefix(Self.endedLimit) where !accounts.isHeld(cookie) { accounts.forgetEnded(cookie) }
        ended.removeFirst(Self.endedLimit)
    }

    private static let endedLimit = 4096

    /// Finds what is forgotten now.
    ///
    /// It blocks for a dump of the sockets of each network namespace that the processes are in (about 1 µs a socket) and a
    /// pass over the processes' descriptors (``/SocketOwners/OwnerSnapshot``); the dumps are made twice where a descriptor is
    /// new that none lists. A task asks by ``/SockDiag/onOwnThread(_:)``.
    ///
    /// - Parameter limit: How long a socket must have been so, for sure; without one, each kind's
    ///   ``ForgottenSocket/Kind/threshold``. With `.zero` all are found that may be forgotten, of whatever age.
    /// - Returns: What was found, and what was not seen.
    /// - Throws: ``/SockDiag/KernelError``; of another namespace that cannot be read only
    ///   ``SearchCoverage/unreadableNamespaces`` is told.
    public mutating func find(olderThan limit: Duration? = nil) throws(KernelError) -> Findings {
        ended.removeAll(keepingCapacity: true)
        return try search(olderThan: limit)
    }
}

/// A held socket that was in no dump.
struct UnlistedSocket: Sendable {
    /// Nil where it could not be read.
    let protocolName: SocketProtocolName?
    /// When it was first found in no dump.
    let since: UInt64
    /// The socket, where it was known before.
    let cookie: SocketCookie?
}
