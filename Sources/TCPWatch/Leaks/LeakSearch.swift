package import SockDiag
package import SocketOwners

/// Finds the sockets that processes opened in a window and still hold.
///
/// ```swift
/// var search = try LeakSearch(LeakRules())                 // the window begins: what exists now is not looked at
/// // ...
/// let open = try search.heldSockets(by: ProcessSelection(pids: [getpid()]))
/// ```
///
/// Who wants to give them time to go looks again until none is left or ``LeakRules/settleTime`` has passed.
package struct LeakSearch: ~Copyable {
    private var client: SockDiagClient
    private let query: SocketQuery
    private let rules: LeakMatcher
    private let namespace: NetworkNamespace?
    /// The sockets that were there before.
    private let older: Set<SocketCookie>

    /// Begins a window in a network namespace, or in the calling thread's.
    ///
    /// - Throws: ``/SockDiag/SockDiagError``, also where the filter names what is not there.
    package init(_ rules: LeakRules, in namespace: NetworkNamespace? = nil) throws(SockDiagError) {
        var client = if let namespace { try SockDiagClient(in: namespace) } else { try SockDiagClient() }
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

    /// The sockets that appeared in the window, count, and are held by one of the processes now; with all their owners
    /// among these.
    ///
    /// It costs a dump, and where that shows a candidate, a pass over the processes' descriptors.
    ///
    /// - Throws: ``/SockDiag/SockDiagError``.
    package mutating func heldSockets(by processes: ProcessSelection) throws(SockDiagError) -> [WatchedSocket] {
        var found: [TCPSocket] = []
        let older = older
        try client.forEach(query) { record in
            if record.inode != nil, !older.contains(record.cookie) { found.append(TCPSocket(record)) }
        }
        guard !found.isEmpty else { return [] }
        let owners = try OwnerSnapshot(of: found.compactMap(\.inode), in: processes)
        return found.compactMap { socket in
            let held = WatchedSocket(socket: socket, namespace: namespace, owners: owners[socket.inode])
            return !held.owners.isEmpty && rules.counts(held) ? held : nil
        }
    }
}
