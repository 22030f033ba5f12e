internal import LinuxSystem
internal import SockDiag
internal import TCPWatch

/// What of the sockets that were found is forgotten, and since when.
extension ForgottenSockets {
    /// Those that a dump lists.
    func listedFindings(
        _ inventory: SocketInventory,
        _ holders: HolderSnapshot,
        in proc: borrowing ProcessDirectory,
        olderThan limit: Duration?,
        at now: EventTime
    ) -> [ForgottenSocket] {
        var found: [ForgottenSocket] = []
        for (inode, socket, rule, waiting) in inventory.suspects() {
            let limit = limit ?? rule.kind.threshold
            guard kinds.contains(rule.kind), rule.idle ?? limit >= limit else { continue }
            let life = rule.kind == .unaccepted ? nil : accounts[socket.cookie]?.life
            let age = Self.age(life, rule.age, at: now)
            guard age.duration >= limit else { continue }
            var socket = socket
            socket.owners = holders[inode].map(\.owner)
            guard inventory.counts(socket) else { continue }
            let name = SocketProtocolName(of: inode, heldBy: holders[inode], in: proc)
            let leak = accounts.leak(socket, at: now)
            found.append(
                ForgottenSocket(
                    rule.kind,
                    socket,
                    holders: holders[inode],
                    protocolName: name ?? (socket.family == .ipv6 ? .tcpv6 : .tcp),
                    age: age,
                    transitions: leak.history,
                    openedBy: leak.openedBy,
                    waiting: waiting
                )
            )
        }
        return found
    }

    /// TCP sockets that no dump lists.
    func unlistedFindings(
        _ inventory: SocketInventory,
        _ holders: HolderSnapshot,
        _ namespaces: [Int32: NetworkNamespace?],
        in proc: borrowing ProcessDirectory,
        olderThan limit: Duration?,
        at now: EventTime
    ) -> [ForgottenSocket] {
        var found: [ForgottenSocket] = []
        for (inode, unlisted) in self.unlisted {
            guard let name = unlisted.protocolName, name.isTCP else { continue }
            let account = unlisted.cookie.flatMap { accounts[$0] }
            // That it had a connection is known where it was found with one before, or a watcher has reported it.
            let kind: ForgottenSocket.Kind = account?.isConnection == true ? .closed : .unconnected
            let owners = holders[inode]
            let limit = limit ?? kind.threshold
            let age = Self.age(account?.life, Self.elapsed(since: unlisted.since, at: now), by: .search, at: now)
            guard kinds.contains(kind), age.duration >= limit else { continue }
            let namespace = account?.namespace ?? owners.lazy.compactMap { namespaces[$0.process.pid] }.first ?? nil
            let user = owners.first.flatMap { owner in
                owner.owner.descriptor.flatMap { proc.socketUser(of: owner.process.pid, by: $0, inode: inode) }
            }
            let socket = WatchedSocket(
                remembered: account?.identity ?? .nowhere(name == .tcpv6 || name == .mptcpv6 ? .ipv6 : .ipv4),
                in: .closed,
                uid: user,
                inode: inode,
                namespace: namespace,
                owners: owners.map(\.owner)
            )
            guard inventory.counts(socket) else { continue }
            let leak = account.map { accounts.leak(socket, history: $0.life.transitions, at: now) }
            found.append(
                ForgottenSocket(
                    kind,
                    socket,
                    holders: owners,
                    protocolName: name,
                    age: age,
                    transitions: leak?.history ?? [],
                    openedBy: leak?.openedBy ?? .unknown
                )
            )
        }
        return found
    }

    /// Sockets of other protocols that are held.
    func otherDescriptors(_ holders: HolderSnapshot, at now: EventTime) -> [HeldDescriptor] {
        guard !otherProtocols.isEmpty else { return [] }
        return unlisted.compactMap { inode, socket in
            guard let name = socket.protocolName, otherProtocols.contains(name) else { return nil }
            let age = SocketAge(Self.elapsed(since: socket.since, at: now), by: .search)
            return HeldDescriptor(id: inode, protocolName: name, holders: holders[inode], age: age)
        }.sorted { $0.holders.isBefore($1.holders) }
    }

    /// The longest time that is certain.
    private static func age(
        _ life: SocketLife?,
        _ other: Duration?,
        by ground: SocketAge.Ground = .segment,
        at now: EventTime
    ) -> SocketAge {
        var age = SocketAge(.zero, by: .search)
        if let life, let since = life.since {
            let isReported = life.transitions.last?.time == since
            let time = elapsed(since: since.monotonicNanoseconds, at: now)
            if life.isSinceExact { return SocketAge(time, by: .transition, isExact: true) }
            age = SocketAge(time, by: isReported ? .transition : .search)
        }
        if let other, other > age.duration { age = SocketAge(other, by: ground) }
        return age
    }

    private static func elapsed(since time: UInt64, at now: EventTime) -> Duration {
        .nanoseconds(Int64(clamping: now.monotonicNanoseconds - min(now.monotonicNanoseconds, time)))
    }
}

extension SocketIdentity {
    /// That of a socket without endpoints.
    fileprivate static func nowhere(_ family: AddressFamily) -> SocketIdentity {
        let nowhere = SocketEndpoint(family == .ipv6 ? .anyIPv6 : .anyIPv4, port: 0)
        return SocketIdentity(family: family, local: nowhere, remote: nowhere, cookie: .any)
    }
}
