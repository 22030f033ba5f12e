internal import LinuxLibC
internal import LinuxSystem
package import SockDiag

/// What the kernel has counted in one network namespace since that began, and a few things that it has now.
///
/// Source: `/proc/net/snmp` and `/proc/net/netstat` (`net/ipv4/proc.c`), `/proc/net/sockstat`.
package struct KernelCounters: Sendable {
    /// A counter, by the kernel's name.
    package struct Name: RawRepresentable, Hashable, Sendable {
        package let rawValue: String

        /// A counter of any name.
        package init(rawValue: String) { self.rawValue = rawValue }

        /// SYNs that were answered by a cookie.
        package static let cookiesSent = Name(rawValue: "SyncookiesSent")
        /// ACKs that brought a cookie back.
        package static let cookiesReceived = Name(rawValue: "SyncookiesRecv")
        /// SYNs that came to a full queue of half-open requests, and were dropped.
        package static let requestsDropped = Name(rawValue: "TCPReqQFullDrop")
        /// SYNs and final ACKs that came to a full accept queue.
        package static let acceptQueueOverflows = Name(rawValue: "ListenOverflows")
        /// Segments that were sent, the retransmitted ones left out.
        package static let segmentsOut = Name(rawValue: "OutSegs")
        /// Segments that were sent again.
        package static let retransmitted = Name(rawValue: "RetransSegs")
        /// SYNs and SYN+ACKs among them.
        package static let handshakesRetransmitted = Name(rawValue: "TCPSynRetrans")
        /// Connections that got no TIME_WAIT, because `tcp_max_tw_buckets` was reached.
        package static let timeWaitOverflows = Name(rawValue: "TCPTimeWaitOverflow")
        /// The number of times that TCP came under memory pressure.
        package static let memoryPressures = Name(rawValue: "TCPMemoryPressures")
        /// Connections that were ended for want of memory, or because there were too many orphans.
        package static let abortedForMemory = Name(rawValue: "TCPAbortOnMemory")
        /// ACKs whose cookie was none.
        package static let cookiesFailed = Name(rawValue: "SyncookiesFailed")
        /// Segments that a listener dropped, for whatever reason.
        package static let listenDrops = Name(rawValue: "ListenDrops")
        /// Segments that were received.
        package static let segmentsIn = Name(rawValue: "InSegs")
        /// Connections that were ended because the peer did not answer.
        package static let abortedOnTimeout = Name(rawValue: "TCPAbortOnTimeout")
        /// Connections that were ended because data came that nobody can read any more.
        package static let abortedOnData = Name(rawValue: "TCPAbortOnData")
        /// Connections that were closed with data unread.
        package static let abortedOnClose = Name(rawValue: "TCPAbortOnClose")
        /// Orphans that were ended because FIN_WAIT_2 was not to last so long.
        package static let abortedOnLinger = Name(rawValue: "TCPAbortOnLinger")
        /// RSTs that could not be sent for want of memory.
        package static let abortsFailed = Name(rawValue: "TCPAbortFailed")
        /// Now: sockets that no program holds any more, on the whole machine.
        package static let orphans = Name(rawValue: "orphan")
        /// Now: sockets in TIME_WAIT.
        package static let timeWaits = Name(rawValue: "tw")
        /// Now: pages that TCP uses, on the whole machine.
        package static let pages = Name(rawValue: "mem")
    }

    private var numbers: [String: UInt64] = [:]

    /// The size of a page, bytes.
    package static var pageSize: UInt64 { UInt64(max(sysconf(Int32(_SC_PAGESIZE)), 0)) }

    /// Reads those of a namespace.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where the namespace may not be entered.
    package init(of namespace: NetworkNamespace) throws(KernelError) {
        self = try namespace.run { () throws(KernelError) in KernelCounters() }
    }

    /// Reads those of the calling thread's namespace; what cannot be read is not known.
    package init() {
        for file in ["netstat", "snmp"] {
            addTables((try? OpenFile.start(of: "/proc/thread-self/net/\(file)", limit: 32 * 1024)) ?? [])
        }
        numbers.merge(SocketStatistics.ipv4) { $1 }
    }

    /// Reads the text of `netstat` or `snmp`.
    package init(tables: String) { addTables(Array(tables.utf8)) }

    package subscript(name: Name) -> UInt64? { numbers[name.rawValue] }

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
