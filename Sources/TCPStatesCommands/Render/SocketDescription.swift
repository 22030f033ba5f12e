internal import SockDiag
internal import SocketOwners

/// The `socket` record: its fields, their names and their order. They depend on what is asked for, never on the socket.
struct SocketDescription {
    let details: SocketDetails
    var names: SocketNames

    /// Passes the whole record to the writer.
    mutating func describe(
        _ socket: borrowing some SocketFields & ~Escapable,
        to writer: inout some RecordWriter & ~Copyable
    ) {
        writer.begin("socket")
        describeIdentity(of: socket, to: &writer)
        writer.add("recv_queue", .number(socket.receiveQueue))
        writer.add("send_queue", .number(socket.sendQueue))
        writer.add("uid", socket.uid.map { .number($0) })
        writer.add("inode", socket.inode.map { .number($0) })
        writer.add("interface", socket.interface.map { .text(names.name(of: $0)) })
        if details.contains(.timers) { describe(socket.timer, to: &writer) }
        if details.contains(.info) { describeMeasurements(of: socket, to: &writer) }
        if details.contains(.memory) { describe(socket.memory, to: &writer) }
        if details.contains(.info) { describeCongestion(of: socket, to: &writer) }
        if details.contains(.extended) { describeExtended(socket, to: &writer) }
        if details.contains(.processes) {
            writer.add("processes", names.owners?[socket.inode].nonEmpty.map { .owners($0) })
        }
        if details.contains(.namespace) { writer.add("netns", names.namespace.map { .text($0.label) }) }
        if names.hosts != nil { describeNames(of: socket, to: &writer) }
        writer.end()
    }

    /// Passes what tells a socket from every other; every record about a socket begins with it.
    func describeIdentity(
        of socket: borrowing some SocketFields & ~Escapable,
        to writer: inout some RecordWriter & ~Copyable
    ) {
        let (local, remote) = (socket.local, socket.remote)
        writer.add("family", .text(socket.family.description))
        writer.add("state", .text(socket.state.description))
        writer.add("local_address", .address(local.address))
        writer.add("local_port", .number(local.port))
        writer.add("remote_address", .address(remote.address))
        writer.add("remote_port", .number(remote.port))
        writer.add("cookie", .hex(socket.cookie.rawValue))
    }

    private func describe(_ timer: SocketTimer?, to writer: inout some RecordWriter & ~Copyable) {
        writer.beginObject("timer")
        writer.add("kind", timer.map { .text($0.kind.description) })
        writer.add("expires_ms", timer.map { .number($0.milliseconds) })
        writer.add("retransmits", timer.map { .number($0.retransmits) })
        writer.endObject()
    }

    private func describeMeasurements(
        of socket: borrowing some SocketFields & ~Escapable,
        to writer: inout some RecordWriter & ~Copyable
    ) {
        writer.beginObject("tcp_info")
        let isMeasured = socket.withAttribute(.info) { bytes -> Bool? in
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

    private func describe(_ memory: SocketMemory?, to writer: inout some RecordWriter & ~Copyable) {
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

    private mutating func describeExtended(
        _ socket: borrowing some SocketFields & ~Escapable,
        to writer: inout some RecordWriter & ~Copyable
    ) {
        writer.add("cgroup", socket.cgroupID.flatMap { names.cgroupPath(of: $0) }.map { .text($0) })
        writer.add("mark", socket.mark.map { .number($0) })
        writer.add("shutdown", socket.shutdown.map { .text($0.name) })
        writer.add("v6only", socket.isIPv6Only.map { .flag($0) })
    }

    private mutating func describeNames(
        of socket: borrowing some SocketFields & ~Escapable,
        to writer: inout some RecordWriter & ~Copyable
    ) {
        let (local, remote) = (socket.local, socket.remote)
        writer.add("local_name", names.hosts?.host(local.address).map { .text($0) })
        writer.add("local_service", names.hosts?.service(local.port).map { .text($0) })
        writer.add("remote_name", names.hosts?.host(remote.address).map { .text($0) })
        writer.add("remote_service", names.hosts?.service(remote.port).map { .text($0) })
    }
}

extension [SocketOwner] {
    fileprivate var nonEmpty: Self? { isEmpty ? nil : self }
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
