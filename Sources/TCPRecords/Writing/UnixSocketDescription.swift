package import SockDiag

/// The `socket` record of a UNIX socket: the fields of every `socket`, in their order, and those that it alone has.
extension SocketDescription {
    /// Passes the whole record to the writer.
    mutating func describe(_ row: UnixSocketRecord, to writer: inout some RecordWriter & ~Copyable) {
        let socket = row.socket
        writer.begin("socket")
        describeTransport("unix", to: &writer)
        writer.add("family", .text("unix"))
        writer.add("state", .text(socket.stateName))
        for name in ["local_address", "local_port", "remote_address", "remote_port"] as [StaticString] {
            writer.add(name, nil)
        }
        writer.add("cookie", .hex(socket.cookie.rawValue))
        writer.add("recv_queue", socket.receiveQueue.map { .number($0) })
        writer.add("send_queue", socket.sendQueue.map { .number($0) })
        writer.add("uid", socket.uid.map { .number($0) })
        writer.add("inode", socket.inode.map { .number($0) })
        writer.add("interface", nil)
        describeUnix(row, to: &writer)
        AbsentSocket().withMessage { message in
            let absent = SocketRecord(checked: message)
            if details.contains(.timers) { describe(nil as SocketTimer?, to: &writer) }
            if details.contains(.info) { describeMeasurements(of: absent, to: &writer) }
            if details.contains(.memory) { describe(socket.memory, to: &writer) }
            if details.contains(.info) { describeCongestion(of: absent, to: &writer) }
            if details.contains(.extended) { describeExtended(absent, shutdown: socket.shutdown, to: &writer) }
            describeRest(of: absent, owners: row.owners, namespace: row.namespace, to: &writer)
        }
        writer.end()
    }

    /// Passes the protocol, where there are others than TCP: TCP's own records have none.
    func describeTransport(_ name: StaticString, to writer: inout some RecordWriter & ~Copyable) {
        guard details.contains(.transport) else { return }
        writer.add("protocol", "\(name)" == "tcp" ? nil : .text("\(name)"))
    }

    /// Passes the fields that UNIX sockets alone have, where these are listed.
    func describeUnix(_ row: UnixSocketRecord?, to writer: inout some RecordWriter & ~Copyable) {
        guard details.contains(.unix) else { return }
        writer.add("socket_type", row.map { .text($0.socket.type.description) })
        writer.add("path", row?.socket.plainPath.map { .text($0) })
        writer.add("peer_inode", row?.socket.peerInode.map { .number($0) })
        writer.add("peer_path", row?.peerPath.map { .text($0) })
        guard details.contains(.extended) else { return }
        let file = row?.socket.file
        writer.beginObject("file")
        writer.add("inode", file.map { .number($0.inode) })
        writer.add("device", file.map { .text("\($0.deviceNumbers.major):\($0.deviceNumbers.minor)") })
        writer.endObject()
    }
}

extension SocketProtocol {
    /// The letters of `ss` for the protocol, which records have too.
    package var netid: StaticString {
        switch self {
        case .tcp: "tcp"
        case .udp: "udp"
        case .mptcp: "mptcp"
        case .raw: "raw"
        case .udpLite: "udplite"
        default: "???"
        }
    }
}

/// A socket of which nothing is known: it has every field's name, and asks for none of its values.
struct AbsentSocket: SocketFields {
    /// The size of `struct inet_diag_msg`.
    private let message = InlineArray<72, UInt8>(repeating: 0)

    func withMessage<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        try body(message.span.bytes)
    }
}
