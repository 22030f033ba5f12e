extension SocketQuery {
    /// Two queries that together find what this one finds, each socket once: for two clients at the same time.
    ///
    /// A service's port is the same in all its connections, the other end's is a number that varies, and mostly the
    /// higher one: it decides. The kernel does the splitting.
    package func halves(at middle: UInt16) -> (SocketQuery, SocketQuery) {
        let upper: SocketFilter = .localPort >= middle || .remotePort >= middle
        var (first, second) = (self, self)
        first.filter = filter.map { upper && $0 } ?? upper
        second.filter = filter.map { !upper && $0 } ?? !upper
        return (first, second)
    }
}
