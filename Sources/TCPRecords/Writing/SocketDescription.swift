package import SockDiag

/// The `socket` record: its fields, their names and their order. They depend on what is asked for, never on the socket.
struct SocketDescription {
    let details: SocketDetails
    var names: RecordNames
    /// Names that are known already; the others are looked up.
    var known = Record.Names()

    /// Passes the whole record to the writer.
    mutating func describe<Writer: RecordWriter & ~Copyable>(
        _ socket: borrowing SocketRecord,
        owners: [SocketOwner],
        namespace: NetworkNamespace?,
        time: EventTime? = nil,
        incarnation: UInt8 = 0,
        to writer: inout Writer
    ) {
        writer.begin("socket")
        if !Writer.isTabular, let time { describe(time, to: &writer) }
        describeTransport(socket.protocol.netid, to: &writer)
        describe(socket.identity, socket.state, named: socket.stateName, to: &writer)
        if !Writer.isTabular, incarnation > 0 { writer.add("incarnation", .number(incarnation)) }
        writer.add("recv_queue", socket.isListed ? .number(socket.receiveQueue) : nil)
        writer.add("send_queue", socket.isListed ? .number(socket.sendQueue) : nil)
        writer.add("uid", socket.uid.map { .number($0) })
        writer.add("inode", socket.inode.map { .number($0) })
        writer.add("interface", name(of: socket.interface, in: namespace))
        describeUnix(nil, to: &writer)
        if details.contains(.timers) { describe(socket.timer, to: &writer) }
        if details.contains(.info) { describeMeasurements(of: socket, to: &writer) }
        if details.contains(.memory) { describe(socket.memory, to: &writer) }
        if details.contains(.info) { describeCongestion(of: socket, to: &writer) }
        if details.contains(.extended) { describeExtended(socket, shutdown: socket.shutdown, to: &writer) }
        describeRest(of: socket, owners: owners, namespace: namespace, to: &writer)
        writer.end()
    }

    /// Passes what comes last: what marks the packets, options, owners, the namespace and names.
    mutating func describeRest(
        of socket: borrowing SocketRecord,
        owners: [SocketOwner],
        namespace: NetworkNamespace?,
        to writer: inout some RecordWriter & ~Copyable
    ) {
        if details.contains(.service) {
            writer.add("tos", socket.tos.map { .number($0) })
            writer.add("tclass", socket.trafficClass.map { .number($0) })
            writer.add("class_id", socket.classID.map { .number($0) })
        }
        if details.contains(.options) { describe(socket.options, to: &writer) }
        if details.contains(.processes) { writer.add("processes", owners.nonEmpty.map { .owners($0) }) }
        if details.contains(.namespace) { writer.add("netns", label(of: namespace)) }
        describeNames(of: socket.identity, over: socket.protocol, to: &writer)
    }

    /// Passes a time.
    func describe(_ time: EventTime?, to writer: inout some RecordWriter & ~Copyable) {
        writer.add("time", time.map { .time($0.realtimeNanoseconds) })
        writer.add("monotonic_ns", time.map { .large($0.monotonicNanoseconds) })
    }

    /// The name of an interface, as it is written.
    mutating func name(of interface: NetworkInterface?, in namespace: NetworkNamespace?) -> FieldValue? {
        if let name = known.interface { return .text(name) }
        return interface.map { .text(names.name(of: $0, in: namespace)) }
    }

    /// The label of a namespace, as it is written.
    func label(of namespace: NetworkNamespace?) -> FieldValue? {
        (known.namespace ?? namespace?.label).map { .text($0) }
    }

    /// Passes what identifies a socket, and its state; every record about a socket begins with it.
    func describe(
        _ identity: SocketIdentity?,
        _ state: TCPState?,
        named stateName: String? = nil,
        to writer: inout some RecordWriter & ~Copyable
    ) {
        writer.add("family", identity.map { .text($0.family.description) })
        writer.add("state", state.map { .text(stateName ?? $0.description) })
        writer.add("local_address", identity.map { .address($0.local.address) })
        writer.add("local_port", identity.map { .number($0.local.port) })
        writer.add("remote_address", identity.map { .address($0.remote.address) })
        writer.add("remote_port", identity.map { .number($0.remote.port) })
        writer.add(
            "cookie",
            identity.flatMap { state == .closed && $0.cookie == .any ? nil : .hex($0.cookie.rawValue) }
        )
    }

    func describe(_ timer: SocketTimer?, to writer: inout some RecordWriter & ~Copyable) {
        writer.beginObject("timer")
        writer.add("kind", timer.map { .text($0.kind.description) })
        writer.add("expires_ms", timer.map { .number($0.milliseconds) })
        writer.add("retransmits", timer.map { .number($0.retransmits) })
        writer.endObject()
    }

