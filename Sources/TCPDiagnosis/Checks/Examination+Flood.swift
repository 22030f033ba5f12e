internal import SockDiag
internal import SocketOwners

extension Examination {
    /// Half-open requests of one listener.
    mutating func addFlood(
        _ endpoint: SocketEndpoint,
        _ listener: Listener,
        _ requests: Requests,
        _ dropped: Int
    ) throws(SockDiagError) {
        let owners = try owners(of: listener.inodes)
        let limit = halfOpenLimit(listener)
        let isFull = Self.percent(requests.count, of: limit) >= thresholds.halfOpen
        let hasCookies = now.settings[.synCookies] != 0
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
                evidence: evidence(listener, requests, dropped),
                meaning: isFull && !hasCookies
                    ? """
                    A SYN flood: SYNs come whose senders never send the last ACK, most often from forged addresses. \
                    (With TCP_DEFER_ACCEPT, also clients that connect and say nothing.) Each takes a place in the queue for up to \(now.settings.halfOpenSeconds ?? 63) s. When it is full, the \
                    kernel drops every new SYN, those of honest clients too.
                    """
                    : """
                    A SYN flood, or clients behind a path on which our answers are lost: they never send the last ACK. \
                    (With TCP_DEFER_ACCEPT, also clients that connect and say nothing.) A full queue is answered with SYN \
                    cookies: honest clients connect all the same.
                    """,
                remedies: remedies(endpoint, listener, requests)
            )
        )
    }

    private func evidence(_ listener: Listener, _ requests: Requests, _ dropped: Int) -> [Finding.Evidence] {
        let limit = halfOpenLimit(listener)
        let arrived = max(0, requests.count - requests.stuck)
        let cookies = rate(of: .cookiesSent)
        let sources = requests.sources.count
        let top = requests.sources.max { ($0.value, $1.key) < ($1.value, $0.key) }
        var evidence = [
            Finding.Evidence("half_open", requests.count, "\(requests.count) half-open connections"),
            Finding.Evidence("limit", limit, "the queue takes \(limit)"),
            Finding.Evidence("stuck", requests.stuck, "\(requests.stuck) of them unanswered since the look before"),
            Finding.Evidence(
                "syns_per_second",
                perSecond: perSecond(arrived) + cookies + dropped,
                "SYNs a second, about"
            ),
            Finding.Evidence("dropped_per_second", perSecond: dropped, "a second dropped"),
            Finding.Evidence("cookies_per_second", perSecond: cookies, "a second answered with a SYN cookie"),
        ]
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
        for setting in [KernelSetting.synCookies, .maxSYNBacklog, .somaxconn, .synAckRetries] {
            guard let value = now.settings[setting] else { continue }
            let name = setting.rawValue.split(separator: ".").last.map(String.init) ?? setting.rawValue
            evidence.append(.init(name, value, "\(setting.rawValue) = \(value)"))
        }
        return evidence
    }

    /// What helps, by what is set now.
    private func remedies(
        _ endpoint: SocketEndpoint,
        _ listener: Listener,
        _ requests: Requests
    ) -> [Finding.Remedy] {
        var remedies: [Finding.Remedy] = []
        if now.settings[.synCookies] == 0 {
            remedies.append(
                .init(
                    "Answer a full queue with SYN cookies: honest clients connect, however long the flood lasts.",
                    sysctl(.synCookies, 1),
                    price: """
                        As long as the queue is full, new connections lose window scaling and SACK unless both sides use \
                        timestamps, and a lost SYN+ACK is not sent again.
                        """
                )
            )
        }
        remedies.append(
            backlog(listener, "Room for more half-open connections: a larger backlog in the program's listen()")
        )
        if let most = now.settings[.maxSYNBacklog], now.settings[.synCookies] == 0, most < listener.limit * 4 / 3 {
            remedies.append(
                .init(
                    "Without SYN cookies the queue also ends at three quarters of tcp_max_syn_backlog, now \(most).",
                    sysctl(.maxSYNBacklog, listener.limit * 2),
                    price: "About 300 bytes of kernel memory for each; with SYN cookies this setting does nothing."
                )
            )
        }
        if let retries = now.settings[.synAckRetries], retries > 1 {
            remedies.append(
                .init(
                    "Forget each request after 3 s instead of up to \(KernelSettings.seconds(retries: retries)) s.",
                    sysctl(.synAckRetries, 1),
                    price: """
                        On a path that loses segments, a client whose last ACK is lost twice is cut off while it takes itself \
                        for connected. With 0 one lost segment is enough, and a round trip above 1 s never connects.
                        """
                )
            )
        }
        if !requests.sources.keys.allSatisfy(\.isLoopback) { remedies.append(rateLimit(endpoint, requests)) }
        return remedies
    }

    /// Blocks one source, or limits what each may send.
    private func rateLimit(_ endpoint: SocketEndpoint, _ requests: Requests) -> Finding.Remedy {
        let table = "add table inet tcpstates; add chain inet tcpstates input { type filter hook input priority -300; }"
        let top = requests.sources.max { $0.value < $1.value }
        if let top, Self.percent(top.value, of: requests.count) >= 50, top.value > 10 {
            let family = top.key.family == .ipv4 ? "ip" : "ip6"
            return Finding.Remedy(
                "Most come from one address: drop what it sends.",
                inNamespace("nft '\(table); add rule inet tcpstates input \(family) saddr \(top.key) drop'"),
                price: "Everybody behind that address is shut out. Undo: nft delete table inet tcpstates"
            )
        }
        let family = (top?.key ?? endpoint.address.unmapped).family == .ipv4 ? "ip" : "ip6"
        let rule =
            "tcp dport \(endpoint.port) tcp flags & (syn|ack) == syn "
            + "meter syns { \(family) saddr limit rate over 20/second burst 50 packets } drop"
        return Finding.Remedy(
            "Limit the SYNs from each address.",
            inNamespace("nft '\(table); add rule inet tcpstates input \(rule)'"),
            price: """
                Many honest clients behind one address are limited too, and forged addresses are not: against those, SYN \
                cookies and the provider help. Undo: nft delete table inet tcpstates
                """
        )
    }

    /// With `tcp_syncookies` = 2 there are no requests to be seen, and the kernel does not tell which listener they came to.
    mutating func checkCookies() {
        let (sent, received) = (rate(of: .cookiesSent), rate(of: .cookiesReceived))
        let lost = sent - received
        guard lost >= thresholds.cookies, lost * 2 >= sent, !findings.contains(where: { $0.kind == .halfOpenFlood })
        else { return }
        let listeners = now.listeners.keys.sorted { $0.port < $1.port }
        let only = listeners.count == 1 ? listeners.first : nil
        let owners = only.flatMap { now.listeners[$0] }.flatMap { try? self.owners(of: $0.inodes) } ?? []
        let place = only.map { "\($0): " } ?? ""
        var remedies = [
            Finding.Remedy(
                "See whom they are sent to, and from where.",
                inNamespace("tcpdump -nn -c 100 -i any 'tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn'"),
                price: "None."
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
                    .init(
                        "tcp_syncookies",
                        now.settings[.synCookies] ?? -1,
                        "\(KernelSetting.synCookies.rawValue) = "
                            + "\(now.settings[.synCookies] ?? -1)"
                    ),
                ],
                meaning: """
                    A SYN flood. It takes no memory here, and honest clients connect. With SYN cookies for every SYN the kernel \
                    keeps no half-open connections, and does not tell which listener is meant.
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
