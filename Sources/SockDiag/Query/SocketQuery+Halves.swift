extension SocketQuery {
    /// Two queries that together find what this one finds, each socket once: for two clients at the same time.
    ///
    /// Of a connection's ports one is usually a client's, chosen from the range that is the kernel's default
    /// (`net.ipv4.ip_local_port_range`): whether the peer's or this side's, it decides. The kernel does the splitting.
    package var halves: (SocketQuery, SocketQuery) {
        let (least, middle): (UInt16, UInt16) = (32768, 46884)
        let upper: SocketFilter = .remotePort >= middle || .remotePort < least && .localPort >= middle
        var (first, second) = (self, self)
        first.filter = filter.map { upper && $0 } ?? upper
        second.filter = filter.map { !upper && $0 } ?? !upper
        return (first, second)
    }
}
