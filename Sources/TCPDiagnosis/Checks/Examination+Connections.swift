internal import SockDiag
internal import SocketOwners

extension Examination {
    /// Old connections in CLOSE_WAIT, by the process that does not close them and by where they come from or go to.
    mutating func checkCloseWait() throws(KernelError) {
        let old = now.closeWaits.filter {
            .milliseconds(Int64(clamping: $0.silentMilliseconds)) >= thresholds.closeWaitAge
        }
        guard old.count >= thresholds.closeWait else { return }
        let all = grouped(now.closeWaits, least: 1)
        for group in grouped(old, least: thresholds.closeWait) {
            let (count, owners) = (group.count, group.owners)
            let silence = group.sockets.map { Int(clamping: $0.silentMilliseconds / 1000) }
            let (youngest, oldest) = (silence.min() ?? 0, silence.max() ?? 0)
            // With the young ones of the same process and direction.
            let total = all.first { $0.holder == group.holder && $0.isIncoming == group.isIncoming }?.count ?? count
            // Unread is the end itself: a read of 0 bytes takes it.
            let unread = group.sockets.count { $0.unread > 0 }
            let mistake =
                switch unread {
                case 0: "it has read the end of all \(count) and forgets to call close()"
                case count: "it does not read, and so does not notice the end"
                default:
                    "of \(count - unread) it has read the end and forgets to call close(); from \(unread) it does not read, "
                        + "and so does not notice it"
                }
            let direction = group.isIncoming ? "accepted" : "opened"
            findings.append(
                Finding(
                    kind: .closeWait,
                    title:
                        "\(owners.named(or: "a program")) does not close \(count) connections \(group.whither) that its "
                        + "peers closed \(youngest) s ago or earlier (CLOSE_WAIT)"
                        + (total > count ? "; it has \(total) in all" : ""),
                    local: group.listener,
                    remote: group.destination,
                    owners: owners,
                    evidence: [
                        .init("count", count, "\(count) in CLOSE_WAIT and silent for \(youngest) to \(oldest) s"),
                        .init(
                            "in_close_wait",
                            total,
                            "\(total) in CLOSE_WAIT of those that the program \(direction), young ones included"
                        ),
                        .init("oldest_seconds", oldest, ""),
                        .init(
                            "end_not_read",
                            unread,
                            unread == 0
                                ? "the program has read the end of all \(count)"
                                : "the program has not read the end of \(unread)"
                        ),
                        group.evidence,
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
                                filter: group.filter,
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

    /// Programs that do not read what has come, and peers that do not.
    mutating func checkClosedWindows() throws(KernelError) {
        for group in grouped(now.closedHere, least: thresholds.zeroWindow) {
            let unread = group.sockets.reduce(0) { $0 + Int($1.unread) }
            let program = group.owners.named(or: "A program")
            let isUnread: SocketFilter = .receiveQueue > 0
            findings.append(
                Finding(
                    kind: .zeroWindow,
                    title:
                        "\(program) does not read from \(group.count) connections \(group.whither); its peers must wait",
                    local: group.listener,
                    remote: group.destination,
                    owners: group.owners,
                    evidence: [
                        .init("count", group.count, "\(group.count) closed windows (zero window)"),
                        .init("unread_bytes", unread, "\(unread) bytes not read"),
                        group.evidence,
                    ],
                    meaning: "What the peers sent fills the receive buffers, and their windows are closed.",
                    remedies: [
                        .init(
                            "See what the program is doing: blocked, stopped, or too slow.",
                            see: SocketView(
                                filter: group.filter.map { $0 && isUnread } ?? isUnread,
                                pid: group.owners.first?.pid,
                                namespace: elsewhere,
                                details: [.owners, .memory]
                            )
                        )
                    ]
                )
            )
        }
        try checkClosedByPeer()
    }

    /// Many connections whose peers do not close.
    mutating func checkFinWait2() throws(KernelError) {
        let all = now.finWait2
        guard all.count >= thresholds.finWait2 else { return }
        let owners = owners(of: all.held)
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
                remote: top?.key.endpoint(port: 0),
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
