internal import BPF
internal import SockDiag
internal import SocketValues

/// The listing of a program that walks some buckets of the kernel's table of connections (`ehash`), chain by chain.
///
/// r7 is the bucket, r9 the node in its chain, or the end of that, which is odd (`hlist_nulls`). In a socket of the
/// namespace r8 is its state and r6 its row. What a call is asked for lies on the stack.
struct WalkListing {
    let layout: KernelLayout
    let purpose: TableWalker.Purpose
    /// From one of the kernel's ticks to the next, nanoseconds.
    let tick: UInt64

    /// The instructions.
    ///
    /// - Throws: ``/SocketValues/KernelError`` where the kernel's types lack what is needed.
    ///
    /// The map that they write to is ``WalkResult/map``; it is filled in where they are loaded.
    func instructions() throws(KernelError) -> [Instruction] {
        try arguments + table() + loop(try visit()) + results
    }

    // MARK: What is asked, and what is answered

    /// What lies on the stack, by its distance from the end.
    private enum Slot {
        static let loop = -8
        static let namespace = -16
        static let end = -24
        static let steps = -32
        static let states = -40
        static let family = -48
        static let localPort = -56
        static let remotePort = -64
        static let mask = -72
        static let buckets = -80
        static let now = -88
    }

    private var arguments: [Instruction] {
        let slots: [(WalkRequest.Argument, Int)] = [
            (.namespace, Slot.namespace), (.end, Slot.end), (.steps, Slot.steps), (.states, Slot.states),
            (.family, Slot.family), (.localPort, Slot.localPort), (.remotePort, Slot.remotePort),
        ]
        return [.move(.r6, .r1), .load(.r7, .u64, from: .r6, WalkRequest.Argument.start.offset)]
            + slots.flatMap { argument, slot -> [Instruction] in
                [.load(.r1, .u64, from: .r6, argument.offset), .store(.u64, to: .r10, slot, .r1)]
            }
    }

    /// Finds the table of the namespace; of the calling thread's where none is given.
    private func table() throws(KernelError) -> [Instruction] {
        let tasks: [Instruction] = try [
            .load(.r1, .u64, from: .r10, Slot.namespace),
            .jumpIf(.r1, .notEqual, 0, "known"),
            .call(.get_current_task_btf),  // net = current->nsproxy->net_ns
            .load(.r1, .u64, from: .r0, layout.offset("task_struct", "nsproxy")),
            .load(.r1, .u64, from: .r1, layout.offset("nsproxy", "net_ns")),
            .loadMapValue(.r2, WalkResult.map, WalkResult.namespace),  // a pointer becomes a number in the map
            .store(.u64, to: .r2, 0, .r1),
            .load(.r1, .u64, from: .r2, 0),
            .store(.u64, to: .r10, Slot.namespace, .r1),
            .label("known"),
        ]
        let hashes: [Instruction] = try [
            .load(.r1, .u64, from: .r10, Slot.namespace),
            .set(.r2, Int32(layout.namespace)),
            .callFunction(layout.cast),
            .load(.r1, .u64, from: .r0, layout.offset("net", "ipv4.tcp_death_row.hashinfo")),
            .load(.r3, .u32, from: .r1, layout.offset("inet_hashinfo", "ehash_mask")),
            .store(.u64, to: .r10, Slot.mask, .r3),
            .load(.r4, .u64, from: .r1, layout.offset("inet_hashinfo", "ehash")),
            .loadMapValue(.r2, WalkResult.map, WalkResult.buckets),
            .store(.u64, to: .r2, 8, .r4),
            .load(.r4, .u64, from: .r2, 8),
            .store(.u64, to: .r10, Slot.buckets, .r4),
            .storeNumber(.u64, to: .r2, 8, 0),
            .compute(.r3, .add, 1),  // buckets = ehash_mask + 1
            .store(.u64, to: .r2, 0, .r3),
            .load(.r4, .u64, from: .r10, Slot.end),  // end = min(end, buckets)
            .jumpIfBoth(.r3, .greaterOrEqual, .r4, "within"),
            .store(.u64, to: .r10, Slot.end, .r3),
            .label("within"),
        ]
        return tasks + hashes
    }

