internal import SockDiag

/// A UNIX socket as it is listed: with the path of its peer, which the kernel tells of the peer alone.
struct UnixRow: Sendable {
    let socket: UnixSocket
    /// The peer's path with nothing escaped; nil where it has no peer, or one without a path.
    let peerPath: String?

    /// The letters of `ss` for the type: `u_str`.
    var netid: StaticString {
        switch socket.type {
        case .stream: "u_str"
        case .datagram, .raw: "u_dgr"
        case .sequencedPackets: "u_seq"
        default: "u_???"
        }
    }
}

extension SocketSource {
    /// The UNIX sockets of a namespace that the query finds, with their peers.
    func unixRows(in namespace: NetworkNamespace, _ query: UnixSocketQuery) throws(KernelError) -> [UnixRow] {
        var client = try SockDiagClient(in: namespace)
        var sockets: [UnixSocket] = []
        try client.forEachUnixSocket(query, external: { holds($0, for: $1.inode, in: namespace) }) {
            sockets.append($0)
            noteOwner(of: $0.inode)
        }
        var paths = Self.paths(sockets)
        if query.states != .all || query.filter != nil, sockets.contains(where: { $0.peerInode != nil }) {
            // A peer may be in none of the states, or not be found by the filter.
            paths = Self.paths(try client.unixSockets(UnixSocketQuery(extensions: .name)))
        }
        return sockets.map { UnixRow(socket: $0, peerPath: $0.peerInode.flatMap { paths[$0] }) }
    }

    private static func paths(_ sockets: [UnixSocket]) -> [UInt32: String] {
        var paths: [UInt32: String] = [:]
        for socket in sockets {
            if let inode = socket.inode, let path = socket.plainPath { paths[inode] = path }
        }
        return paths
    }
}
