/// A setting of the kernel that bounds how many connections there can be, or how long they last, by its name for
/// `sysctl(8)`.
///
/// Source: `Documentation/networking/ip-sysctl.rst`.
package struct KernelSetting: RawRepresentable, Hashable, Sendable {
    /// The name: `net.ipv4.tcp_syncookies`.
    package let rawValue: String

    /// A setting of any name.
    package init(rawValue: String) { self.rawValue = rawValue }

    private init(tcp name: String) { rawValue = "net.ipv4.tcp_\(name)" }

    /// Whether SYNs are answered by cookies: 0 never, 1 where a queue is full, 2 always.
    package static let synCookies = Self(tcp: "syncookies")
    /// Half-open requests of one listener, for a kernel without SYN cookies.
    package static let maxSYNBacklog = Self(tcp: "max_syn_backlog")
    /// The number of times that an unanswered SYN+ACK is sent again.
    package static let synAckRetries = Self(tcp: "synack_retries")
    /// The number of times that an unanswered SYN is sent again.
    package static let synRetries = Self(tcp: "syn_retries")
    /// The number of SYNs that go out a second apart before the time doubles (kernel 6.5).
    package static let synLinearTimeouts = Self(tcp: "syn_linear_timeouts")
    /// The most that a program's `listen()` gets.
    package static let somaxconn = Self(rawValue: "net.core.somaxconn")
    /// The number of times that data is sent again before a connection counts as dead.
    package static let retries2 = Self(tcp: "retries2")
    /// The same for a connection that no program holds any more; 0 for 8.
    package static let orphanRetries = Self(tcp: "orphan_retries")
    /// The longest time between two retransmissions, milliseconds (kernel 6.15).
    package static let rtoMax = Self(tcp: "rto_max_ms")
    /// Whether what waits at a listener that closes goes to another one of the port (kernel 5.14).
    package static let migrateRequests = Self(tcp: "migrate_req")
    /// Orphans on the whole machine. Only in the first network namespace.
    package static let maxOrphans = Self(tcp: "max_orphans")
    /// Seconds that an orphan stays in FIN_WAIT_2.
    package static let finTimeout = Self(tcp: "fin_timeout")
    /// Sockets in TIME_WAIT.
    package static let maxTimeWait = Self(tcp: "max_tw_buckets")
    /// Whether `connect()` may take the port of a TIME_WAIT: 0 no, 1 yes, 2 on loopback.
    package static let timeWaitReuse = Self(tcp: "tw_reuse")
    /// Seconds of silence before a connection with SO_KEEPALIVE is probed.
    package static let keepaliveTime = Self(tcp: "keepalive_time")
    /// Whether segments carry times.
    package static let timestamps = Self(tcp: "timestamps")
    /// The ports that `connect()` chooses from: two numbers.
    package static let localPortRange = Self(rawValue: "net.ipv4.ip_local_port_range")
    /// Ports among them that it leaves out: `8080,9000-9010`.
    package static let reservedPorts = Self(rawValue: "net.ipv4.ip_local_reserved_ports")
    /// Pages of 4 KiB that TCP may take: three numbers. Only in the first network namespace.
    package static let memory = Self(tcp: "mem")
    /// Connections that the firewall follows.
    package static let conntrackCount = Self(rawValue: "net.netfilter.nf_conntrack_count")
    /// The most of them.
    package static let conntrackMax = Self(rawValue: "net.netfilter.nf_conntrack_max")
}
