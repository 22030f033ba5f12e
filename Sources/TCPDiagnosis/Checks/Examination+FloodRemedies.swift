internal import SockDiag

extension Examination {
    /// What helps, by what is set now.
    func remedies(
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
        let hasNoCookies = now.settings[.synCookies] == 0
        if let most = now.settings[.maxSYNBacklog], hasNoCookies, halfOpenLimit(listener) < listener.limit {
            // A larger backlog alone would change nothing.
            remedies.append(
                .init(
                    "Without SYN cookies the queue ends at three quarters of tcp_max_syn_backlog, now \(most).",
                    sysctl(.maxSYNBacklog, listener.limit * 2),
                    price: "About 300 bytes of kernel memory for each; with SYN cookies this setting does nothing."
                )
            )
        } else {
            remedies.append(
                backlog(
                    listener.limit,
                    "Room for more half-open connections: a larger backlog in the program's listen()",
                    isForRequests: hasNoCookies
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
        if !requests.sources.keys.allSatisfy(\.address.isLoopback) { remedies.append(rateLimit(endpoint, requests)) }
        return remedies
    }

    /// Blocks one source, or limits what each may send.
    func rateLimit(_ endpoint: SocketEndpoint, _ requests: Requests) -> Finding.Remedy {
        let table = "add table inet tcpstates; add chain inet tcpstates input { type filter hook input priority -300; }"
        let top = requests.sources.max { $0.value < $1.value }
        if let top, Self.percent(top.value, of: requests.count) >= 50, top.value > 10 {
            let family = top.key.address.family == .ipv4 ? "ip" : "ip6"
            return Finding.Remedy(
                "Most come from one address: drop what it sends.",
                inNamespace("nft '\(table); add rule inet tcpstates input \(family) saddr \(top.key.address) drop'"),
                price: "Everybody behind that address is shut out. Undo: nft delete table inet tcpstates"
            )
        }
        var families = Set(requests.sources.keys.map(\.address.family))
        // A listener on :: is reached by both.
        if families.isEmpty {
            families = endpoint.address == .anyIPv6 ? [.ipv4, .ipv6] : [endpoint.address.unmapped.family]
        }
        let rules = [(AddressFamily.ipv4, "ip"), (.ipv6, "ip6")].filter { families.contains($0.0) }.map { _, word in
            "; add rule inet tcpstates input tcp dport \(endpoint.port) tcp flags & (syn|ack) == syn "
                + "meter syns_\(word) { \(word) saddr limit rate over 20/second burst 50 packets } drop"
        }
        return Finding.Remedy(
            "Limit the SYNs from each address.",
            inNamespace("nft '\(table)\(rules.joined())'"),
            price: """
                Many honest clients behind one address are limited too, and forged addresses are not: against those, SYN \
                cookies and the provider help. Undo: nft delete table inet tcpstates
                """
        )
    }

    /// A larger backlog, and what has to be changed for it; without SYN cookies `tcp_max_syn_backlog` ends the queue of
    /// requests too.
    func backlog(_ limit: Int, _ what: String, isForRequests: Bool = false) -> Finding.Remedy {
        let wanted = max(4096, limit * 4)
        var settings: [(setting: KernelSetting, value: Int)] = []
        if (now.settings[.somaxconn] ?? .max) < wanted { settings.append((.somaxconn, wanted)) }
        if isForRequests, let most = now.settings[.maxSYNBacklog], most - most / 4 < wanted {
            settings.append((.maxSYNBacklog, wanted * 2))
        }
        let names = settings.map(\.setting.rawValue).joined(separator: " and ")
        let assignments = settings.map { "\($0.setting.rawValue)=\($0.value)".quoted }.joined(separator: " ")
        return Finding.Remedy(
            "\(what), now \(limit)" + (settings.isEmpty ? "" : "; the kernel cuts it to \(names)")
                + ". It takes effect when the program listens anew, most often a restart.",
            settings.isEmpty ? nil : inNamespace("sysctl -w \(assignments)"),
            price: "About 300 bytes of kernel memory for each that waits, and longer waits for those at its end."
        )
    }
}
