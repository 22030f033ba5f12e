internal import LinuxSystem
internal import SockDiag
internal import TCPStateLab

/// What more than one test has connections do.
extension Lab {
    /// Sends data both ways over one connection, while both sides read, and ends it; the client's cookie.
    @discardableResult
    func converse(with listener: KernelSocket, aborting: Bool = false) throws -> SocketCookie {
        let client = try unconnected()
        try client.connect(to: listener.local)
        let cookie = try client.cookie()
        let server = try accepted(from: listener)
        // A thread of its own: it holds the socket whenever a segment comes.
        let reading = try JoinedThread {
            while let count = try? server.receive(65_536), count > 0 { _ = try? server.send(max(1, count / 16)) }
            server.close()
        }
        for _ in 0..<32 {
            try client.send(8192)
            while try client.receive(65_536, waits: false) != nil {}
        }
        if aborting {
            client.abort()
        } else {
            try client.shutDown()
            while try client.receive(65_536) ?? 0 > 0 {}
        }
        reading.join()
        client.close()
        return cookie
    }

    /// A listener with room for 65,535 half-open requests. None expires while they are made, however busy the machine is.
    func listenerForFlood() throws -> KernelSocket {
        try sysctl("net.ipv4.tcp_max_syn_backlog", 65_535)
        try sysctl("net.core.somaxconn", 65_535)
        try sysctl("net.ipv4.tcp_synack_retries", 10)
        return try listener(backlog: 65_535)
    }

    /// A server's TIME_WAIT that a new SYN takes over, after its last transition was reported; its cookie, and the new
    /// connection.
    func takenOverTimeWait(_ watch: TraceWatch) throws -> (old: SocketCookie, connection: Connection) {
        let connection = try server(in: .timeWait)
        if watch.receive().last?.to != .timeWait { _ = try watch.wait { $0.to == .timeWait } }
        let old = try cookie(of: connection)
        try connection.peer.send(.syn.shifted(by: 100_000))
        try connection.peer.receive(.synAck)
        return (old, connection)
    }
}

extension LoopbackPair {
    /// Closes both sockets and the listener, the client last: where its peer's FIN comes late it stays a socket, and does not go
    /// on as an orphan's minisocket.
    func closeInOrder() throws {
        try client.shutDown()
        accepted.close()
        try client.wait(until: .closed)
        client.close()
        listener.close()
    }
}