    private var results: [Instruction] {
        [
            .label("moved"),
            .set(.r3, WalkResult.Outcome.moved.rawValue),
            .jump("end"),
            .label("exhausted"),
            .set(.r3, WalkResult.Outcome.exhausted.rawValue),
            .jump("end"),
        ] + layout.end(ofLoop: Slot.loop)
    }

    // MARK: The chains

    /// A step is a node, or the end of a chain; there is a greatest number of them, whatever the table holds.
    private func loop(_ visit: [Instruction]) throws(KernelError) -> [Instruction] {
        try begin + socketOfNamespace() + visit + goOn() + chainEnd
    }

    /// It begins at the end of the chain before the first one.
    private var begin: [Instruction] {
        var listing: [Instruction] = [
            .set(.r6, 0),
            .set(.r8, 0),
            .compute(.r7, .add, -1),
            .move(.r9, .r7),  // node = nulls(bucket - 1)
            .compute(.r9, .shiftLeft, 1),
            .compute(.r9, .or, 1),
        ]
        if purpose == .rows { listing += [.call(.jiffies64), .store(.u64, to: .r10, Slot.now, .r0)] }
        listing += [
            .loadMapValue(.r2, WalkResult.map, WalkResult.rows),
            .storeNumber(.u64, to: .r2, 0, 0),
            .storeNumber(.u64, to: .r2, Self.cursor, 0),
        ]
        return listing + layout.begin(loop: Slot.loop) + [.jumpIf(.r9, .sharesBits, 1, "chain ends")]
    }

    /// So many chains ahead.
    private static let ahead: Int32 = 8

    /// Where the cursor lies behind the committed rows.
    private static let cursor = Int(WalkResult.cursor - WalkResult.rows)

    /// Goes on with the next node unless this one is a socket of the namespace, in one of the states and with the ports.
    private func socketOfNamespace() throws(KernelError) -> [Instruction] {
        let substate = try layout.offset("inet_timewait_sock", "tw_substate")
        var listing = try castNode(layout.pair, plus: common("skc_net.net"))
        listing += [
            .load(.r3, .u64, from: .r0, 0),  // if (sk->skc_net != net) goto next
            .load(.r4, .u64, from: .r10, Slot.namespace),
            .jumpIfBoth(.r3, .notEqual, .r4, "next"),
        ]
        listing += try castNode(layout.common)
        listing += [
            // One that was freed and used again is in another chain, and this walk with it.
            .load(.r3, .u32, from: .r0, try common("skc_hash")),
            .load(.r4, .u64, from: .r10, Slot.mask),
            .combine(.r3, .and, .r4),
            .jumpIfBoth(.r3, .notEqual, .r7, "moved"),
            .load(.r8, .u8, from: .r0, try common("skc_state")),
            .jumpIf(.r8, .notEqual, Int32(TCPState.timeWait.rawValue), "state"),
        ]
        listing += try castNode(layout.timeWait)
        listing += [
            .load(.r8, .u8, from: .r0, substate),  // an orphan in FIN_WAIT_2 is such an entry too
            .label("state"),
            .jumpIf(.r8, .greater, WalkRequest.greatestState, "next"),
            .set(.r3, 1),
            .combine(.r3, .shiftLeft, .r8),
            .load(.r4, .u64, from: .r10, Slot.states),
            .combine(.r3, .and, .r4),
            .jumpIf(.r3, .equal, 0, "next"),
        ]
        return try listing + castNode(layout.common) + endpoints()
    }

    /// node = node->next
    private func goOn() throws(KernelError) -> [Instruction] {
        var listing: [Instruction] = [.label("next"), .set(.r6, 0), .set(.r8, 0)]
        listing += try castNode(layout.pair, plus: common("skc_node"))
        return listing + [.load(.r9, .u64, from: .r0, 0), .jump("step")]
    }

