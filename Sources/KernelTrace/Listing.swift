internal import BPF
internal import SockDiag

/// The listings of the programs: each writes a ``TraceRecord`` for an event at its tracepoint.
///
/// r6 is the socket or the request, and r7 its state, of a transition the one before. r8 is the state after it, or the
/// reason of a RST. r9 is the record, once there is one.
struct Listing {
    let event: TraceRecord.Event
    /// Read by the members below, and by whoever attaches.
    let types: BTF
    let filter: TraceFilter
    private let ring: Int32
    private let counters: Int32

    init(_ event: TraceRecord.Event, _ types: BTF, _ filter: TraceFilter, ring: Int32, counters: Int32) {
        (self.event, self.types, self.filter, self.ring, self.counters) = (event, types, filter, ring, counters)
    }

    /// The types that the listings ask for.
    static let typeNames =
        ["sock", "tcp_sock", "request_sock", "net", "task_struct", resetReasons] + processTypes
        + TraceRecord.Event.allCases.map(\.typeName)

    /// What numbers processes.
    private static let processTypes = ["pid", "upid", "pid_namespace"]

    /// The enumeration of why a RST is sent.
    static let resetReasons = "sk_rst_reason"

    /// The instructions.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where the kernel's types lack what is needed.
    func instructions() throws(KernelError) -> [Instruction] {
        try begin() + filtered() + reserve(unlessReported()) + identity() + details() + submit
    }

    // MARK: What is wanted

    private func filtered() throws(KernelError) -> [Instruction] {
        var listing: [Instruction] = []
        if !filter.namespaces.isEmpty, filter.namespaces.count <= TraceFilter.maximumNamespaces {
            listing += try namespace()  // r1 = the namespace's number
            for number in filter.namespaces {
                listing.append(.jumpIf32(.r1, .equal, Int32(bitPattern: number), "here"))
            }
            listing += [.jump("out"), .label("here")]
        }
        if let family = filter.family {
            let member = try member("\(common).skc_family", of: structure)
            listing += [
                .load(.r1, .u16, from: .r6, member.offset),  // if (sk->sk_family != family) goto out
                .jumpIf32(.r1, .notEqual, Int32(family.rawValue), "out"),
            ]
        }
        listing += try filteredByPorts()
        #if DEBUG
            if filter.dropsOneOf > 0 {
                listing += [
                    .call(.get_prandom_u32),  // if (!(get_prandom_u32() % n)) goto out
                    .compute(.r0, .modulo, filter.dropsOneOf),
                    .jumpIf(.r0, .equal, 0, "out"),
                ]
            }
        #endif
        return listing
    }

    private func filteredByPorts() throws(KernelError) -> [Instruction] {
        let count = filter.localPorts.count + filter.remotePorts.count
        // A socket that is disconnected has no ports any more.
        guard count > 0, count <= TraceFilter.maximumPorts, event != .destroyed else { return [] }
        let remote = try member("\(common).skc_dport", of: structure)
        var listing: [Instruction] = []
        if !filter.localPorts.isEmpty {
            // 0 while the kernel has not chosen the port.
            listing += try chosenPort("filtered") + [.jumpIf32(.r1, .equal, 0, "ports")]
            for port in filter.localPorts.sorted() {
                let number = event == .requestRetransmitted ? port : port.bigEndian
                listing.append(.jumpIf32(.r1, .equal, Int32(number), "ports"))
            }
        }
        listing.append(.load(.r1, .u16, from: .r6, remote.offset))
        for port in filter.remotePorts.sorted() {
            listing.append(.jumpIf32(.r1, .equal, Int32(port.bigEndian), "ports"))
        }
        return listing + [.jump("out"), .label("ports")]
    }

    // MARK: The record

    /// r9 = room in the ring. It may be refused though there is some, for a lock that another processor holds: so it is
    /// asked for twice. What is lost is counted.
    private func reserve(_ unlessReported: [Instruction]) -> [Instruction] {
        let ask: [Instruction] = [
            .loadMap(.r1, ring),  // r0 = ringbuf_reserve(ring, size, 0)
            .set(.r2, Int32(TraceRecord.Field.size)),
            .set(.r3, 0),
            .call(.ringbuf_reserve),
            .jumpIf(.r0, .notEqual, 0, "room"),
        ]
        return ask + ask + unlessReported + [
            .loadMapValue(.r1, counters, 8 * Int32(event.rawValue)),  // lost[event] += 1
            .set(.r2, 1),
            .atomicAdd(to: .r1, 0, .r2),
            .jump("out"),
            .label("room"),
            .move(.r9, .r0),  // r9 = record
        ]
    }

