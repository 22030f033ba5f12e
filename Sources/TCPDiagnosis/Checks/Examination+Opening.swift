internal import SockDiag
internal import SocketOwners

extension Examination {
    /// Destinations that nearly all ports are taken to.
    mutating func checkPorts() throws(KernelError) {
        guard let range = now.settings.ephemeralPorts else { return }
        let count = now.settings.ephemeralPortCount
        let ports = "\(range.lowerBound)–\(range.upperBound)" + (count < range.count ? ", less reserved ones" : "")
        let reuse = now.settings[.timestamps] == 0 ? 0 : now.settings[.timeWaitReuse] ?? 0
        /// Those that connect() does not take over by itself.
        func used(_ route: Route, _ use: PortUse) -> Int {
            reuse == 1 || reuse == 2 && route.to.address.isLoopback ? use.open : use.total
        }
        let full = now.routes.filter { Self.percent(used($0, $1), of: count) >= thresholds.ports }
        for (route, use) in full.sorted(by: { $0.value.total > $1.value.total }) {
            let used = used(route, use)
            let isTimeWait = use.timeWaits > use.open
            // Nobody holds what is in TIME_WAIT.
            let owners = use.inode.map { self.owners(of: [$0]) }
            findings.append(
                Finding(
                    kind: .portExhaustion,
                    title: "Ports to \(route.to) run out: \(used) of \(count) are taken"
                        + (isTimeWait ? ", most of them by TIME_WAIT" : "") + (owners?.nameSuffix ?? ""),
                    remote: route.to,
                    owners: owners,
                    evidence: [
                        .init("used", used, "\(used) ports from \(route.from)"),
                        .init("time_wait", use.timeWaits, "\(use.timeWaits) of them in TIME_WAIT"),
                        .init("range", count, "connect() chooses from \(count): \(ports)"),
                    ] + evidence(of: [.timeWaitReuse]),
                    meaning: """
                        A connection to this destination needs a port of its own here. When none is left, connect() fails with \
                        "Cannot assign requested address"; before that it becomes slow.
                        """,
                    remedies: portRemedies(range, isTimeWait: isTimeWait && used == use.total)
                )
            )
        }
    }

    /// Source addresses whose ports programs take nearly all, each for itself, by binding before they connect: all
    /// destinations together have no more ports than one.
    var crowdedSources: [(address: IPAddress, value: SourcePorts)] {
        let count = now.settings.ephemeralPortCount
        return now.sources.filter { address, source in
            guard Self.percent(source.ports.count, of: count) >= thresholds.ports else { return false }
            let reserved = source.reserved.count
            // What goes to one destination alone is no waste: that is a finding of its own.
            let most = now.routes.filter { $0.key.from == address }.map(\.value.total).max() ?? 0
            return reserved * 2 > count && most * 10 < reserved * 9
        }.map { ($0.key, $0.value) }.sorted { $0.value.ports.count > $1.value.ports.count }
    }

    mutating func checkSourcePorts() throws(KernelError) {
        guard let range = now.settings.ephemeralPorts else { return }
        let count = now.settings.ephemeralPortCount
        for (address, source) in crowdedSources {
            let owners = owners(of: source.reserved.filter { $0 != 0 })
            let uses = now.routes.filter { $0.key.from == address }.values
            let (destinations, timeWaits) = (uses.count, uses.reduce(0) { $0 + $1.timeWaits })
            let reserved = source.reserved.count
            findings.append(
                Finding(
                    kind: .sourcePortExhaustion,
                    title:
                        "Ports of source address \(address) run out: \(source.ports.count) of \(count) are taken, for "
                        + "\(destinations) destinations together" + owners.nameSuffix,
                    local: SocketEndpoint(address, port: 0),
                    owners: owners,
                    evidence: [
                        .init("used", source.ports.count, "\(source.ports.count) ports of \(address)"),
                        .init("reserved", reserved, "\(reserved) of them each for one connection alone"),
                        .init("time_wait", timeWaits, timeWaits == 0 ? "" : "\(timeWaits) connections in TIME_WAIT"),
                        .init("destinations", destinations, "\(destinations) destinations"),
                        .init("range", count, "bind() chooses from \(count): \(range.lowerBound)–\(range.upperBound)"),
                    ],
                    meaning: """
                        A bind() to the address before connect() takes a port from one pool for all destinations, as the kernel \
                        does not know yet where the connection is to go. When none is left, bind() fails with "Address already \
                        in use". connect() would give the same port to each destination.
                        """,
                    remedies: [
                        .init(
                            "Set IP_BIND_ADDRESS_NO_PORT in the program before bind(): connect() then chooses the port.",
                            nil,
                            price: """
                                A change of the program, or of its configuration. Ports that were taken before stay taken as \
                                long as their connections, TIME_WAIT included.
                                """
                        )
                    ] + wider(range)
                )
            )
        }
    }