    func describeMeasurements(
        of socket: borrowing SocketRecord,
        to writer: inout some RecordWriter & ~Copyable
    ) {
        writer.beginObject("tcp_info")
        let isMeasured =
            socket.protocol != .tcp
            ? nil
            : socket.withAttribute(.info) { bytes -> Bool? in
                let info = BorrowedTCPInfo(bytes)
                for field in TCPInfo.Field.allCases {
                    writer.add(field.constantName, info[field].map { field.isWide ? .large($0) : .integer($0) })
                }
                return true
            }
        if isMeasured == nil {
            for field in TCPInfo.Field.allCases { writer.add(field.constantName, nil) }
        }
        writer.endObject()
    }

    func describe(_ memory: SocketMemory?, to writer: inout some RecordWriter & ~Copyable) {
        writer.beginObject("memory")
        writer.add("rmem_alloc", memory.map { .number($0.rmemAlloc) })
        writer.add("rcvbuf", memory.map { .number($0.rcvbuf) })
        writer.add("wmem_alloc", memory.map { .number($0.wmemAlloc) })
        writer.add("sndbuf", memory.map { .number($0.sndbuf) })
        writer.add("fwd_alloc", memory.map { .number($0.fwdAlloc) })
        writer.add("wmem_queued", memory.map { .number($0.wmemQueued) })
        writer.add("optmem", memory.map { .number($0.optmem) })
        writer.add("backlog", memory.map { .number($0.backlog) })
        writer.add("drops", memory?.drops.map { .number($0) })
        writer.endObject()
    }

    mutating func describeExtended(
        _ socket: borrowing SocketRecord,
        shutdown: ShutdownDirections?,
        to writer: inout some RecordWriter & ~Copyable
    ) {
        writer.add("cgroup", (known.cgroup ?? socket.cgroupID.flatMap { names.cgroupPath(of: $0) }).map { .text($0) })
        writer.add("mark", socket.mark.map { .number($0) })
        writer.add("shutdown", shutdown.map { .text($0.name) })
        writer.add("v6only", socket.isIPv6Only.map { .flag($0) })
    }

    private func describe(_ options: SocketOptions?, to writer: inout some RecordWriter & ~Copyable) {
        writer.beginObject("inet_sockopt")
        for (name, option) in SocketOptions.named { writer.add(name, options.map { .flag($0.contains(option)) }) }
        writer.endObject()
    }

    /// Passes the names of hosts and services, where they are asked for.
    mutating func describeNames<Writer: RecordWriter & ~Copyable>(
        of identity: SocketIdentity?,
        over transport: SocketProtocol = .tcp,
        to writer: inout Writer
    ) {
        guard names.hosts != nil || (!Writer.isTabular && known.hasHosts) else { return }
        let local = known.localHost ?? identity.flatMap { names.hosts?.host($0.local.address) }
        let localService =
            known.localService ?? identity.flatMap { names.hosts?.service($0.local.port, over: transport) }
        let remote = known.remoteHost ?? identity.flatMap { names.hosts?.host($0.remote.address) }
        let remoteService =
            known.remoteService ?? identity.flatMap { names.hosts?.service($0.remote.port, over: transport) }
        writer.add("local_name", local.map { .text($0) })
        writer.add("local_service", localService.map { .text($0) })
        writer.add("remote_name", remote.map { .text($0) })
        writer.add("remote_service", remoteService.map { .text($0) })
    }
}

extension Record.Names {
    /// Whether there are names of hosts or services.
    var hasHosts: Bool { localHost != nil || localService != nil || remoteHost != nil || remoteService != nil }
}

/// What the congestion control algorithm and the protocol above TCP report of themselves.
extension SocketDescription {
    /// Passes the congestion control algorithm, what it measures of itself under the kernel's names, and the protocol
    /// above TCP.
    func describeCongestion(
        of socket: borrowing SocketRecord,
        to writer: inout some RecordWriter & ~Copyable
    ) {
        writer.add("congestion", socket.congestion.map { .text($0) })
        let info = socket.congestionInfo
        describe(info?.bbr, to: &writer)
        describe(info?.dctcp, to: &writer)
        describe(info?.vegas, to: &writer)
        let upper = socket.upperLayerProtocol
        writer.add("ulp", upper.map { .text($0.name) })
        describe(upper?.tls, to: &writer)
        describe(upper?.mptcp, to: &writer)
        let signatures = socket.md5Signatures
        writer.add("md5", signatures.isEmpty ? nil : .words(signatures.map(\.network)))
    }

