internal import SockDiag
internal import SocketOwners

/// Peers that are gone, or do not read, and how long nobody would notice.
extension Examination {
    /// Connections whose data is sent again and again to a peer that says nothing.
    mutating func checkUnacknowledged() throws(KernelError) {
        // One or two timeouts are a path that loses segments.
        let dead = now.unacknowledged.filter {
            $0.attempts >= 3
                && .milliseconds(Int64(clamping: $0.unansweredMilliseconds)) >= thresholds.unacknowledgedAge
        }
        var others: [Waiting] = []
        for (peer, sockets) in byPeer(dead) {
            if sockets.count >= thresholds.unacknowledged {
                try addUnacknowledged(sockets, from: peer)
            } else {
                others += sockets.filter { $0.listener != nil }
            }
        }
        // Of the clients of a server some are always gone. Where it is a tenth of them, the way to them is.
        for (listener, sockets) in Dictionary(grouping: others, by: { $0.listener })
        where sockets.count >= thresholds.unacknowledged {
            guard let listener, sockets.count * 10 >= now.accepted[listener.port] ?? 0 else { continue }
            try addUnacknowledged(sockets, at: listener)
        }
    }

    private mutating func addUnacknowledged(
        _ sockets: [Waiting],
        from peer: SocketEndpoint? = nil,
        at listener: SocketEndpoint? = nil
    ) throws(KernelError) {
        let owners = owners(of: sockets.map(\.inode))
        let seconds = sockets.map { Int(clamping: $0.unansweredMilliseconds / 1000) }
        let (shortest, longest) = (seconds.min() ?? 0, seconds.max() ?? 0)
        let silent = Int(clamping: (sockets.map(\.silentMilliseconds).max() ?? 0) / 1000)
        let next = Int(clamping: ((sockets.map(\.nextMilliseconds).max() ?? 0) + 999) / 1000)
        let bytes = sockets.reduce(0) { $0 + Int($1.unsent) }
        let attempts = sockets.map { Int($0.attempts) }.max() ?? 0
        let retries = now.settings[.retries2] ?? 15
        let end = now.settings.unacknowledgedSeconds(retries: retries)
        let peers = Set(sockets.map(\.remote.address)).count
        let who =
            peer.map { "\($0.title) has" } ?? "\(listener.map { "\($0): " } ?? "")\(peers) clients' addresses have"
        findings.append(
            Finding(
                kind: .unacknowledged,
                title: "\(who) acknowledged nothing for \(shortest) s or longer: \(sockets.count) connections of "
                    + "\(owners.named(or: "programs here")) send into the void",
                local: listener,
                remote: peer,
                owners: owners,
                evidence: [
                    .init("count", sockets.count, "\(sockets.count) connections"),
                    .init("peers", peers, peer == nil ? "of \(peers) addresses" : ""),
                    .init("unanswered_seconds", longest, "unanswered for up to \(longest) s, at the least"),
                    .init("silent_seconds", silent, "the last segment from there up to \(silent) s ago"),
                    .init("attempts", attempts, "sent again up to \(attempts) times"),
                    .init("next_seconds", next, "next within \(next) s"),
                    .init("unacknowledged_bytes", bytes, "\(bytes) bytes not acknowledged"),
                    .init("gives_up_seconds", end, "the kernel gives up after about \(end) s"),
                ] + evidence(of: [.retries2]),
                meaning: """
                    The \(peers == 1 ? "peer's machine is" : "peers' machines are") down, or the way there, and no FIN or RST \
                    has come. The programs take the connections for open and wait: for about \(max(0, end - longest)) s \
                    more, unless they have set TCP_USER_TIMEOUT.
                    """,
                remedies: peerRemedies(peer?.filter ?? listener.map { .localPort == $0.port }, retries: retries)
            )
        )
    }

