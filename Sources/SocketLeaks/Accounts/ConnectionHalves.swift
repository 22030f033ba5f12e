internal import SockDiag

/// Connections of which both endpoints lie in one process: finds the other socket of each.
package struct ConnectionHalves: Sendable {
    /// A connection by both endpoints. One of them is not enough: clients of several servers may have the same port.
    package struct Connection: Hashable, Sendable {
        private let client: SocketEndpoint
        private let server: SocketEndpoint

        /// The same from whichever side, and in whichever family. Who connects to no address is connected to its own.
        package init(client: SocketEndpoint, server: SocketEndpoint) {
            self.client = SocketEndpoint(client.address.unmapped, port: client.port)
            let address = server.address.isAny ? client.address : server.address
            self.server = SocketEndpoint(address.unmapped, port: server.port)
        }
    }

    private var first: [Connection: SocketCookie] = [:]

    /// An empty table.
    package init() {}

    /// The other socket of a connection; nil where this one is the first, and then it is remembered.
    package mutating func other(of cookie: SocketCookie, in connection: Connection) -> SocketCookie? {
        if let other = first.removeValue(forKey: connection), other != cookie { return other }
        first[connection] = cookie
        return nil
    }
}
