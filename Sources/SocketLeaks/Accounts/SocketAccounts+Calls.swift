internal import SockDiag

/// Calls that make a socket or a connection, seen where they are made. Each socket was seen before
/// (``see(_:heldBy:at:)``).
extension SocketAccounts {
    /// A socket was made by a call.
    ///
    /// - Parameters:
    ///   - cookie: The socket.
    ///   - caller: Whose the call was; nil where it is not known.
    package mutating func noteMade(_ cookie: SocketCookie, by caller: Attribution?) {
        if let caller { accounts[cookie]?.attribution = caller }
    }

    /// A connection was begun: its own endpoint is known from now on.
    package mutating func noteConnecting(
        _ cookie: SocketCookie,
        from local: SocketEndpoint?,
        to peer: SocketEndpoint?
    ) {
        accounts[cookie]?.sides.take(.active, by: .call)
        setEndpoints(of: cookie, local, peer)
        if let local, let peer { join(cookie, ConnectionHalves.Connection(client: local, server: peer)) }
    }

    /// A connection was accepted: it is the listener's, as far as that is known; else the caller's.
    package mutating func noteAccepted(
        _ cookie: SocketCookie,
        from listener: SocketCookie?,
        at local: SocketEndpoint?,
        of client: SocketEndpoint?,
        by caller: Attribution?
    ) {
        accounts[cookie]?.sides.take(.passive, by: .call)
        setEndpoints(of: cookie, local, client)
        if let server = listener.flatMap({ accounts[$0]?.attribution }), server.isKnown {
            accounts[cookie]?.attribution = server
        } else {
            noteMade(cookie, by: caller)
        }
        if let local, let client { join(cookie, ConnectionHalves.Connection(client: client, server: local)) }
    }

    private mutating func setEndpoints(of cookie: SocketCookie, _ local: SocketEndpoint?, _ peer: SocketEndpoint?) {
        if let local { accounts[cookie]?.identity.local = local }
        if let peer {
            accounts[cookie]?.identity.remote = peer
            accounts[cookie]?.identity.family = peer.address.family
        }
    }

    /// Both sockets of a connection within this process belong to whom the client's belongs to, else to whom the server's
    /// does. Which of them is noted first depends on the threads.
    private mutating func join(_ cookie: SocketCookie, _ connection: ConnectionHalves.Connection) {
        guard let whole = accounts[cookie], let other = halves.other(of: cookie, in: connection) else { return }
        guard let half = accounts[other] else {
            // It has gone: this one is the first.
            _ = halves.other(of: cookie, in: connection)
            return
        }
        let (client, server) = whole.side == .active ? (whole, half) : (half, whole)
        let known = client.attribution.isKnown ? client.attribution : server.attribution
        guard known.isKnown else { return }
        for socket in [cookie, other] { accounts[socket]?.attribution = known }
    }
}
