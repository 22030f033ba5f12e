package import SockDiag

/// Leak rules, ready for the sockets of one network namespace.
package struct LeakMatcher {
    private let states: TCPStateSet
    private let ignored: WatchFilter?

    /// What has to be asked of the kernel for it.
    package var extensions: SocketExtensions { ignored?.extensions ?? [] }

    /// - Throws: ``/SockDiag/SockDiagError`` where the filter names what is not there.
    package init(
        _ rules: LeakRules,
        for client: inout SockDiagClient,
        in namespace: NetworkNamespace? = nil
    ) throws(SockDiagError) {
        states = rules.states
        if let filter = rules.ignored {
            ignored = try WatchFilter(filter, for: &client, in: namespace)
        } else {
            ignored = nil
        }
    }

    /// Whether the socket counts as leaked where its holders keep it open.
    package func counts(_ socket: WatchedSocket) -> Bool {
        states.contains(socket.state) && ignored?.finds(socket, of: socket.owners) != true
    }
}

extension WatchedSocket {
    /// A socket of the calling thread's network namespace and its holders.
    package init(_ socket: TCPSocket, heldBy owners: [SocketOwner]) {
        self.init(socket: socket, namespace: nil, owners: owners)
    }
}