    private func peerRemedies(_ filter: SocketFilter?, retries: Int) -> [Finding.Remedy] {
        let isUnsent: SocketFilter = .sendQueue > 0
        var remedies = [
            Finding.Remedy(
                "See them, and whose they are.",
                see: SocketView(
                    filter: filter.map { $0 && isUnsent } ?? isUnsent,
                    namespace: elsewhere,
                    details: [.owners, .tcpInfo, .timers]
                )
            ),
            userTimeout,
        ]
        // RFC 1122, 4.2.3.5: no less than 100 s, which are 8 retries.
        if retries > 8 {
            let (before, after) = (
                now.settings.unacknowledgedSeconds(retries: retries), now.settings.unacknowledgedSeconds(retries: 8)
            )
            remedies.append(
                .init(
                    "Give up after about \(after) s instead of \(before) s, with every program.",
                    sysctl(.retries2, 8),
                    price: "An outage of the path for longer than that ends connections that would have survived it."
                )
            )
        }
        return remedies
    }

    private var userTimeout: Finding.Remedy {
        .init(
            "Set TCP_USER_TIMEOUT (30000 ms, say) in the program: it then learns of it by ETIMEDOUT.",
            nil,
            price: "A change of the program. SO_KEEPALIVE alone is no help here: it probes where nothing is on the way."
        )
    }

    /// Peers that do not read: they keep their windows closed, whether they answer the probes or not.
    mutating func checkClosedByPeer() throws(KernelError) {
        for (peer, sockets) in byPeer(now.closedByPeer) where sockets.count >= thresholds.zeroWindow {
            let owners = owners(of: sockets.map(\.inode))
            let seconds = Int(clamping: (sockets.map(\.probedMilliseconds).max() ?? 0) / 1000)
            let bytes = sockets.reduce(0) { $0 + Int($1.unsent) }
            let unanswered = sockets.count { $0.attempts > 0 }
            findings.append(
                Finding(
                    kind: .zeroWindow,
                    title: "\(peer.title) does not read: \(sockets.count) connections of "
                        + "\(owners.named(or: "programs here")) wait for its window to open",
                    remote: peer,
                    owners: owners,
                    evidence: [
                        .init("count", sockets.count, "\(sockets.count) connections probe a closed window"),
                        .init("closed_seconds", seconds, "closed for up to \(seconds) s, at the least"),
                        .init("unsent_bytes", bytes, "\(bytes) bytes wait"),
                        .init(
                            "unanswered",
                            unanswered,
                            unanswered == 0
                                ? "the peer answers the probes" : "the last probe of \(unanswered) was not answered"
                        ),
                    ],
                    meaning: """
                        The program over there does not read. What is sent waits here, in the send queues; as long as the \
                        probes are answered, no timer ends that.
                        """,
                    remedies: [
                        .init(
                            "Inspect the program there.",
                            see: SocketView(
                                filter: peer.filter && .sendQueue > 0,
                                namespace: elsewhere,
                                details: [.owners, .timers]
                            )
                        ),
                        userTimeout,
                    ]
                )
            )
        }
    }

    /// Connections that a firewall or a peer may have forgotten long ago.
    mutating func checkIdle() throws(KernelError) {
        for group in grouped(now.idle, least: thresholds.idle) {
            let times = group.sockets.map { Int(clamping: $0.idleMilliseconds / 1000) }
            let (shortest, longest) = (times.min() ?? 0, times.max() ?? 0)
            findings.append(
                Finding(
                    kind: .idle,
                    title:
                        "\(group.owners.named(or: "A program")) holds \(group.count) connections \(group.whither) that have "
                        + "been silent for \(shortest) s or longer, without keepalive",
                    local: group.listener,
                    remote: group.destination,
                    owners: group.owners,
                    evidence: [
                        .init("count", group.count, "\(group.count) idle connections"),
                        .init("oldest_seconds", longest, "silent for up to \(longest) s"),
                        group.evidence,
                    ] + evidence(of: [.keepaliveTime]),
                    meaning: """
                        Nothing tells whether the peers still exist: a machine that is gone sends no FIN, and a firewall \
                        forgets what is silent. Where a program only waits to receive, it waits forever.
                        """,
                    remedies: [
                        .init(
                            "See them, and with whom.",
                            see: SocketView(
                                states: .established,
                                filter: group.filter,
                                pid: group.owners.first?.pid,
                                namespace: elsewhere,
                                details: [.owners, .tcpInfo, .timers]
                            )
                        ),
                        .init(
                            "Set SO_KEEPALIVE in the program, with TCP_KEEPIDLE below what firewalls on the way allow.",
                            nil,
                            price:
                                "A change of the program or its configuration; a few segments for each silent connection."
                        ),
                    ]
                )
            )
        }
    }
}
