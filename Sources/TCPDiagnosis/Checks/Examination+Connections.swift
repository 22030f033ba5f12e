internal import SockDiag
internal import SocketOwners

extension Examination {
    /// Old connections in CLOSE_WAIT, by the process that does not close them.
    mutating func checkCloseWait() throws(KernelError) {
        let old = now.closeWaits.filter {
            .milliseconds(Int64(clamping: $0.silentMilliseconds)) >= thresholds.closeWaitAge
        }
        guard old.count >= thresholds.closeWait else { return }
        for group in try grouped(old) where group.sockets.count >= thresholds.closeWait {
            let (count, owners) = (group.sockets.count, group.owners)
            let oldest = Int(clamping: (group.sockets.map(\.silentMilliseconds).max() ?? 0) / 1000)
            // Unread is the end itself: a read of 0 bytes takes it.
            let unread = group.sockets.count { $0.unread > 0 }
            let mistake =
                unread * 2 > count
                ? "it does not read, and so does not notice the end" : "it has read the end and forgets to call close()"
            let ports = Set(group.sockets.map(\.local.port)).sorted().prefix(4).map(String.init)
            let program = owners.named(or: "a program")
            findings.append(
                Finding(
                    kind: .closeWait,
                    title: "\(program) does not close \(count) connections that its peers have closed (CLOSE_WAIT)",
                    owners: owners,
                    evidence: [
                        .init("count", count, "\(count) in CLOSE_WAIT"),
                        .init("oldest_seconds", oldest, "silent for up to \(oldest) s"),
                        .init(
                            "end_not_read",
                            unread,
                            unread == 0
                                ? "the program has read the end of all"
                                : "the program has not read the end of \(unread)"
                        ),
                        .init("ports", ports.count, "at local port \(ports.joined(separator: ", "))"),
                    ],
                    meaning: """
                        The program has a bug: \(mistake). Each connection keeps a descriptor; when there are none left, it \
                        can open and accept nothing more. No timer and no setting ends them.
                        """,
                    remedies: [
                        .init(
                            "See them, and with whom: that leads to the place in the program.",
                            see: SocketView(
                                states: .closeWait,
                                pid: owners.first?.pid,
                                namespace: elsewhere,
                                details: [.owners, .tcpInfo]
                            )
                        ),
                        .init(
                            "Restart the program: that closes them all, until it has leaked as many again.",
                            nil,
                            price: "Its other connections end too."
                        ),
                    ]
                )
            )
        }
    }

    /// The sockets by the process that holds them, the most first; those of nobody who can be seen together.
    private mutating func grouped(
        _ sockets: [Waiting]
    ) throws(KernelError) -> [(owners: [SocketOwner], sockets: [Waiting])] {
        guard !sockets.isEmpty else { return [] }
        let snapshot = try ownersOfSuspects()
        var groups: [Int32: (owners: [SocketOwner], sockets: [Waiting])] = [:]
        for socket in sockets {
            let owner = snapshot[socket.inode].first
            groups[owner?.pid ?? 0, default: (owner.map { [$0] } ?? [], [])].sockets.append(socket)
        }
        return groups.values.sorted { $0.sockets.count > $1.sockets.count }
    }

    /// Programs that do not read what has come, and peers that do not.
    mutating func checkClosedWindows() throws(KernelError) {
        for group in try grouped(now.closedHere.count < thresholds.zeroWindow ? [] : now.closedHere)
        where group.sockets.count >= thresholds.zeroWindow {
            let unread = group.sockets.reduce(0) { $0 + Int($1.unread) }
            let program = group.owners.named(or: "A program")
            findings.append(
                Finding(
                    kind: .zeroWindow,
                    title: "\(program) does not read from \(group.sockets.count) connections; its peers must wait",
                    owners: group.owners,
                    evidence: [
                        .init("count", group.sockets.count, "\(group.sockets.count) closed windows (zero window)"),
                        .init("unread_bytes", unread, "\(unread) bytes not read"),
                    ],
                    meaning: "What the peers sent fills the receive buffers, and their windows are closed.",
                    remedies: [
                        .init(
                            "See what the program is doing: blocked, stopped, or too slow.",
                            see: SocketView(
                                filter: .receiveQueue > 0,
                                pid: group.owners.first?.pid,
                                namespace: elsewhere,
                                details: [.owners, .memory]
                            )
                        )
                    ]
                )
            )
        }
        for (peer, inodes) in now.closedByPeer.sorted(by: { $0.value.count > $1.value.count })
        where inodes.count >= thresholds.zeroWindow {
            let owners = try owners(of: inodes)
            findings.append(
                Finding(
                    kind: .zeroWindow,
                    title: "\(peer) does not read: \(inodes.count) connections of "
                        + "\(owners.named(or: "programs here")) wait for its window to open",
                    remote: SocketEndpoint(peer, port: 0),
                    owners: owners,
                    evidence: [.init("count", inodes.count, "\(inodes.count) connections probe a closed window")],
                    meaning: "The program over there does not read. What is sent waits here, in the send queues.",
                    remedies: [
                        .init(
                            "Inspect the program there.",
                            see: SocketView(
                                filter: .remote(peer) && .sendQueue > 0,
                                namespace: elsewhere,
                                details: [.owners, .timers]
                            )
                        )
                    ]
                )
            )
        }
    }

    /// Many connections whose peers do not close.
    mutating func checkFinWait2() throws(KernelError) {
        let all = now.finWait2
        guard all.count >= thresholds.finWait2 else { return }
        let owners = try owners(of: all.held)
        let top = all.peers.max { $0.value < $1.value }
        let seconds = now.settings[.finTimeout] ?? 60
        var evidence = [
            Finding.Evidence("count", all.count, "\(all.count) in FIN_WAIT_2"),
            Finding.Evidence("held", all.held.count, "\(all.held.count) of them held by a program here"),
        ]
        if let top { evidence.append(.init("peer", top.value, "\(top.value) of them with \(top.key)")) }
        var remedies = [
            Finding.Remedy(
                "Inspect the other side, for CLOSE_WAIT.",
                see: SocketView(states: .finWait2, namespace: elsewhere, details: .owners)
            )
        ]
        let shorter = max(10, seconds / 4)
        if shorter < seconds, all.count > all.held.count {
            remedies.append(
                .init(
                    "Let those that nobody holds end sooner.",
                    sysctl(.finTimeout, shorter),
                    price: "A peer that takes longer to close finds the connection gone, and is answered with a RST."
                )
            )
        }
        findings.append(
            Finding(
                kind: .finWait2,
                title: "\(all.count) connections were closed here and not by the other side (FIN_WAIT_2)",
                remote: top.map { SocketEndpoint($0.key, port: 0) },
                owners: owners,
                evidence: evidence,
                meaning: """
                    The other side is stuck: programs there do not call close(), and show CLOSE_WAIT. Where no program here \
                    holds them any more they end after \(seconds) s; those that one holds, after shutdown(), stay.
                    """,
                remedies: remedies
            )
        )
    }
}
