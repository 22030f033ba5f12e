internal import LinuxSystem
internal import SockDiag

/// What the kernel has counted in one network namespace since that began, and a few things that it has now.
///
/// Source: `/proc/net/snmp` and `/proc/net/netstat` (`net/ipv4/proc.c`), `/proc/net/sockstat`.
struct KernelCounters: Sendable {
    /// A counter, by the kernel's name.
    struct Name: RawRepresentable, Hashable {
        let rawValue: String

        /// SYNs that were answered by a cookie.
        static let cookiesSent = Name(rawValue: "SyncookiesSent")
        /// ACKs that brought a cookie back.
        static let cookiesReceived = Name(rawValue: "SyncookiesRecv")
        /// SYNs that came to a full queue of half-open requests, and were dropped.
        static let requestsDropped = Name(rawValue: "TCPReqQFullDrop")
        /// SYNs and final ACKs that came to a full accept queue.
        static let acceptQueueOverflows = Name(rawValue: "ListenOverflows")
        /// Segments that were sent, the retransmitted ones left out.
        static let segmentsOut = Name(rawValue: "OutSegs")
        /// Segments that were sent again.
        static let retransmitted = Name(rawValue: "RetransSegs")
        /// SYNs and SYN+ACKs among them.
        static let handshakesRetransmitted = Name(rawValue: "TCPSynRetrans")
        /// Connections that got no TIME_WAIT, because `tcp_max_tw_buckets` was reached.
        static let timeWaitOverflows = Name(rawValue: "TCPTimeWaitOverflow")
        /// The number of times that TCP came under memory pressure.
        static let memoryPressures = Name(rawValue: "TCPMemoryPressures")
        /// Connections that were ended for want of memory, or because there were too many orphans.
        static let abortedForMemory = Name(rawValue: "TCPAbortOnMemory")
        /// Now: sockets that no program holds any more, on the whole machine.
        static let orphans = Name(rawValue: "orphan")
        /// Now: sockets in TIME_WAIT.
        static let timeWaits = Name(rawValue: "tw")
        /// Now: pages that TCP uses, on the whole machine.
        static let pages = Name(rawValue: "mem")
    }

    private var numbers: [String: UInt64] = [:]

    /// Reads those of the calling thread's namespace; what cannot be read is not known.
    init() {
        for file in ["netstat", "snmp"] {
            addTables((try? OpenFile.start(of: "/proc/thread-self/net/\(file)", limit: 32 * 1024)) ?? [])
        }
        numbers.merge(SocketStatistics.ipv4) { $1 }
    }

    /// Reads the text of `netstat` or `snmp`.
    init(tables: String) { addTables(Array(tables.utf8)) }

    subscript(name: Name) -> UInt64? { numbers[name.rawValue] }

    /// Something that the kernel has now.
    func now(_ name: Name) -> Int { Int(min(numbers[name.rawValue] ?? 0, 1 << 50)) }

    /// A line of names and one of numbers, both after the same word.
    private mutating func addTables(_ bytes: [UInt8]) {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        for (names, values) in zip(lines, lines.dropFirst()) where names.hasPrefix("Tcp") {
            let words = (names.split(separator: " "), values.split(separator: " "))
            guard words.0.first == words.1.first else { continue }
            for (name, value) in zip(words.0, words.1).dropFirst() { numbers[String(name)] = UInt64(value) }
        }
    }
}
