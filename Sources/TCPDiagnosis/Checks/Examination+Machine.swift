internal import SockDiag

extension Examination {
    /// What is sent again, the handshakes left out, which have findings of their own.
    mutating func checkRetransmissions() {
        let handshakes = growth(of: .handshakesRetransmitted) ?? 0
        let repeated = max(0, (growth(of: .retransmitted) ?? 0) - handshakes)
        let sent = (growth(of: .segmentsOut) ?? 0) + repeated
        let share = Self.percent(repeated, of: sent)
        guard share >= thresholds.retransmissions, perSecond(repeated) >= thresholds.retransmissionRate else { return }
        let top = now.retransmitting.max { $0.value < $1.value }
        var evidence = [
            Finding.Evidence("share_percent", share, "\(share)% of what is sent was sent before"),
            Finding.Evidence("per_second", perSecond(repeated), "\(perSecond(repeated)) segments a second"),
        ]
        if let top {
            let text =
                "\(top.value) connections with \(top.key) wait for an acknowledgement, of "
                + "\(now.retransmitting.count) peers the most"
            evidence.append(.init("connections", top.value, text))
        }
        findings.append(
            Finding(
                kind: .retransmissions,
                title: "\(share)% of all segments have to be sent again" + (top.map { ", most to \($0.key)" } ?? ""),
                remote: top?.key.endpoint(port: 0),
                evidence: evidence,
                meaning: "Segments are lost on the way: a full line, a bad cable or radio, a peer that is gone.",
                remedies: [
                    .init(
                        "See which peers and paths.",
                        see: SocketView(filter: .retransmits > 0, namespace: elsewhere, details: [.tcpInfo, .timers])
                    ),
                    .init("See whether the losses are here.", inNamespace("ip -s link")),
                ]
            )
        )
    }

    /// Limits of the whole machine. Where the namespace is not the first one, it does not show them all.
    mutating func checkMachine() {
        checkTimeWait()
        checkOrphans()
        checkMemory()
        checkConntrack()
    }

    private mutating func checkTimeWait() {
        let lost = rate(of: .timeWaitOverflows)
        guard lost > 0, let most = now.settings[.maxTimeWait] else { return }
        let count = now.counters.now(.timeWaits)
        // Each lasts 60 s (`TCP_TIMEWAIT_LEN`).
        let wanted = most + max(most, min(lost, 1 << 24) * 60)
        findings.append(
            Finding(
                kind: .timeWaitOverflow,
                title: "tcp_max_tw_buckets is reached: \(lost) connections a second end without TIME_WAIT",
                evidence: [
                    .init("count", count, "\(count) in TIME_WAIT"),
                    .init("limit", most, "\(KernelSetting.maxTimeWait.rawValue) = \(most)"),
                ],
                meaning: "Mostly harmless. A late segment of a connection that ended so could get into a new one.",
                remedies: [
                    .init(
                        "More room.",
                        sysctl(.maxTimeWait, min(wanted, Int(Int32.max))),
                        price: "About 300 bytes of kernel memory for each."
                    ),
                    .init(
                        "Use connections again, or let the other side close first.",
                        nil,
                        price: "A change of the program."
                    ),
                ]
            )
        )
    }

    private mutating func checkOrphans() {
        let count = now.counters.now(.orphans)
        guard let most = now.settings[.maxOrphans], Self.percent(count, of: most) >= thresholds.orphans else { return }
        var remedies = [
            Finding.Remedy(
                "See which peers do not answer.",
                see: SocketView(states: [.finWait1, .lastAck, .closing], isCountedByPeer: true)
            )
        ]
        // 0 stands for 8 (`tcp_orphan_retries()`).
        if let retries = now.settings[.orphanRetries], retries == 0 || retries > 2 {
            remedies.append(
                .init(
                    "Give them up sooner.",
                    sysctl(.orphanRetries, 2),
                    price: "Data that a slow peer has not acknowledged in seconds is lost."
                )
            )
        }
        remedies.append(
            .init(
                "Allow more.",
                sysctl(.maxOrphans, most * 2),
                price: "Up to 64 KiB of memory for each that has data."
            )
        )
        findings.append(
            Finding(
                kind: .orphans,
                title: "\(count) connections that no program holds any more wait for their peers; \(most) are allowed",
                evidence: [
                    .init("count", count, "\(count) orphans on the whole machine"),
                    .init("limit", most, "\(KernelSetting.maxOrphans.rawValue) = \(most)"),
                ],
                meaning:
                    "Beyond the limit, and sooner where they have much to send, the kernel resets them: data is lost.",
                remedies: remedies
            )
        )
    }

    private mutating func checkMemory() {
        let limits = now.settings.values(of: .memory)
        let pages = now.counters.now(.pages)
        guard limits.count == 3,
            Self.percent(pages, of: limits[1]) >= thresholds.memory || rate(of: .memoryPressures) > 0
        else { return }
        // The kernel counts pages.
        func mebibytes(_ pages: Int) -> Int { pages * Int(KernelCounters.pageSize) >> 20 }
        let raised = limits.map { "\($0 * 2)" }.joined(separator: " ")
        findings.append(
            Finding(
                kind: .memoryPressure,
                title:
                    "TCP is short of memory: \(mebibytes(pages)) MiB of \(mebibytes(limits[1])) before it has to save",
                evidence: [
                    .init("pages", pages, "\(pages) pages in use"),
                    .init("pressure", limits[1], "pressure from \(limits[1]), nothing more beyond \(limits[2])"),
                    .init(
                        "aborted",
                        growth(of: .abortedForMemory) ?? 0,
                        "\(growth(of: .abortedForMemory) ?? 0) connections reset"
                    ),
                ],
                meaning: "Windows shrink and connections become slow; beyond the last limit segments are dropped.",
                remedies: [
                    .init(
                        "See who holds it: what is not read, or not acknowledged.",
                        see: SocketView(
                            filter: .receiveQueue > 100_000 || .sendQueue > 100_000,
                            details: [.owners, .memory]
                        )
                    ),
                    .init("Allow more.", sysctl(.memory, raised), price: "The memory is not there for anything else."),
                ]
            )
        )
    }

    private mutating func checkConntrack() {
        guard let count = now.settings[.conntrackCount], let most = now.settings[.conntrackMax],
            Self.percent(count, of: most) >= thresholds.conntrack, count > 0
        else { return }
        findings.append(
            Finding(
                kind: .conntrack,
                title: "The firewall's table of connections is nearly full: \(count) of \(most)",
                evidence: [
                    .init("count", count, "\(KernelSetting.conntrackCount.rawValue) = \(count)"),
                    .init("limit", most, "\(KernelSetting.conntrackMax.rawValue) = \(most)"),
                ],
                meaning:
                    "When it is full, packets of new connections are dropped, in and out, without a word to the programs.",
                remedies: [
                    .init(
                        "More room.",
                        "sysctl -w \(KernelSetting.conntrackMax.rawValue)=\(most * 2)",
                        price: "About 300 bytes of kernel memory for each."
                    ),
                    .init(
                        "Forget idle connections sooner than after 5 days.",
                        inNamespace("sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=86400"),
                        price:
                            "Connections silent for longer than a day are cut where the firewall lets only known ones pass."
                    ),
                ]
            )
        )
    }
}
