public import SockDiag

/// What this process may see of the machine's connections, and what is missing for more.
///
/// ```swift
/// let access = WatchAccess.current()
/// var configuration = SocketWatcher.Configuration()
/// configuration.source = access.canTrace ? .trace : .poll
/// for shortfall in access.shortfalls { print(shortfall) }
/// // "cannot trace the kernel: it needs CAP_BPF and CAP_PERFMON; run as root, or give the program these capabilities"
/// ```
///
/// It is as of the moment when it was asked. The kernel has the last word when a watcher begins.
public struct WatchAccess: Hashable, Sendable {
    /// Something that can be seen where it is allowed. New ones may come.
    public struct Capability: RawRepresentable, Hashable, Sendable, CaseIterable {
        /// The name, as in records.
        public let rawValue: String

        /// A capability of any name.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The IPv4 sockets that exist. Takes no privilege.
        public static let ipv4 = Capability(rawValue: "ipv4")
        /// The IPv6 sockets that exist. Takes no privilege.
        public static let ipv6 = Capability(rawValue: "ipv6")
        /// The kernel's message about each socket that it destroys. Takes no privilege.
        public static let destroyEvents = Capability(rawValue: "destroy_events")
        /// Each transition as the kernel makes it, by its tracepoints. Takes CAP_BPF and CAP_PERFMON.
        public static let trace = Capability(rawValue: "trace")
        /// The processes that hold the sockets, whoever's they are. Takes CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.
        public static let owners = Capability(rawValue: "owners")
        /// The sockets of all network namespaces, as containers have them. Takes CAP_SYS_ADMIN, and to find them
        /// CAP_SYS_PTRACE.
        public static let namespaces = Capability(rawValue: "namespaces")

        /// All that this version asks for.
        public static let allCases: [Capability] = [.ipv4, .ipv6, .destroyEvents, .trace, .owners, .namespaces]
    }

    /// A capability, and why it is not there.
    public struct Answer: Hashable, Sendable {
        /// What can be seen.
        public var capability: Capability
        /// Why it cannot, with the remedy in terms of capabilities and settings; nil where it can.
        public var shortfall: KernelError?

        /// An answer.
        public init(_ capability: Capability, shortfall: KernelError? = nil) {
            (self.capability, self.shortfall) = (capability, shortfall)
        }
    }

    /// The answers, the most fundamental capability first.
    public var answers: [Answer]
    /// The network namespaces that were found.
    public var namespaces: NetworkNamespace.Listing

    /// An access, for instance for a test.
    public init(_ answers: [Answer], namespaces: NetworkNamespace.Listing = NetworkNamespace.Listing()) {
        (self.answers, self.namespaces) = (answers, namespaces)
    }
}

extension WatchAccess {
    /// Whether it is allowed, and asked for.
    public func allows(_ capability: Capability) -> Bool {
        answers.contains { $0.capability == capability && $0.shortfall == nil }
    }

    /// Why a capability is not there; nil where it is, and where it was not asked for.
    public func shortfall(of capability: Capability) -> KernelError? {
        answers.first { $0.capability == capability }?.shortfall
    }

    /// Why capabilities are not there, in their order; empty where nothing is missing.
    public var shortfalls: [KernelError] { answers.compactMap(\.shortfall) }

    /// Whether the sockets of both families can be listed, which is all that ``SocketWatcher/Source/poll`` needs.
    public var canPoll: Bool { allows(.ipv4) && allows(.ipv6) }

    /// Whether ``SocketWatcher/Source/trace`` has what it needs.
    public var canTrace: Bool { allows(.trace) }

    /// Whether the owners of all sockets can be found; without it only those of some are.
    public var findsAllOwners: Bool { allows(.owners) }

    /// Whether the sockets of all namespaces can be seen; without it only those of some are.
    public var seesAllNamespaces: Bool { allows(.namespaces) }

    /// Whether nothing is missing.
    public var isComplete: Bool { shortfalls.isEmpty }
}