    /// What is lost with the end of a socket is a transition only where it was bound and no more: any other has had its
    /// last.
    private func unlessReported() throws(KernelError) -> [Instruction] {
        guard event == .destroyed else { return [] }
        let (local, remote) = (
            try member("\(common).skc_num", of: structure), try member("\(common).skc_dport", of: structure)
        )
        return [
            .load(.r1, .u16, from: .r6, remote.offset),  // if (sk->sk_dport || !sk->sk_num) goto out
            .jumpIf32(.r1, .notEqual, 0, "out"),
            .load(.r1, .u16, from: .r6, local.offset),
            .jumpIf32(.r1, .equal, 0, "out"),
        ]
    }

    private func identity() throws(KernelError) -> [Instruction] {
        typealias Field = TraceRecord.Field
        let family = try member("\(common).skc_family", of: structure)
        let isRequest = event == .requestRetransmitted
        var listing: [Instruction] = [
            .call(.ktime_get_ns),
            .store(.u64, to: .r9, Field.time, .r0),  // record->time = ktime_get_ns()
            .move(.r1, .r6),
            .call(.get_socket_cookie),
            .store(.u64, to: .r9, Field.cookie, .r0),  // record->cookie = get_socket_cookie(sk)
            .storeNumber(.u8, to: .r9, Field.event, Int32(event.rawValue)),
            .store(.u8, to: .r9, Field.from, .r7),
            .store(.u8, to: .r9, Field.to, event == .transition ? .r8 : .r7),
        ]
        listing += try namespace() + [.store(.u32, to: .r9, Field.namespace, .r1)]
        listing += try chosenPort("recorded") + [.store(.u16, to: .r9, Field.localPort, .r1)]
        listing += try copy("\(common).skc_dport", .u16, to: Field.remotePort)
        listing += try copy("\(common).skc_bound_dev_if", .u32, to: Field.interface)
        listing += isRequest ? [] : try copy("\(Self.sock).sk_uid.val", .u32, to: Field.uid)
        listing += isRequest ? [] : try copy("srtt_us", .u32, to: Field.rtt)
        listing += [
            .load(.r1, .u16, from: .r6, family.offset),
            .store(.u8, to: .r9, Field.family, .r1),
            .jumpIf32(.r1, .equal, Int32(AddressFamily.ipv6.rawValue), "ipv6"),
        ]
        listing += try copy("\(common).skc_rcv_saddr", .u32, to: Field.local)
        listing += try copy("\(common).skc_daddr", .u32, to: Field.remote)
        listing += [.jump("addressed"), .label("ipv6")]
        listing += try copyAddress("\(common).skc_v6_rcv_saddr", to: Field.local)
        listing += try copyAddress("\(common).skc_v6_daddr", to: Field.remote)
        return listing + [.label("addressed")]
    }

    /// What the record of an event holds beside.
    private func details() throws(KernelError) -> [Instruction] {
        switch event {
        case .transition:
            return try pid() + copy("\(Self.sock).sk_err", .u32, to: TraceRecord.Field.error) + ifClosed(counted())
        case .retransmitted: return try noPID + tailLossProbe()
        case .resetSent: return noPID + [.store(.u32, to: .r9, TraceRecord.Field.error, .r8)]
        default: return noPID
        }
    }

    /// Whether it is a tail loss probe: the timer for it has fired, and nothing is known to be lost. In recovery that timer may be set too.
    private func tailLossProbe() throws(KernelError) -> [Instruction] {
        guard let pending = types.member("tcp_sock", "inet_conn.icsk_pending"), pending.size == 1 else {
            return [.storeNumber(.u32, to: .r9, TraceRecord.Field.error, 0)]
        }
        return [
            .set(.r2, 0),
            .load(.r1, .u8, from: .r6, pending.offset),
            .jumpIf32(.r1, .notEqual, 5, "no probe"),  // if (icsk_pending != ICSK_TIME_LOSS_PROBE) goto no_probe
            .load(.r1, .u32, from: .r6, try member("lost_out", of: "tcp_sock").offset),
            .jumpIf32(.r1, .notEqual, 0, "no probe"),
            .set(.r2, 1),
            .label("no probe"),
            .store(.u32, to: .r9, TraceRecord.Field.error, .r2),
        ]
    }

    private var noPID: [Instruction] { [.storeNumber(.u32, to: .r9, TraceRecord.Field.pid, 0)] }

