package import SockDiag
package import TCPWatch

/// Leak rules, ready for the sockets of one network namespace.
package struct LeakMatcher {
    private let states: TCPStateSet
    private let countsUnheld: Bool
    private let ignored: WatchFilter?

    /// What has to be asked of the kernel for it.
    package var extensions: SocketExtensions { ignored?.extensions ?? [] }

    /// - Throws: ``/SockDiag/KernelError`` where the filter names what is not there.
    package init(
        _ rules: LeakRules,
        for client: inout SockDiagClient,
        in namespace: NetworkNamespace? = nil
    ) throws(KernelError) {
        states = rules.states
        countsUnheld = rules.countsUnheld
        if let filter = rules.ignored {
            ignored = try WatchFilter(filter, for: &client, in: namespace)
        } else {
            ignored = nil
        }
    }

    /// Whether the socket counts as leaked where it is still there at the end of the scope and of its ``GracePeriod``.
    package func counts(_ socket: WatchedSocket, isHeld: Bool) -> Bool {
        (isHeld || countsUnheld) && states.contains(socket.state)
            && ignored?.finds(socket, of: socket.owners) != true
    }
}