    private func describe(_ tls: TLSInfo?, to writer: inout some RecordWriter & ~Copyable) {
        writer.beginObject("tls")
        writer.add("version", tls?.versionName.map { .text($0) })
        writer.add("cipher", tls?.cipherName.map { .text($0) })
        writer.add("txconf", (tls?.transmit).map { .text(TLSInfo.name(ofConfiguration: $0)) })
        writer.add("rxconf", (tls?.receive).map { .text(TLSInfo.name(ofConfiguration: $0)) })
        writer.endObject()
    }

    private func describe(_ subflow: MPTCPSubflow?, to writer: inout some RecordWriter & ~Copyable) {
        writer.beginObject("mptcp")
        writer.add("flags", (subflow?.flags).map { .text(MPTCPSubflow.letters(ofFlags: $0)) })
        writer.add("token_rem", (subflow?.remoteToken).map { .number($0) })
        writer.add("token_loc", (subflow?.localToken).map { .number($0) })
        writer.add("id_rem", (subflow?.remoteID).map { .number($0) })
        writer.add("id_loc", (subflow?.localID).map { .number($0) })
        writer.add("relwrite_seq", (subflow?.relativeWriteSequence).map { .number($0) })
        writer.add("map_seq", (subflow?.mapSequence).map { .large($0) })
        writer.add("map_sfseq", (subflow?.mapSubflowSequence).map { .number($0) })
        writer.add("ssn_offset", (subflow?.offset).map { .number($0) })
        writer.add("map_datalen", (subflow?.mapLength).map { .number($0) })
        writer.endObject()
    }

    private func describe(_ bbr: BBRInfo?, to writer: inout some RecordWriter & ~Copyable) {
        writer.beginObject("bbr")
        writer.add("bw", bbr.map { .large($0.bandwidth) })
        writer.add("min_rtt", bbr.map { .number($0.minRTT) })
        writer.add("pacing_gain", bbr.map { .number($0.pacingGain) })
        writer.add("cwnd_gain", bbr.map { .number($0.cwndGain) })
        writer.endObject()
    }

    private func describe(_ dctcp: DCTCPInfo?, to writer: inout some RecordWriter & ~Copyable) {
        writer.beginObject("dctcp")
        writer.add("enabled", dctcp.map { .flag($0.isEnabled) })
        writer.add("ce_state", dctcp.map { .number($0.ceState) })
        writer.add("alpha", dctcp.map { .number($0.alpha) })
        writer.add("ab_ecn", dctcp.map { .number($0.markedBytes) })
        writer.add("ab_tot", dctcp.map { .number($0.totalBytes) })
        writer.endObject()
    }

    private func describe(_ vegas: VegasInfo?, to writer: inout some RecordWriter & ~Copyable) {
        writer.beginObject("vegas")
        writer.add("enabled", vegas.map { .flag($0.isEnabled) })
        writer.add("rttcnt", vegas.map { .number($0.rttCount) })
        writer.add("rtt", vegas.map { .number($0.rtt) })
        writer.add("minrtt", vegas.map { .number($0.minRTT) })
        writer.endObject()
    }
}

extension [SocketOwner] {
    /// Itself; nil where nobody is known.
    var nonEmpty: Self? { isEmpty ? nil : self }
}

extension ShutdownDirections {
    /// The word of the record.
    fileprivate var name: String {
        switch intersection([.receive, .send]) {
        case []: "none"
        case .receive: "receive"
        case .send: "send"
        default: "both"
        }
    }
}

extension CongestionInfo {
    /// What BBR reports, where it is BBR.
    var bbr: BBRInfo? { if case .bbr(let info) = self { info } else { nil } }
    /// What DCTCP reports, where it is DCTCP.
    var dctcp: DCTCPInfo? { if case .dctcp(let info) = self { info } else { nil } }
    /// What Vegas reports, or what answers in its form.
    var vegas: VegasInfo? { if case .vegas(let info) = self { info } else { nil } }
}

extension SocketOptions {
    /// The kernel's names of the options (`struct inet_diag_sockopt`), in its order.
    package static let named: [(name: StaticString, option: SocketOptions)] = [
        ("recverr", .recverr),
        ("is_icsk", .isConnectionOriented),
        ("freebind", .freebind),
        ("hdrincl", .hdrincl),
        ("mc_loop", .multicastLoop),
        ("transparent", .transparent),
        ("mc_all", .multicastAll),
        ("nodefrag", .nodefrag),
        ("bind_address_no_port", .bindAddressNoPort),
        ("recverr_rfc4884", .recverrRFC4884),
        ("defer_connect", .deferConnect),
    ]
}