    /// The process, where it is the one whose call causes the transition. In an interrupt it is whoever was
    /// interrupted, and then no call owns the socket's lock.
    private func pid() -> [Instruction] {
        guard let owned = lockOwned else { return noPID }
        return [
            .set(.r0, 0),
            .load(.r1, .u32, from: .r6, owned.offset),
            .jumpIf32(.r1, .equal, 0, "interrupt"),  // if (!sk->sk_lock.owned) goto interrupt
        ] + processNumber() + [
            .label("interrupt"),
            .store(.u32, to: .r9, TraceRecord.Field.pid, .r0),
        ] + processName()
    }

    /// What the process in r0 is called now: when the record is read, it may have ended, or be another.
    private func processName() -> [Instruction] {
        let name = TraceRecord.Field.name
        let none: [Instruction] = [.storeNumber(.u64, to: .r9, name, 0), .storeNumber(.u64, to: .r9, name + 8, 0)]
        guard let leader = types.member("task_struct", "group_leader"), let comm = types.offset("task_struct", "comm")
        else { return none }
        return none + [
            .jumpIf(.r0, .equal, 0, "named"),
            .call(.get_current_task_btf),
            .load(.r1, .u64, from: .r0, leader.offset),  // r1 = current->group_leader
            .load(.r2, .u64, from: .r1, comm),
            .store(.u64, to: .r9, name, .r2),
            .load(.r2, .u64, from: .r1, comm + 8),
            .store(.u64, to: .r9, name + 8, .r2),
            .label("named"),
        ]
    }

    /// r0 = the number of the process in the namespace whose numbers are wanted; where it has none there, that of the
    /// namespace it is in itself.
    private func processNumber() -> [Instruction] {
        guard let namespace = filter.pidNamespace else {
            return [
                .call(.get_current_pid_tgid),
                .compute(.r0, .shiftRight, 32),  // the process; below it is the thread
            ]
        }
        guard let leader = types.member("task_struct", "group_leader"),
            let numbering = types.member("task_struct", "thread_pid"), let level = types.member("pid", "level"),
            let numbers = types.flexibleArray("pid", "numbers"), let number = types.member("upid", "nr"),
            let owner = types.member("upid", "ns"), let inode = types.member("pid_namespace", "ns.inum")
        else { return [.set(.r0, -1)] }
        let levels = (0..<Self.pidNamespaceLevels).flatMap { index -> [Instruction] in
            let place = numbers.offset + index * numbers.elementSize
            return [
                .load(.r3, .u64, from: .r1, place + owner.offset),  // r3 = pid->numbers[i].ns->ns.inum
                .load(.r3, .u32, from: .r3, inode.offset),
                .load(.r0, .u32, from: .r1, place + number.offset),  // r0 = pid->numbers[i].nr
                .jumpIf32(.r3, .equal, Int32(bitPattern: namespace), "numbered"),
                .jumpIf32(.r2, .equal, Int32(index), "outside"),  // if (pid->level == i) goto outside
            ]
        }
        return [
            .call(.get_current_task_btf),
            .load(.r1, .u64, from: .r0, leader.offset),
            .load(.r1, .u64, from: .r1, numbering.offset),  // r1 = current->group_leader->thread_pid
            .load(.r2, .u32, from: .r1, level.offset),
        ] + levels + [.label("outside"), .move(.r0, .r3), .label("numbered")]
    }

    /// `MAX_PID_NS_LEVEL` of `<linux/pid_namespace.h>`, and the first one.
    private static let pidNamespaceLevels = 33

    /// What a connection came to.
    private func counted() throws(KernelError) -> [Instruction] {
        typealias Field = TraceRecord.Field
        var listing = try copy("\(Self.sock).__sk_common.skc_flags", .u32, to: Field.flags)
        listing += try copy("\(Self.sock).sk_err_soft", .u32, to: Field.softError)
        let socket = try member("\(Self.sock).sk_socket", of: structure)
        listing += [
            .load(.r1, .u64, from: .r6, socket.offset),
            .set(.r2, 0),
            .jumpIf(.r1, .equal, 0, "unaccepted"),  // if (!sk->sk_socket) goto unaccepted
            .set(.r2, 1),
            .label("unaccepted"),
            .store(.u32, to: .r9, Field.hasFile, .r2),
        ]
        listing += try copy("total_retrans", .u32, to: Field.retransmits)
        listing += try copy("bytes_sent", .u64, to: Field.bytesSent)
        listing += try copy("bytes_received", .u64, to: Field.bytesReceived)
        listing += try copy("segs_out", .u32, to: Field.segmentsOut)
        listing += try copy("segs_in", .u32, to: Field.segmentsIn)
        // Kernels have kept these elsewhere; without them, each TIME_WAIT is asked for.
        let row = "ipv4.tcp_death_row"
        guard let count = types.member("net", "\(row).tw_refcount.refs.counter"),
            let limit = types.member("net", "\(row).sysctl_max_tw_buckets")
        else { return listing + [.storeNumber(.u32, to: .r9, Field.timeWaitLimit, 0)] }
        let net = try member("\(common).skc_net.net", of: structure)
        return listing + [
            .load(.r2, .u64, from: .r6, net.offset),  // r2 = net
            .load(.r1, .u32, from: .r2, count.offset),
            .store(.u32, to: .r9, Field.timeWaits, .r1),
            .load(.r1, .u32, from: .r2, limit.offset),
            .store(.u32, to: .r9, Field.timeWaitLimit, .r1),
        ]
    }