    /// What was written of a chain counts when its end is the end of that chain; then begins the next, if any.
    private var chainEnd: [Instruction] {
        [
            .label("chain ends"),
            .load(.r1, .u32, from: .r0, 0),  // the number of this step
            .move(.r2, .r7),
            .compute(.r2, .shiftLeft, 1),
            .compute(.r2, .or, 1),
            .jumpIfBoth(.r2, .notEqual, .r9, "moved"),  // if (node != nulls(bucket)) goto moved
            .loadMapValue(.r2, WalkResult.map, WalkResult.rows),  // rows = cursor
            .load(.r3, .u64, from: .r2, Self.cursor),
            .store(.u64, to: .r2, 0, .r3),
            .compute(.r7, .add, 1),
            .load(.r2, .u64, from: .r10, Slot.end),
            .jumpIfBoth(.r7, .greaterOrEqual, .r2, "done"),
            .load(.r2, .u64, from: .r10, Slot.steps),
            .jumpIfBoth(.r1, .greaterOrEqual, .r2, "done"),
            // The first socket of a later chain is touched: its memory comes while those before are read.
            .move(.r1, .r7),
            .compute(.r1, .add, Self.ahead),
            .load(.r2, .u64, from: .r10, Slot.mask),
            .combine(.r1, .and, .r2),
            .compute(.r1, .shiftLeft, 3),
            .load(.r2, .u64, from: .r10, Slot.buckets),
            .combine(.r1, .add, .r2),
            .set(.r2, Int32(layout.pair)),
            .callFunction(layout.cast),
            .load(.r9, .u64, from: .r0, 0),
            .move(.r1, .r9),
            .set(.r2, Int32(layout.pair)),
            .callFunction(layout.cast),
            .load(.r3, .u64, from: .r0, 0),
            .move(.r1, .r9),
            .compute(.r1, .add, -64),
            .set(.r2, Int32(layout.pair)),
            .callFunction(layout.cast),
            .load(.r3, .u64, from: .r0, 0),
            .move(.r1, .r7),
            .compute(.r1, .shiftLeft, 3),
            .load(.r2, .u64, from: .r10, Slot.buckets),
            .combine(.r1, .add, .r2),
            .set(.r2, Int32(layout.pair)),
            .callFunction(layout.cast),
            .load(.r9, .u64, from: .r0, 0),  // node = buckets[bucket].first
            .jump("step"),
        ]
    }

    /// The family and the ports of the request; r0 is the `struct sock_common`.
    private func endpoints() throws(KernelError) -> [Instruction] {
        let tests: [(String, Int)] = [
            ("skc_family", Slot.family), ("skc_num", Slot.localPort), ("skc_dport", Slot.remotePort),
        ]
        var listing: [Instruction] = []
        for (name, slot) in tests {
            listing += [
                .load(.r4, .u64, from: .r10, slot),
                .jumpIf(.r4, .equal, 0, "any \(name)"),
                .load(.r3, .u16, from: .r0, try layout.offset("sock_common", name)),
                .jumpIfBoth(.r3, .notEqual, .r4, "next"),
                .label("any \(name)"),
            ]
        }
        return listing
    }

    // MARK: A socket

    private func visit() throws(KernelError) -> [Instruction] {
        switch purpose {
        case .counts:
            try [
                .loadMapValue(.r2, WalkResult.map, WalkResult.body),  // counts[state] += 1
                .compute(.r8, .shiftLeft, 3),
                .combine(.r2, .add, .r8),
                .load(.r3, .u64, from: .r2, 0),
                .compute(.r3, .add, 1),
                .store(.u64, to: .r2, 0, .r3),
                .load(.r3, .u64, from: .r0, try common("skc_cookie.counter")),
                .jumpIf(.r3, .notEqual, 0, "next"),
                .loadMapValue(.r2, WalkResult.map, WalkResult.nameless),  // nameless += 1
                .load(.r3, .u64, from: .r2, 0),
                .compute(.r3, .add, 1),
                .store(.u64, to: .r2, 0, .r3),
            ]
        case .rows: try row()
        case .bound: []  // another listing: BoundListing
        }
    }

    private func castNode(_ type: Int, plus offset: Int = 0) throws(KernelError) -> [Instruction] {
        let node = try layout.offset("sock_common", "skc_node")
        return layout.cast(.r9, plus: offset - node, to: type)
    }