    private func portRemedies(_ range: ClosedRange<UInt16>, isTimeWait: Bool) -> [Finding.Remedy] {
        var remedies: [Finding.Remedy] = []
        if isTimeWait {
            remedies.append(
                .init(
                    "Let connect() take over ports that are in TIME_WAIT.",
                    sysctl(.timeWaitReuse, 1),
                    price:
                        "Safe as long as both sides use timestamps (net.ipv4.tcp_timestamps = 1); it does nothing without."
                )
            )
        }
        remedies += wider(range)
        remedies.append(
            .init(
                "Use connections again (keep-alive, a pool), or spread them over several destination addresses.",
                nil,
                price: "A change of the program or its configuration; the only cure for good."
            )
        )
        return remedies
    }

    private func wider(_ range: ClosedRange<UInt16>) -> [Finding.Remedy] {
        guard range.lowerBound > 1024 || range.upperBound < 65535 else { return [] }
        return [
            .init(
                "More ports to choose from.",
                sysctl(.localPortRange, "1024 65535"),
                price: "A service that binds such a port late may find it taken: see ip_local_reserved_ports."
            )
        ]
    }

    /// Destinations that do not answer SYNs.
    mutating func checkUnanswered() throws(KernelError) {
        for (host, openings) in now.openings.sorted(by: { $0.value.repeated > $1.value.repeated })
        where openings.repeated >= thresholds.unanswered {
            // Listeners here that are full have been found already.
            let full = findings.compactMap(\.local?.port)
            guard !(host.address.isLoopback && openings.ports.isSubset(of: full)) else { continue }
            let port = openings.ports.count == 1 ? openings.ports.first : nil
            let destination = host.endpoint(port: port ?? 0)
            let ports = openings.ports.sorted().prefix(8).map(String.init).joined(separator: ", ")
            let owners = owners(of: openings.inodes)
            var remedies = [
                Finding.Remedy(
                    "See how far it is reachable, and whether a firewall here drops it.",
                    inNamespace("tracepath -n \(host)") + "; " + inNamespace("nft list ruleset")
                )
            ]
            if let retries = now.settings[.synRetries], retries > 2, let seconds = now.settings.connectSeconds {
                let fewer = seconds - KernelSettings.seconds(retries: retries) + KernelSettings.seconds(retries: 2)
                remedies.append(
                    .init(
                        "Fail after \(fewer) s instead of \(seconds) s.",
                        sysctl(.synRetries, 2),
                        price: "Connections over a path that loses many segments fail more often."
                    )
                )
            }
            findings.append(
                Finding(
                    kind: .unanswered,
                    title:
                        "\(port == nil ? "\(host)" : "\(destination)") does not answer: \(openings.repeated) connections of "
                        + "\(owners.named(or: "programs here")) wait in SYN_SENT",
                    remote: destination,
                    owners: owners,
                    evidence: [
                        .init("count", openings.count, "\(openings.count) in SYN_SENT"),
                        .init("repeated", openings.repeated, "the SYN of \(openings.repeated) was sent again"),
                        .init("ports", openings.ports.count, "to port \(ports)"),
                    ],
                    meaning: """
                        SYNs are lost on the way, dropped by a firewall, or the host is down or its queues are full. (Where \
                        nothing listens, a refusal comes at once.) Each attempt lasts \(now.settings.connectSeconds ?? 131) s \
                        unless the program gives up earlier.
                        """,
                    remedies: remedies
                )
            )
        }
    }
}

extension PortUse {
    var total: Int { open + timeWaits }
}
