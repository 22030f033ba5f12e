internal import SockDiag

/// The `socket` record of a UNIX socket: the fields of every `socket`, in their order, and those that it alone has.
extension SocketDescription {
    /// Passes the whole record to the writer.
    mutating func describe(_ row: UnixRow, to writer: inout some RecordWriter & ~Copyable) {
        let (socket, absent) = (row.socket, AbsentSocket())
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
        if details.contains(.timers) { describe(nil as SocketTimer?, to: &writer) }
        if details.contains(.info) { describeMeasurements(of: absent, to: &writer) }
        if details.contains(.memory) { describe(socket.memory, to: &writer) }
        if details.contains(.info) { describeCongestion(of: absent, to: &writer) }
        if details.contains(.extended) { describeExtended(absent, shutdown: socket.shutdown, to: &writer) }
        describeRest(of: absent, inode: socket.inode, to: &writer)
        writer.end()
    }

    /// Passes the protocol, where there are others than TCP: TCP's own records have none.
    func describeTransport(_ name: StaticString, to writer: inout some RecordWriter & ~Copyable) {
        guard details.contains(.transport) else { return }
        writer.add("protocol", "\(name)" == "tcp" ? nil : .text("\(name)"))
    }

    /// Passes the fields that UNIX sockets alone have, where these are listed.
    func describeUnix(_ row: UnixRow?, to writer: inout some RecordWriter & ~Copyable) {
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