    /// Writes a `struct inet_diag_msg`, field by field as `inet_sk_diag_fill()`, `inet_twsk_diag_fill()` and
    /// `inet_req_diag_fill()` do; r0 is the `struct sock_common`.
    private func row() throws(KernelError) -> [Instruction] {
        let (family, hash) = (try common("skc_family"), try common("skc_hash"))
        var listing: [Instruction] = [
            // One that nobody may take hold of is being made, or has ended.
            .load(.r3, .u32, from: .r0, try layout.offset("sock_common", "skc_refcnt.refs.counter")),
            .jumpIf(.r3, .equal, 0, "next"),
            .loadMapValue(.r1, WalkResult.map, WalkResult.cursor),
            .load(.r5, .u64, from: .r1, 0),
            .jumpIf(.r5, .greater, Int32(WalkResult.rowsSize - InetDiagMessage.size), "exhausted"),
            .loadMapValue(.r6, WalkResult.map, WalkResult.body),  // row = rows + cursor
            .combine(.r6, .add, .r5),
            .set(.r1, 0),
        ]
        for offset in [8, 16, 24, 32, 56, 64] { listing.append(.store(.u64, to: .r6, offset, .r1)) }
        listing += [
            .store(.u32, to: .r6, InetDiagMessage.expires, .r1),
            .load(.r3, .u16, from: .r0, family),
            .store(.u16, to: .r6, 2, .r1),  // timer, retransmits
            .store(.u8, to: .r6, 0, .r3),
            .store(.u8, to: .r6, InetDiagMessage.state, .r8),
            .load(.r4, .u16, from: .r0, try common("skc_num")),
            .toNetworkOrder16(.r4),
            .store(.u16, to: .r6, InetDiagMessage.sourcePort, .r4),
            .load(.r4, .u16, from: .r0, try common("skc_dport")),
            .store(.u16, to: .r6, InetDiagMessage.destinationPort, .r4),
            .load(.r4, .u32, from: .r0, try common("skc_bound_dev_if")),
            .store(.u32, to: .r6, InetDiagMessage.interface, .r4),
            .load(.r4, .u64, from: .r0, try common("skc_cookie.counter")),
            .store(.u32, to: .r6, InetDiagMessage.cookie, .r4),
            .compute(.r4, .shiftRight, 32),
            .store(.u32, to: .r6, InetDiagMessage.cookie + 4, .r4),
            .jumpIf(.r3, .equal, Int32(AddressFamily.ipv6.rawValue), "ipv6"),
            .load(.r4, .u32, from: .r0, try common("skc_rcv_saddr")),
            .store(.u32, to: .r6, InetDiagMessage.source, .r4),
            .load(.r4, .u32, from: .r0, try common("skc_daddr")),
            .store(.u32, to: .r6, InetDiagMessage.destination, .r4),
            .jump("addressed"),
            .label("ipv6"),
        ]
        for (name, offset) in [
            ("skc_v6_rcv_saddr", InetDiagMessage.source), ("skc_v6_daddr", InetDiagMessage.destination),
        ] {
            listing += try castNode(layout.pair, plus: common(name))
            for half in [0, 8] {
                listing += [.load(.r4, .u64, from: .r0, half), .store(.u64, to: .r6, offset + half, .r4)]
            }
        }
        listing += [.label("addressed")] + (try castNode(layout.common))
        listing += [
            .load(.r3, .u8, from: .r0, try common("skc_state")),
            .jumpIf(.r3, .equal, Int32(TCPState.timeWait.rawValue), "minisocket"),
            .jumpIf(.r3, .equal, WalkRequest.newRequest, "request"),
        ]
        listing += try whole() + minisocket() + halfOpen()
        return listing + [.label("filled")] + (try castNode(layout.common)) + [
            // As `__inet_lookup_established()` does: what was read is of the socket that was in this chain.
            .load(.r3, .u32, from: .r0, hash),
            .load(.r4, .u64, from: .r10, Slot.mask),
            .combine(.r3, .and, .r4),
            .jumpIfBoth(.r3, .notEqual, .r7, "moved"),
            .loadMapValue(.r1, WalkResult.map, WalkResult.cursor),
            .load(.r5, .u64, from: .r1, 0),
            .compute(.r5, .add, Int32(InetDiagMessage.size)),
            .store(.u64, to: .r1, 0, .r5),
        ]
    }

