/// A setting of the kernel that bounds how many connections there can be, or how long they last, by its name for
/// `sysctl(8)`.
///
/// Source: `Documentation/networking/ip-sysctl.rst`.
public struct KernelSetting: RawRepresentable, Hashable, Sendable {
    /// The name: `net.ipv4.tcp_syncookies`.
    public let rawValue: String

    /// A setting of any name.
    public init(rawValue: String) { self.rawValue = rawValue }

    private init(tcp name: String) { rawValue = "net.ipv4.tcp_\(name)" }

    /// Whether SYNs are answered by cookies: 0 never, 1 where a queue is full, 2 always.
    public static let synCookies = Self(tcp: "syncookies")
    /// Half-open requests of one listener, for a kernel without SYN cookies.
    public static let maxSYNBacklog = Self(tcp: "max_syn_backlog")
    /// How often an unanswered SYN+ACK is sent again.
    public static let synAckRetries = Self(tcp: "synack_retries")
    /// How often an unanswered SYN is sent again.
    public static let synRetries = Self(tcp: "syn_retries")
    /// How many SYNs go out a second apart before the time doubles (kernel 6.5).
    public static let synLinearTimeouts = Self(tcp: "syn_linear_timeouts")
    /// The most that a program's `listen()` gets.
    public static let somaxconn = Self(rawValue: "net.core.somaxconn")
    /// How often data is sent again before a connection counts as dead.
    public static let retries2 = Self(tcp: "retries2")
    /// The same for a connection that no program holds any more; 0 for 8.
    public static let orphanRetries = Self(tcp: "orphan_retries")
    /// Orphans on the whole machine. Only in the first network namespace.
    public static let maxOrphans = Self(tcp: "max_orphans")
    /// Seconds that an orphan stays in FIN_WAIT_2.
    public static let finTimeout = Self(tcp: "fin_timeout")
    /// Sockets in TIME_WAIT.
    public static let maxTimeWait = Self(tcp: "max_tw_buckets")
    /// Whether `connect()` may take the port of a TIME_WAIT: 0 no, 1 yes, 2 on loopback.
    public static let timeWaitReuse = Self(tcp: "tw_reuse")
    /// Seconds of silence before a connection with SO_KEEPALIVE is probed.
    public static let keepaliveTime = Self(tcp: "keepalive_time")
    /// Whether segments carry times.
    public static let timestamps = Self(tcp: "timestamps")
    /// The ports that `connect()` chooses from: two numbers.
    public static let localPortRange = Self(rawValue: "net.ipv4.ip_local_port_range")
    /// Pages of 4 KiB that TCP may take: three numbers. Only in the first network namespace.
    public static let memory = Self(tcp: "mem")
    /// Connections that the firewall follows.
    public static let conntrackCount = Self(rawValue: "net.netfilter.nf_conntrack_count")
    /// The most of them.
    public static let conntrackMax = Self(rawValue: "net.netfilter.nf_conntrack_max")
}
