internal import SockDiag

extension RecordFields {
    /// A UNIX socket with its peer's path and its owners.
    func unixSocket() throws(RecordError) -> UnixSocketRecord {
        let kind = try required("socket_type", try value("socket_type", "type", UnixSocket.Kind.init(named:)))
        var socket = UnixSocket(type: kind, state: try required("state", try state("state")))
        socket.cookie = try cookie() ?? .any
        (socket.inode, socket.uid) = (try number("inode"), try number("uid"))
        (socket.receiveQueue, socket.sendQueue) = (try number("recv_queue"), try number("send_queue"))
        socket.name = try text("path").map { path in
            path.utf8.first == UInt8(ascii: "@") ? [0] + path.utf8.dropFirst() : Array(path.utf8)
        }
        socket.peerInode = try number("peer_inode")
        socket.shutdown = try shutdown()
        socket.memory = try object("memory")?.memory()
        if let file = try object("file") {
            let device = try file.value("device", "number of a device", Self.device)
            socket.file = UnixSocket.File(inode: try file.count("inode"), device: device ?? 0)
        }
        return UnixSocketRecord(socket, peerPath: try text("peer_path"), owners: try owners())
    }

    /// `8:1`, 12 bits and 20.
    private static func device(_ text: String) -> UInt32? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let major = UInt32(parts[0]), let minor = UInt32(parts[1]), major < 1 << 12,
            minor < 1 << 20
        else { return nil }
        return major << 20 | minor
    }
}

extension UnixSocket.Kind {
    /// The type of a record's name.
    fileprivate init?(named name: String) {
        let known: [UnixSocket.Kind] = [.stream, .datagram, .raw, .sequencedPackets]
        if let kind = known.first(where: { $0.description == name }) {
            self = kind
        } else {
            guard name.hasPrefix("type_"), let number = UInt8(name.dropFirst(5)) else { return nil }
            self.init(rawValue: number)
        }
    }
}