    private func common(_ name: String) throws(KernelError) -> Int { try layout.offset("sock_common", name) }

    /// Stores r3, a moment in the kernel's ticks, as the milliseconds until then; 0 where it has passed
    /// (`jiffies_delta_to_msecs()`).
    private func storeExpires(_ label: String) -> [Instruction] {
        let perSecond = Int32(clamping: (1_000_000_000 + tick / 2) / max(tick, 1))
        let milliseconds: [Instruction] =
            1000 % perSecond == 0
            ? [.compute(.r3, .multiply, 1000 / perSecond)]
            : [.compute(.r3, .multiply, 1000), .compute(.r3, .add, perSecond - 1), .compute(.r3, .divide, perSecond)]
        return [
            .load(.r4, .u64, from: .r10, Slot.now),
            .combine(.r3, .subtract, .r4),
            .jumpIf(.r3, .signedGreaterOrEqual, 0, label),
            .set(.r3, 0),
            .label(label),
        ] + milliseconds + [.store(.u32, to: .r6, InetDiagMessage.expires, .r3)]
    }

    /// An entry that the kernel has put in a socket's place.
    private func minisocket() throws(KernelError) -> [Instruction] {
        let expires = try layout.offset("inet_timewait_sock", "tw_timer.expires")
        return [.label("minisocket")] + (try castNode(layout.timeWait)) + [
            .storeNumber(.u8, to: .r6, InetDiagMessage.timer, Int32(SocketTimer.Kind.timeWait.rawValue)),
            .load(.r3, .u64, from: .r0, expires),
        ] + storeExpires("time-wait") + [.jump("filled")]
    }

    /// A half-open request.
    private func halfOpen() throws(KernelError) -> [Instruction] {
        let expires = try layout.offset("request_sock", "rsk_timer.expires")
        let count = try layout.member("request_sock", "num_retrans")
        return [.label("request")] + (try castNode(layout.request)) + [
            .storeNumber(.u8, to: .r6, InetDiagMessage.state, Int32(TCPState.synReceived.rawValue)),
            .storeNumber(.u8, to: .r6, InetDiagMessage.timer, Int32(SocketTimer.Kind.retransmission.rawValue)),
            .load(.r3, Instruction.Width(bytes: count.size) ?? .u8, from: .r0, count.offset),
            .store(.u8, to: .r6, InetDiagMessage.retransmits, .r3),
            .load(.r3, .u64, from: .r0, expires),
        ] + storeExpires("request timer")
    }

