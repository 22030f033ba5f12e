internal import SockDiag

/// What the kernel measured of sockets that are not known yet. Their TIME_WAIT, which is seen next, has another cookie, so
/// they are found by their endpoints.
package struct StrayCounters: Sendable {
    private var counters: [SocketIdentity: FinalCounters] = [:]
    /// The number that is kept; then it begins anew.
    private static let limit = 4096

    /// Nothing was measured.
    package init() {}

    /// Keeps what was measured of a socket.
    package mutating func insert(_ new: FinalCounters, of identity: SocketIdentity) {
        if counters.count == Self.limit { counters.removeAll() }
        counters[identity.withoutCookie] = new
    }

    /// Takes out what was measured of a connection.
    package mutating func remove(_ identity: SocketIdentity) -> FinalCounters? {
        counters.isEmpty ? nil : counters.removeValue(forKey: identity.withoutCookie)
    }
}

extension SocketIdentity {
    /// The connection's endpoints alone.
    fileprivate var withoutCookie: SocketIdentity {
        var identity = self
        identity.cookie = .any
        return identity
    }
}
