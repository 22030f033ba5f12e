internal import SockDiag
internal import TCPWatch

/// Finds the sockets that processes opened in a window and still hold.
///
/// ```swift
/// let search = try LeakSearch(LeakRules())                 // the window begins: what exists now does not count
/// // ...
/// let open = try search.heldSockets(by: ProcessIdentity.descendants())
/// ```
///
/// Who gives them time to go asks again until none is left or the ``GracePeriod`` is over.
package final class LeakSearch {
    /// The window in one network namespace.
    private final class Window {
        private var client: SockDiagClient
        private let query: SocketQuery
        private let rules: LeakMatcher
        private let namespace: NetworkNamespace?
        /// The sockets that were there before.
        private let older: Set<SocketCookie>

        init(_ rules: LeakRules, in namespace: NetworkNamespace?) throws(KernelError) {
            var client = try SockDiagClient(in: namespace)
            let matcher = try LeakMatcher(rules, for: &client, in: namespace)
            // In every state: one that counts later may not count yet.
            var older: Set<SocketCookie> = []
            try client.forEach { older.insert($0.cookie) }
            query = SocketQuery(states: rules.states, extensions: matcher.extensions.union(.info))
            self.rules = matcher
            self.client = client
            self.namespace = namespace
            self.older = older
        }

        func heldSockets(by processes: Set<ProcessIdentity>) throws(KernelError) -> [HeldSocket] {
            var found: [InetSocket] = []
            try client.forEach(query) { record in
                if record.inode != nil, !older.contains(record.cookie) { found.append(InetSocket(record)) }
            }
            guard !found.isEmpty else { return [] }
            let holders = try HolderSnapshot(of: found.compactMap(\.inode), in: processes)
            return found.compactMap { socket in
                let watched = WatchedSocket(socket: socket, namespace: namespace)
                let held = HeldSocket(watched, by: holders[socket.inode])
                return !held.holders.isEmpty && rules.counts(held.socket, isHeld: true) ? held : nil
            }
        }
    }

    private let windows: [Window]

    /// Begins a window in the network namespaces, or in the calling thread's where none is named.
    ///
    /// - Throws: ``/SockDiag/KernelError``, also where the filter names what is not there.
    package init(_ rules: LeakRules, in namespaces: [NetworkNamespace] = []) throws(KernelError) {
        var windows: [Window] = []
        if namespaces.isEmpty { windows.append(try Window(rules, in: nil)) }
        for namespace in namespaces { windows.append(try Window(rules, in: namespace)) }
        self.windows = windows
    }

    /// The sockets that appeared in the window, count, and are held by one of the processes now; with all their holders
    /// among these.
    ///
    /// It costs a dump, and where that shows a candidate, a pass over the processes' descriptors.
    ///
    /// - Throws: ``/SockDiag/KernelError``.
    package func heldSockets(by processes: Set<ProcessIdentity>) throws(KernelError) -> [HeldSocket] {
        guard !processes.isEmpty else { return [] }
        var held: [HeldSocket] = []
        for window in windows { held += try window.heldSockets(by: processes) }
        return held
    }
}
