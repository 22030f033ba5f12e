internal import SockDiag
internal import SocketOwners

extension Examination {
    /// Half-open requests of one listener, or of several that share the port.
    mutating func addFlood(
        _ endpoint: SocketEndpoint,
        _ group: [Listener],
        _ requests: Requests,
        _ dropped: Int
    ) throws(KernelError) {
        let full = fullest(of: group, requests)
        let isFull = !full.isEmpty
        let sick = isFull ? full : group
        let owners = owners(of: sick.compactMap(\.inode))
        // The queue that is full first.
        guard let listener = sick.min(by: { $0.limit < $1.limit }) else { return }
        let hasCookies = now.settings[.synCookies] != 0
        let consequence =
            hasCookies
            ? "A full queue answers with SYN cookies: honest clients connect all the same."
            : "When it is full, the kernel drops every new SYN, those of honest clients too."
        let title =
            isFull
            ? hasCookies
                ? "\(endpoint): half-open connections fill the queue; SYN cookies let clients in"
                : "\(endpoint): half-open connections fill the queue; new clients are refused"
            : "\(endpoint): \(requests.stuck) connections stay half open"
        findings.append(
            Finding(
                kind: .halfOpenFlood,
                title: title + owners.nameSuffix,
                local: endpoint,
                owners: owners,
                evidence: evidence(listener, of: group.count, requests, dropped),
                meaning: """
                    A SYN flood: SYNs come whose senders never send the last ACK, most often from forged addresses. (Or \
                    clients on a path on which our answers are lost; or, with TCP_DEFER_ACCEPT, clients that say nothing.) \
                    Each takes a place in the queue for up to \(now.settings.halfOpenSeconds ?? 63) s. \(consequence)
                    """,
                remedies: remedies(endpoint, listener, requests)
            )
        )
    }

    private func evidence(
        _ listener: Listener,
        of listeners: Int,
        _ requests: Requests,
        _ dropped: Int
    ) -> [Finding.Evidence] {
        let limit = halfOpenLimit(listener)
        let arrived = max(0, requests.count - requests.stuck)
        let cookies = rate(of: .cookiesSent)
        let sources = requests.sources.count
        let top = requests.sources.max { ($0.value, $1.key) < ($1.value, $0.key) }
        var evidence = [
            Finding.Evidence("half_open", requests.count, "\(requests.count) half-open connections"),
            Finding.Evidence("limit", limit, "the queue takes \(limit)"),
            Finding.Evidence("stuck", requests.stuck, "\(requests.stuck) of them unanswered since the snapshot before"),
            Finding.Evidence(
                "syns_per_second",
                perSecond: perSecond(arrived) + cookies + dropped,
                "SYNs a second, about"
            ),
            Finding.Evidence("dropped_per_second", perSecond: dropped, "a second dropped"),
            Finding.Evidence("cookies_per_second", perSecond: cookies, "a second answered with a SYN cookie"),
        ]
        if listeners > 1 {
            let share = requests.count / listeners
            evidence.append(
                .init("listeners", listeners, "\(listeners) listeners share the port, about \(share) for each")
            )
        }
        if let top {
            let share = Self.percent(top.value, of: requests.count)
            evidence.append(
                .init(
                    "sources",
                    sources,
                    sources == 1
                        ? "all from \(top.key)" : "from \(sources) addresses, \(share)% of them from \(top.key)"
                )
            )
        }
        evidence += self.evidence(of: [.synCookies, .maxSYNBacklog, .somaxconn, .synAckRetries])
        return evidence
    }

    /// With `tcp_syncookies` = 2 there are no requests to be seen, and the kernel does not report which listener they came to.
    mutating func checkCookies() {
        let (sent, received) = (rate(of: .cookiesSent), rate(of: .cookiesReceived))
        let lost = sent - received
        guard lost >= thresholds.cookies, lost * 2 >= sent, !findings.contains(where: { $0.kind == .halfOpenFlood })
        else { return }
        let listeners = now.listeners.keys.sorted { $0.port < $1.port }
        let only = listeners.count == 1 ? listeners.first : nil
        let owners = only.flatMap { now.listeners[$0] }.map { self.owners(of: $0.compactMap(\.inode)) } ?? []
        let place = only.map { "\($0): " } ?? ""
        var remedies = [
            Finding.Remedy(
                "See whom they are sent to, and from where.",
                // tcp[tcpflags] is IPv4's alone (pcap-filter(7)).
                inNamespace(
                    "tcpdump -nn -c 100 -i any "
                        + "'tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn or ip6[6] == 6 and ip6[53] & 0x12 == 2'"
                )
            )
        ]
        if let only { remedies.append(rateLimit(only, Requests())) }
        findings.append(
            Finding(
                kind: .halfOpenFlood,
                title: place + "SYNs come that nobody completes; SYN cookies answer them and let clients in"
                    + owners.nameSuffix,
                local: only,
                owners: owners,
                evidence: [
                    .init("cookies_per_second", sent, "\(sent) SYNs a second answered with a SYN cookie"),
                    .init("answered_per_second", received, "\(received) a second came back"),
                ] + evidence(of: [.synCookies]),
                meaning: """
                    A SYN flood. It takes no memory here, and honest clients connect. With SYN cookies for every SYN the kernel \
                    keeps no half-open connections, and does not report which listener is meant.
                    """,
                remedies: remedies
            )
        )
    }
}

extension [SocketOwner] {
    /// ` (nginx, process 4711)` behind a title; nothing where nobody is known.
    var nameSuffix: String { first.map { " (\($0.name), process \($0.pid))" } ?? "" }
}
