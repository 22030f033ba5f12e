internal import SocketValues
internal import TCPDiagnosis
internal import TCPWatch

/// Every metric that there is, under the name by which dashboards and alerts know it: whoever reports one takes it from here.
///
/// A label's values are a closed set, all of them there from the first time on, also at 0; or they are opted into, and
/// capped. No label is a process' number, a cookie or a client's port.
package enum Catalogue {
    private static let tcp = [(name: "network.transport", value: "tcp")]

    // MARK: Sockets

    package static let sockets = Metric(
        "sockets",
        .amount,
        by: ["family", "state"],
        "TCP sockets by their state. Source: the watcher's table, or a dump.",
        as: .init(
            "system.network.connection.count",
            "{connection}",
            ["family": "network.type", "state": "network.connection.state"],
            constants: tcp
        )
    )
    package static let oldest = Metric(
        "state_oldest",
        .gauge,
        unit: .seconds,
        by: ["state"],
        "For how long the socket has been in a state that has been in it for longest; 0 where there is none. Source: the watcher's table."
    )
    package static let queued = Metric(
        "queued",
        .amount,
        unit: .bytes,
        by: ["queue"],
        "Payload that the program has not read, or the peer not acknowledged, listeners left out. Source: a dump."
    )

    // MARK: Connections

    package static let transitions = Metric(
        "transitions",
        .counter,
        by: ["from", "to"],
        "Transitions between two states, those that were only passed through counted too. Source: the watcher's events."
    )
    package static let inferred = Metric(
        "inferred_transitions",
        .counter,
        "Transitions that nobody has seen, and that follow from what was. Source: the watcher's events."
    )
    package static let connections = Metric(
        "connections",
        .counter,
        by: ["role", "outcome"],
        "Attempts to open a connection, by what came of them. Source: the watcher's events."
    )
    package static let closed = Metric(
        "connections_closed",
        .counter,
        by: ["role", "how"],
        "Connections that were open and are no more, by what has ended them. Source: the watcher's events."
    )
    package static let duration = Metric(
        "connection_duration",
        .histogram(bounds: [0.001, 0.01, 0.1, 1, 10, 60, 300, 1800, 3600, 86400]),
        unit: .seconds,
        by: ["role"],
        "From the first transition of a connection until both sides have closed. Source: the watcher's events."
    )
    package static let handshake = Metric(
        "handshake_duration",
        .histogram(bounds: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30]),
        unit: .seconds,
        by: ["role"],
        "From the first transition of a connection to ESTABLISHED. Source: the kernel's tracepoints, alone."
    )
    package static let stateDuration = Metric(
        "state_duration",
        .histogram(bounds: [0.001, 0.01, 0.1, 1, 5, 15, 60, 300, 1800, 7200]),
        unit: .seconds,
        by: ["state"],
        "How long connections were in a state, when they leave it. Source: the watcher's events."
    )
    package static let rtt = Metric(
        "connection_rtt",
        .histogram(bounds: [0.00005, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5]),
        unit: .seconds,
        by: ["role"],
        "The smoothed round-trip time at a connection's end. Source: the kernel's last word on a socket."
    )
    package static let transferred = Metric(
        "closed_connection",
        .counter,
        unit: .bytes,
        by: ["direction"],
        "Payload of connections that ended. Source: the kernel's last word on a socket.",
        as: .init("tcpstates.closed_connection.io", "By", ["direction": "network.io.direction"])
    )

    // MARK: Listeners, services, destinations, processes

    private static let listener = ["local_address", "local_port"]
    package static let acceptQueue = Metric(
        "listener_accept_queue",
        .amount,
        by: listener,
        "Connections that wait for accept(), those of listeners that share the endpoint together. Source: a dump of listeners."
    )
    package static let acceptQueueLimit = Metric(
        "listener_accept_queue_limit",
        .gauge,
        by: listener,
        "How many may wait for accept(); the kernel lets in one more. Source: a dump of listeners."
    )
    package static let halfOpen = Metric(
        "listener_half_open",
        .amount,
        by: listener,
        "Half-open requests. Source: the watcher's table, or a dump."
    )
    package static let halfOpenLimit = Metric(
        "listener_half_open_limit",
        .gauge,
        by: listener,
        "From how many on SYNs are dropped or answered by cookies. Source: the backlog, tcp_max_syn_backlog, as the doctor reckons."
    )
    package static let serviceSockets = Metric(
        "service_sockets",
        .amount,
        by: ["local_port", "state"],
        "Sockets by the local port, of those that are listened on or named by --ports. Source: the watcher's table, or a dump.",
        as: .init(
            "tcpstates.service.connection.count",
            "{connection}",
            ["local_port": "network.local.port", "state": "network.connection.state"],
            constants: tcp
        )
    )
    package static let destinationSockets = Metric(
        "destination_sockets",
        .amount,
        by: ["remote_address", "remote_port", "state"],
        "Sockets of connections that were opened from here, by where they go. Source: the watcher's table, or a dump.",
        as: .init(
            "tcpstates.destination.connection.count",
            "{connection}",
            [
                "remote_address": "network.peer.address", "remote_port": "network.peer.port",
                "state": "network.connection.state",
            ],
            constants: tcp
        )
    )
    package static let processSockets = Metric(
        "process_sockets",
        .amount,
        by: ["process", "state"],
        "Sockets by the name of the process that holds them. Source: /proc."
    )
    package static let destinationPorts = Metric(
        "destination_local_ports",
        .gauge,
        by: ["remote_address", "remote_port"],
        "Local ports that connections to a destination take from one address, that of which they take most: the ten fullest destinations. Source: the watcher's table, or a dump."
    )
    package static let ephemeralPorts = Metric(
        "ephemeral_ports",
        .gauge,
        "Local ports that the kernel may choose. Source: ip_local_port_range, less ip_local_reserved_ports."
    )

    // MARK: The kernel's own counters

    package static let acceptOverflows = Metric(
        "accept_queue_overflows",
        .counter,
        "Handshakes that came to a full accept queue. Source: ListenOverflows.",
        since: .boot
    )
    package static let listenDrops = Metric(
        "listen_drops",
        .counter,
        "Segments that a listener dropped, for whatever reason. Source: ListenDrops.",
        since: .boot
    )
    package static let cookiesSent = Metric(
        "syn_cookies_sent",
        .counter,
        "SYNs that were answered by a cookie. Source: SyncookiesSent.",
        since: .boot
    )
    package static let cookiesAccepted = Metric(
        "syn_cookies_accepted",
        .counter,
        "ACKs that brought a cookie back. Source: SyncookiesRecv.",
        since: .boot
    )
    package static let cookiesFailed = Metric(
        "syn_cookies_failed",
        .counter,
        "ACKs whose cookie was none. Source: SyncookiesFailed.",
        since: .boot
    )
    package static let requestsDropped = Metric(
        "requests_dropped",
        .counter,
        "SYNs that came to a full queue of half-open requests, and were dropped. Source: TCPReqQFullDrop.",
        since: .boot
    )
    package static let timeWaitOverflows = Metric(
        "time_wait_overflows",
        .counter,
        "Connections that got no TIME_WAIT, for there were too many. Source: TCPTimeWaitOverflow.",
        since: .boot
    )
    package static let timeWaitLimit = Metric(
        "time_wait_limit",
        .gauge,
        "How many TIME_WAITs there may be. Source: tcp_max_tw_buckets."
    )
    package static let sentSegments = Metric(
        "sent_segments",
        .counter,
        "Segments that were sent, the retransmitted ones left out. Source: OutSegs.",
        since: .boot
    )
    package static let receivedSegments = Metric(
        "received_segments",
        .counter,
        "Segments that were received. Source: InSegs.",
        since: .boot
    )
    package static let retransmittedSegments = Metric(
        "retransmitted_segments",
        .counter,
        "Segments that were sent again, SYNs counted too. A ratio of it is none of loss. Source: RetransSegs.",
        since: .boot
    )
    package static let synRetransmits = Metric(
        "syn_retransmits",
        .counter,
        "SYNs and SYN+ACKs that were sent again. Source: TCPSynRetrans.",
        since: .boot
    )
    package static let aborted = Metric(
        "aborted_connections",
        .counter,
        by: ["reason"],
        "Connections that the kernel has aborted. Source: TCPAbortOn*, TCPAbortFailed.",
        since: .boot
    )
    package static let orphans = Metric(
        "orphans",
        .gauge,
        "Sockets that no program holds any more, on the whole machine. Source: sockstat."
    )
    package static let orphanLimit = Metric(
        "orphans_limit",
        .gauge,
        "How many of them there may be. Source: tcp_max_orphans."
    )
    package static let memory = Metric(
        "memory",
        .gauge,
        unit: .bytes,
        "Memory that TCP takes, on the whole machine. Source: sockstat."
    )
    package static let memoryLimit = Metric(
        "memory_limit",
        .gauge,
        unit: .bytes,
        "How much it may take. Source: tcp_mem."
    )
    package static let memoryPressures = Metric(
        "memory_pressures",
        .counter,
        "How often TCP came under memory pressure. Source: TCPMemoryPressures.",
        since: .boot
    )

    // MARK: What is wrong, and what was not seen

    package static let findings = Metric(
        "findings",
        .amount,
        by: ["finding"],
        "What tcpstates doctor says is wrong. Source: an examination."
    )
    package static let eventsLost = Metric(
        "events_lost",
        .counter,
        by: ["source"],
        "Events that were lost before they were seen, and counted. Source: the watcher's gaps."
    )
    package static let access = Metric(
        "access",
        .gauge,
        by: ["what"],
        "Whether a thing can be seen, 0 or 1. Source: tried at the start."
    )
    package static let watch = Metric(
        "watch",
        .info,
        by: ["source"],
        "How transitions are found: by the kernel's tracepoints, or by polling."
    )
    package static let groupsLimited = Metric(
        "groups_limited",
        .amount,
        by: ["metric"],
        "Groups that are counted under other, for there are more than are shown."
    )
    package static let scrapeDuration = Metric(
        "scrape_duration",
        .gauge,
        unit: .seconds,
        "How long the last answer took to be made. Source: tcpstates itself."
    )
    package static let scrapes = Metric(
        "scrapes",
        .counter,
        by: ["code"],
        "Answers to scrapes, by their HTTP status. Source: tcpstates itself."
    )
    package static let unexported = Metric(
        "unexported_events",
        .counter,
        "Events that no collector has taken: it was away for too long, or has refused them. Source: tcpstates itself."
    )
    package static let build = Metric("build", .info, by: ["version"], "The version of tcpstates.")

    // MARK: tcpstates itself, by the names that Prometheus' libraries give them

    package static let processorTime = Metric(
        "cpu",
        .counter,
        unit: .seconds,
        "Processor time that tcpstates has taken, the kernel's work for it included. Source: /proc/self/stat.",
        since: .process,
        prefix: "process_",
        as: .init("process.cpu.time", "s")
    )
    package static let residentMemory = Metric(
        "resident_memory",
        .amount,
        unit: .bytes,
        "Memory of tcpstates that is resident. Source: /proc/self/stat.",
        prefix: "process_",
        as: .init("process.memory.usage", "By")
    )
    package static let virtualMemory = Metric(
        "virtual_memory",
        .amount,
        unit: .bytes,
        "Addresses that tcpstates has mapped. Source: /proc/self/stat.",
        prefix: "process_",
        as: .init("process.memory.virtual", "By")
    )
    package static let threads = Metric(
        "threads",
        .amount,
        "Threads of tcpstates. Source: /proc/self/stat.",
        prefix: "process_",
        as: .init("process.thread.count", "{thread}")
    )
    package static let openDescriptors = Metric(
        "open_fds",
        .amount,
        "Descriptors that tcpstates has open. Source: /proc/self/fd.",
        prefix: "process_",
        as: .init("process.unix.file_descriptor.count", "{file_descriptor}")
    )
    package static let descriptorLimit = Metric(
        "max_fds",
        .gauge,
        "How many it may have open. Source: RLIMIT_NOFILE.",
        prefix: "process_"
    )
    package static let startTime = Metric(
        "start_time",
        .gauge,
        unit: .seconds,
        "When tcpstates was started, seconds since 1970. Source: /proc/self/stat, /proc/stat.",
        prefix: "process_"
    )

    /// All of them, as they stand above.
    package static let all: [Metric] = [
        sockets, oldest, queued, transitions, inferred, connections, closed, duration, handshake, stateDuration, rtt,
        transferred, acceptQueue, acceptQueueLimit, halfOpen, halfOpenLimit, serviceSockets, destinationSockets,
        processSockets, destinationPorts, ephemeralPorts, acceptOverflows, listenDrops, cookiesSent, cookiesAccepted,
        cookiesFailed, requestsDropped, timeWaitOverflows, timeWaitLimit, sentSegments, receivedSegments,
        retransmittedSegments, synRetransmits, aborted, orphans, orphanLimit, memory, memoryLimit, memoryPressures,
        findings, eventsLost, access, watch, groupsLimited, scrapeDuration, scrapes, unexported, build, processorTime,
        residentMemory, virtualMemory, threads, openDescriptors, descriptorLimit, startTime,
    ]
}