    /// A socket.
    private func whole() throws(KernelError) -> [Instruction] {
        func member(_ path: String) throws(KernelError) -> BTF.Member { try layout.member("tcp_sock", path) }
        let connection = "inet_conn"
        let sock = "\(connection).icsk_inet.sk"
        let pending = try member("\(connection).icsk_pending")
        let retransmits = try member("\(connection).icsk_retransmits")
        let probes = try member("\(connection).icsk_probes_out")
        let timeout = try layout.member(
            "tcp_sock",
            "\(connection).icsk_timeout",
            "\(connection).icsk_retransmit_timer.expires",
            "\(sock).tcp_retransmit_timer.expires"
        )
        let ownTimer = "\(connection).icsk_keepalive_timer"
        let keepaliveTimer = layout.has("tcp_sock", ownTimer) ? ownTimer : "\(sock).sk_timer"
        func load(_ member: BTF.Member) -> Instruction {
            .load(.r3, Instruction.Width(bytes: member.size) ?? .u8, from: .r0, member.offset)
        }
        func timer(_ kind: SocketTimer.Kind, _ count: BTF.Member, _ moment: BTF.Member) -> [Instruction] {
            [
                .storeNumber(.u8, to: .r6, InetDiagMessage.timer, Int32(kind.rawValue)),
                load(count),
                .store(.u8, to: .r6, InetDiagMessage.retransmits, .r3),
                load(moment),
            ] + storeExpires("timer \(kind.rawValue)") + [.jump("timed")]
        }
        var listing = try castNode(layout.socket)
        listing += [
            load(try member("rcv_nxt")),  // rqueue = max(rcv_nxt - copied_seq, 0)
            .load(.r4, .u32, from: .r0, try member("copied_seq").offset),
            .combine(.r3, .subtract, .r4),
            .compute(.r3, .shiftLeft, 32),
            .jumpIf(.r3, .signedGreaterOrEqual, 0, "received"),
            .set(.r3, 0),
            .label("received"),
            .compute(.r3, .shiftRight, 32),
            .store(.u32, to: .r6, InetDiagMessage.receiveQueue, .r3),
            load(try member("write_seq")),  // wqueue = write_seq - snd_una
            .load(.r4, .u32, from: .r0, try member("snd_una").offset),
            .combine(.r3, .subtract, .r4),
            .store(.u32, to: .r6, InetDiagMessage.sendQueue, .r3),
        ]
        listing += [
            load(pending),
            .jumpIf(.r3, .equal, 1, "resend"),  // ICSK_TIME_RETRANS
            .jumpIf(.r3, .equal, 5, "resend"),  // ICSK_TIME_LOSS_PROBE
            .jumpIf(.r3, .equal, 6, "resend"),  // ICSK_TIME_REO_TIMEOUT
            .jumpIf(.r3, .equal, 3, "probe"),  // ICSK_TIME_PROBE0
            .load(.r3, .u64, from: .r0, try member("\(keepaliveTimer).entry.pprev").offset),  // timer_pending()
            .jumpIf(.r3, .equal, 0, "timed"),
        ]
        listing += timer(.keepalive, probes, try member("\(keepaliveTimer).expires"))
        listing += [.label("resend")] + timer(.retransmission, retransmits, timeout)
        listing += [.label("probe")] + timer(.windowProbe, probes, timeout)
        return listing + [.label("timed")] + (try owner(sock)) + [.jump("filled")]
    }

    /// Whose it is: by the socket's own fields where the kernel keeps them there, else by its inode.
    private func owner(_ sock: String) throws(KernelError) -> [Instruction] {
        let hasInode = layout.has("tcp_sock", "\(sock).sk_ino")
        var listing: [Instruction] = []
        if !layout.hasInodeUser {
            listing += [
                .load(.r3, .u32, from: .r0, try layout.offset("tcp_sock", "\(sock).sk_uid.val")),
                .store(.u32, to: .r6, InetDiagMessage.uid, .r3),
            ]
        }
        if hasInode {
            listing += [
                .load(.r3, .u64, from: .r0, try layout.offset("tcp_sock", "\(sock).sk_ino")),
                .store(.u32, to: .r6, InetDiagMessage.inode, .r3),
            ]
        }
        guard layout.hasInodeUser || !hasInode else { return listing }
        let socket = try layout.offset("tcp_sock", "\(sock).sk_socket")
        let distance = try layout.offset("socket_alloc", "vfs_inode") - layout.offset("socket_alloc", "socket")
        listing +=
            try castNode(layout.pair, plus: socket) + [
                .load(.r1, .u64, from: .r0, 0),
                .jumpIf(.r1, .equal, 0, "filled"),
                .compute(.r1, .add, Int32(distance)),  // SOCK_INODE(sk->sk_socket)
                .set(.r2, Int32(try layout.structure("inode"))),
                .callFunction(layout.cast),
                .load(.r3, .u64, from: .r0, try layout.offset("inode", "i_ino")),
                .store(.u32, to: .r6, InetDiagMessage.inode, .r3),
            ]
        guard layout.hasInodeUser else { return listing }
        return listing + [
            .load(.r3, .u32, from: .r0, try layout.offset("inode", "i_uid.val")),
            .store(.u32, to: .r6, InetDiagMessage.uid, .r3),
        ]
    }
}