    private func ifClosed(_ listing: [Instruction]) -> [Instruction] {
        [.jumpIf32(.r8, .notEqual, TCPState.closed.number, "done")] + listing + [.label("done")]
    }

    private var submit: [Instruction] {
        [
            .move(.r1, .r9),  // ringbuf_submit(record, 0): wakes the reader if it waits
            .set(.r2, 0),
            .call(.ringbuf_submit),
            .label("out"),
            .set(.r0, 0),
            .exit,
        ]
    }
}

// MARK: - Members

extension Listing {
    /// `struct sock` in `struct tcp_sock`
    private static let sock = "inet_conn.icsk_inet.sk"
    /// What r6 points to.
    private var structure: String { event == .requestRetransmitted ? "request_sock" : "tcp_sock" }
    /// `struct sock_common` in it.
    var common: String { event == .requestRetransmitted ? "__req_common" : "\(Self.sock).__sk_common" }

    /// Whether a call holds the socket, where the kernel's types show it.
    var lockOwned: BTF.Member? { types.member("tcp_sock", "\(Self.sock).sk_lock.owned") }

    func member(_ path: String, of structure: String) throws(KernelError) -> BTF.Member {
        if let member = types.member(structure, path) { return member }
        throw KernelError(
            .kernelTooOld,
            operation: "trace \(event.tracepoint)",
            detail: "this kernel's struct \(structure) has no \(path)",
            remedy: "watch without tracing"
        )
    }

    private func localPort() throws(KernelError) -> BTF.Member {
        // skc_num is 0 again when a connection ends, inet_sport stays.
        event == .requestRetransmitted || event == .destroyed
            ? try member("\(common).skc_num", of: structure)
            : try member("inet_conn.icsk_inet.inet_sport", of: structure)
    }

    /// r1 = the local port; 0 where a transition needs one and the kernel has not chosen it yet. A socket that is
    /// connected again still has the port of its former connection then, and no number.
    private func chosenPort(_ label: String) throws(KernelError) -> [Instruction] {
        let load: [Instruction] = [.load(.r1, .u16, from: .r6, try localPort().offset)]
        guard event == .transition else { return load }
        let number = try member("\(common).skc_num", of: structure)
        return load + [
            .jumpIf32(.r8, .equal, TCPState.synSent.number, "choosing \(label)"),
            .jumpIf32(.r8, .notEqual, TCPState.listen.number, label),
            .label("choosing \(label)"),
            .load(.r2, .u16, from: .r6, number.offset),
            .jumpIf32(.r2, .notEqual, 0, label),  // if (!sk->sk_num) r1 = 0
            .set(.r1, 0),
            .label(label),
        ]
    }

    /// r1 = sock_net(sk)->ns.inum
    private func namespace() throws(KernelError) -> [Instruction] {
        let net = try member("\(common).skc_net.net", of: structure)
        let number = try member("ns.inum", of: "net")
        return [.load(.r1, .u64, from: .r6, net.offset), .load(.r1, .u32, from: .r1, number.offset)]
    }

    /// record->field = r6->member, by r1
    private func copy(
        _ path: String,
        _ width: Instruction.Width,
        to field: Int
    ) throws(KernelError) -> [Instruction] {
        copy(try member(path, of: structure), width, to: field)
    }

    private func copy(_ member: BTF.Member, _ width: Instruction.Width, to field: Int) -> [Instruction] {
        [
            .load(.r1, Instruction.Width(bytes: member.size) ?? width, from: .r6, member.offset),
            .store(width, to: .r9, field, .r1),
        ]
    }

    /// An IPv6 address, by the words that it is declared to have.
    private func copyAddress(_ path: String, to field: Int) throws(KernelError) -> [Instruction] {
        let address = try member(path, of: structure)
        return stride(from: 0, to: 16, by: 4).flatMap { offset -> [Instruction] in
            [
                .load(.r1, .u32, from: .r6, address.offset + offset),
                .store(.u32, to: .r9, field + offset, .r1),
            ]
        }
    }
}

extension TCPState {
    var number: Int32 { Int32(rawValue) }
}
