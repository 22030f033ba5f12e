internal import SockDiag
internal import SocketOwners

extension Examination {
    /// Checks each listener: its accept queue, its half-open requests, what it drops.
    mutating func checkListeners() throws(KernelError) {
        let requests = now.requestsByListener
        for (endpoint, listener) in now.listeners.sorted(by: { $0.key.port < $1.key.port }) {
            let dropped = perSecond(max(0, listener.drops - (before.listeners[endpoint]?.drops ?? listener.drops)))
            if isFull(endpoint, listener, dropped) {
                try addAcceptQueue(endpoint, listener, dropped)
            } else if let requests = requests[endpoint], isFlooded(listener, requests, dropped) {
                try addFlood(endpoint, listener, requests, dropped)
            }
        }
    }

    /// Whether connections wait in both snapshots, or are dropped in bursts between them.
    private func isFull(_ endpoint: SocketEndpoint, _ listener: Listener, _ dropped: Int) -> Bool {
        guard let earlier = before.listeners[endpoint] else { return false }
        func fullness(_ listener: Listener) -> Int { Self.percent(listener.waiting, of: max(listener.limit, 1)) }
        let isFullNow = listener.hasFullQueue || fullness(listener) >= thresholds.acceptQueue
        let wasFull = earlier.hasFullQueue || fullness(earlier) >= thresholds.acceptQueue
        if isFullNow, wasFull, listener.waiting > 0, earlier.waiting > 0 { return true }
        return dropped >= thresholds.drops && rate(of: .acceptQueueOverflows) >= thresholds.drops
            && (growth(of: .requestsDropped) ?? 0) == 0
    }

    private mutating func addAcceptQueue(
        _ endpoint: SocketEndpoint,
        _ listener: Listener,
        _ dropped: Int
    ) throws(KernelError) {
        let owners = try owners(of: listener.inodes)
        let program = owners.named(or: "the program that listens there")
        var evidence = [
            Finding.Evidence("waiting", listener.waiting, "\(listener.waiting) connections wait to be accepted"),
            Finding.Evidence("limit", listener.limit, "the queue takes \(listener.limit)"),
            Finding.Evidence("dropped_per_second", perSecond: dropped, "SYNs and ACKs a second are dropped"),
        ]
        if let requests = now.requestsByListener[endpoint], requests.count > 0 {
            evidence.append(.init("half_open", requests.count, "\(requests.count) more are half open before it"))
        }
        let isFullNow = listener.waiting * 2 > listener.limit
        findings.append(
            Finding(
                kind: .acceptQueueOverflow,
                title: "\(endpoint): \(program) does not accept its connections"
                    + (isFullNow ? "; the queue is full" : " fast enough; the queue overflows in bursts"),
                local: endpoint,
                owners: owners,
                evidence: evidence,
                meaning: """
                    Clients have connected and wait for an answer. Those that come now hang: their SYNs are dropped, and \
                    sent again after 1, 2, 3 … s. The kernel does its part; the program does not call accept().
                    """,
                remedies: [
                    .init(
                        "See what the program is doing: blocked, out of descriptors, or too few workers.",
                        owners.first.map {
                            "ps -L -o tid,stat,wchan:30,comm -p \($0.pid); ls /proc/\($0.pid)/fd | wc -l"
                        }
                    ),
                    backlog(listener, "Room for bursts: a larger backlog in the program's listen()"),
                ]
            )
        )
    }

    /// Whether half-open requests that stay, or that are too many for the queue, are there.
    private func isFlooded(_ listener: Listener, _ requests: Requests, _ dropped: Int) -> Bool {
        if requests.stuck >= thresholds.halfOpenCount { return true }
        let fullness = Self.percent(requests.count, of: halfOpenLimit(listener))
        let isAnswered = (growth(of: .cookiesSent) ?? 0) + (growth(of: .requestsDropped) ?? 0) + dropped > 0
        return fullness >= thresholds.halfOpen && (requests.stuck * 2 >= requests.count || isAnswered)
    }

    /// The number of half-open requests that the kernel keeps: the backlog; and without SYN cookies no more than three quarters
    /// of `tcp_max_syn_backlog` for peers that it has no memory of (`tcp_conn_request()`).
    func halfOpenLimit(_ listener: Listener) -> Int {
        guard now.settings[.synCookies] == 0, let most = now.settings[.maxSYNBacklog] else { return listener.limit }
        return min(listener.limit, most - most / 4)
    }
}
