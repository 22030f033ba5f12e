package import SockDiag
package import SocketValues

/// The TCP sockets of a network namespace: the connections by a walk of the kernel's table, all others by netlink.
///
/// What it yields is what ``/SockDiag/SockDiagClient/forEach(_:external:_:)`` yields, in the same order, but for the
/// attributes, of which there are none.
package struct TableReader: ~Copyable, Sendable {
    /// It also keeps the namespace alive, and so the table.
    private var client: SockDiagClient
    private var walker: TableWalker
    private let programs: WalkPrograms
    private let table: KernelTable
    private let namespace: NetworkNamespace
    private let purpose: TableWalker.Purpose
    private let needsNames: Bool
    private let access: WalkAccess
    /// About so many sockets there are, connections and others.
    package let count: Int

    init(
        _ access: WalkAccess,
        _ programs: WalkPrograms,
        _ table: KernelTable,
        of namespace: NetworkNamespace,
        for purpose: TableWalker.Purpose,
        needsNames: Bool,
        count: Int,
        client: consuming SockDiagClient,
        walker: consuming TableWalker
    ) {
        (self.access, self.programs, self.table, self.namespace) = (access, programs, table, namespace)
        (self.purpose, self.needsNames, self.count) = (purpose, needsNames, count)
        self.client = client
        self.walker = walker
    }

    /// A reader of the same table for another thread.
    ///
    /// - Throws: ``/SocketValues/KernelError``.
    package func fork() throws(KernelError) -> TableReader {
        TableReader(
            access,
            programs,
            table,
            of: namespace,
            for: purpose,
            needsNames: needsNames,
            count: count,
            client: try SockDiagClient(in: namespace),
            walker: try TableWalker(programs, for: purpose)
        )
    }

    /// Whether there may be sockets that answer the query, hold a port and have no connection, in one of the parts that are
    /// the whole together. Only a dump shows those, which walks all connections too; mostly there are none.
    ///
    /// - Throws: ``/SocketValues/KernelError``.
    package func mayHaveBound(
        _ query: SocketQuery,
        part: Int = 0,
        of parts: Int = 1
    ) throws(KernelError) -> Bool {
        guard !query.states.isDisjoint(with: [.bound, .closed]), programs.bound != nil else { return false }
        var walker = try TableWalker(programs, for: .bound)
        return try walker.mayFindBound(table, part: part, of: parts)
    }

    /// Calls `body` with every socket that answers the query and is no connection: listeners, then those that
    /// ``mayHaveBound(_:part:of:)`` is about, unless it is known that there are none.
    ///
    /// - Throws: ``/SocketValues/KernelError``, as ``/SockDiag/SockDiagClient/forEach(_:external:_:)`` does.
    package mutating func forEachOther(
        _ query: SocketQuery,
        mayHaveBound: Bool,
        external: (SocketFilter.External, borrowing SocketRecord) -> Bool,
        _ body: (borrowing SocketRecord) -> Void
    ) throws(KernelError) {
        var others = query
        others.states.formIntersection(.outsideConnections)
        if !mayHaveBound { others.states.formIntersection(.listen) }
        guard !others.states.isEmpty else { return }
        try client.forEach(others, external: external, body)
    }

    /// Calls `body` with every connection that answers the query, of one of the parts that together are the whole.
    ///
    /// Where the walk surprises, the rest is dumped.
    ///
    /// - Throws: ``/SocketValues/KernelError``: what `body` was called with until then is true, and not all.
    package mutating func forEachConnection(
        _ query: SocketQuery,
        part: Int = 0,
        of parts: Int = 1,
        external: (SocketFilter.External, borrowing SocketRecord) -> Bool,
        _ body: (borrowing SocketRecord) -> Void
    ) throws(KernelError) {
        var query = query
        query.states.subtract(.outsideConnections)
        let matcher = try query.filter.map { filter throws(KernelError) in try client.matcher(for: filter) }
        guard let narrowed = matcher.map({ $0.narrow(query) }) ?? query, !narrowed.states.isEmpty else { return }
        var walk = TableWalk(table, narrowed, part: UInt64(part), of: UInt64(parts))
        var nameless: [InetSocket] = []
        func check(_ socket: borrowing SocketRecord) {
            guard matcher?.matches(socket, external: { external($0, socket) }) ?? true else { return }
            if needsNames, socket.cookie.rawValue == 0 { nameless.append(InetSocket(socket)) } else { body(socket) }
        }
        do throws(KernelError) {
            var isUnderWay = true
            while isUnderWay {
                isUnderWay = try walker.advance(&walk, check)
                for socket in nameless { try name(socket, body) }
                nameless.removeAll(keepingCapacity: true)
            }
        } catch {
            guard error.code == .inconsistentDump else { throw error }
            access.refuse(error)
            let shown = try endpoints(outside: walk.rest)
            try client.forEach(query, external: external) { if !shown.contains(Endpoints($0)) { body($0) } }
        }
    }

    /// Counts the connections that answer the query, by the numbers of their states. The query has no filter.
    ///
    /// - Throws: ``/SocketValues/KernelError``.
    package mutating func countConnections(
        _ query: SocketQuery,
        part: Int = 0,
        of parts: Int = 1
    ) throws(KernelError) -> [Int] {
        var walk = TableWalk(table, query, part: UInt64(part), of: UInt64(parts))
        var counts = [Int](repeating: 0, count: TCPState.countOfNumbers)
        try walker.count(&walk, into: &counts)
        return counts
    }

    /// Asks for a socket that has no name yet, which gives it one, and passes it on: without attributes, as the others are. One that is gone is left out.
    private mutating func name(
        _ socket: InetSocket,
        _ body: (borrowing SocketRecord) -> Void
    ) throws(KernelError) {
        var identity = socket.identity
        identity.cookie = .any
        guard let found = try client.socket(identity) else { return }
        try found.withMessage { message throws(KernelError) in
            body(SocketRecord(checked: message.extracting(first: InetDiagMessage.size)))
        }
    }

    /// What distinguishes the connections of one moment.
    private struct Endpoints: Hashable {
        let local, remote: SocketEndpoint
        let interface: NetworkInterface?

        init(_ socket: borrowing SocketRecord) {
            (local, remote, interface) = (socket.local, socket.remote, socket.interface)
        }
    }

    private mutating func endpoints(outside rest: Range<UInt64>) throws(KernelError) -> Set<Endpoints> {
        var shown: Set<Endpoints> = []
        for chains in [0..<rest.lowerBound, rest.upperBound..<table.bucketCount] {
            var walk = TableWalk(table, chains)
            while try walker.advance(&walk, { shown.insert(Endpoints($0)) }) {}
        }
        return shown
    }
}
