internal import SockDiag
internal import SocketOwners

extension Examination {
    /// Checks each listener: its accept queue, its half-open requests, what it drops. Those that share a port (SO_REUSEPORT)
    /// have a queue each, and are judged one by one.
    mutating func checkListeners() throws(KernelError) {
        let requests = now.requestsByListener
        for (endpoint, group) in now.listeners.sorted(by: { $0.key.port < $1.key.port }) {
            let earlier = Dictionary(
                (before.listeners[endpoint] ?? []).map { ($0.cookie, $0) },
                uniquingKeysWith: { first, _ in first }
            )
            func dropped(_ listener: Listener) -> Int {
                perSecond(max(0, listener.drops - (earlier[listener.cookie]?.drops ?? listener.drops)))
            }
            let full = group.filter { isFull($0, before: earlier[$0.cookie], dropped($0)) }
            for listener in full {
                try addAcceptQueue(endpoint, listener, of: group, full: full.count, dropped(listener))
            }
            guard full.isEmpty, let requests = requests[endpoint] else { continue }
            let lost = group.reduce(0) { $0 + dropped($1) }
            if isFlooded(group, requests, lost) { try addFlood(endpoint, group, requests, lost) }
        }
    }

    /// Whether connections wait in both snapshots, or are dropped in bursts between them.
    private func isFull(_ listener: Listener, before earlier: Listener?, _ dropped: Int) -> Bool {
        guard let earlier else { return false }
        func fullness(_ listener: Listener) -> Int { Self.percent(listener.waiting, of: max(listener.limit, 1)) }
        let isFullNow = listener.isFull || fullness(listener) >= thresholds.acceptQueue
        let wasFull = earlier.isFull || fullness(earlier) >= thresholds.acceptQueue
        if isFullNow, wasFull, listener.waiting > 0, earlier.waiting > 0 { return true }
        return dropped >= thresholds.drops && rate(of: .acceptQueueOverflows) >= thresholds.drops
            && (growth(of: .requestsDropped) ?? 0) == 0
    }

    private mutating func addAcceptQueue(
        _ endpoint: SocketEndpoint,
        _ listener: Listener,
        of group: [Listener],
        full: Int,
        _ dropped: Int
    ) throws(KernelError) {
        let owners = owners(of: listener.inode.map { [$0] } ?? [])
        let program = owners.named(or: "the program that listens there")
        let isShared = group.count > 1
        var evidence = [
            Finding.Evidence("waiting", listener.waiting, "\(listener.waiting) connections wait to be accepted"),
            Finding.Evidence("limit", listener.limit, "the queue takes \(listener.limit)"),
            Finding.Evidence("dropped_per_second", perSecond: dropped, "SYNs and ACKs a second are dropped"),
        ]
        if isShared {
            evidence.append(
                .init("listeners", group.count, "\(full) of \(group.count) listeners that share the port are so")
            )
        } else if let requests = now.requestsByListener[endpoint], requests.count > 0 {
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
                    sent again after 1, 2, 3 … s. The kernel does its part; the program does not call accept().\
                    \(isShared ? " It gives each listener of the port its share of the clients, whether it accepts or not." : "")
                    """,
                remedies: [
                    .init(
                        "See what the program is doing: blocked, out of descriptors, or too few workers.",
                        owners.first.map {
                            "ps -L -o tid,stat,wchan:30,comm -p \($0.pid); ls /proc/\($0.pid)/fd | wc -l"
                        }
                    )
                ] + (isShared && full < group.count ? sharedRemedies(listener) : [])
                    + [backlog(listener.limit, "Room for bursts: a larger backlog in the program's listen()")]
            )
        )
    }

    /// What helps where other listeners of the port accept.
    private func sharedRemedies(_ listener: Listener) -> [Finding.Remedy] {
        var remedies = [
            Finding.Remedy(
                "End that process, or close its listener: new clients then go to the others.",
                nil,
                price: now.settings[.migrateRequests] == 1
                    ? nil : "The \(listener.waiting) connections that wait there are reset."
            )
        ]
        if now.settings[.migrateRequests] == 0 {
            remedies.append(
                .init(
                    "Before that, have what waits there handed to the others.",
                    sysctl(.migrateRequests, 1),
                    price: "Where the others offer other options or limits, clients may see a difference."
                )
            )
        }
        return remedies
    }

    /// Whether half-open requests that stay, or that are too many for the queue, are there.
    private func isFlooded(_ group: [Listener], _ requests: Requests, _ dropped: Int) -> Bool {
        if requests.stuck >= thresholds.halfOpenCount { return true }
        let isAnswered = (growth(of: .cookiesSent) ?? 0) + (growth(of: .requestsDropped) ?? 0) + dropped > 0
        return !fullest(of: group, requests).isEmpty && (requests.stuck * 2 >= requests.count || isAnswered)
    }

    /// The listeners whose queue half-open requests fill. Of several that share the port each gets an equal part of them:
    /// the kernel chooses by a hash of addresses and ports.
    func fullest(of group: [Listener], _ requests: Requests) -> [Listener] {
        group.filter {
            Self.percent(requests.count / max(group.count, 1), of: halfOpenLimit($0)) >= thresholds.halfOpen
        }
    }

    /// The number of half-open requests that the kernel keeps.
    func halfOpenLimit(_ listener: Listener) -> Int { now.settings.halfOpenLimit(backlog: listener.limit) }
}
