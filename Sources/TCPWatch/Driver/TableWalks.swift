internal import LinuxSystem
internal import SockDiag
internal import TableWalk

/// Walks of the kernel's table of connections, in the place of dumps that take long; for all watchers of an engine. Belongs to
/// one thread at a time.
final class TableWalks {
    private let access = WalkAccess()
    // A program each, loaded when it is used first.
    private var rows: TableWalker?
    private var bound: TableWalker?
    /// Whether dumps take so long that walking pays.
    private(set) var isWorthwhile = false

    /// A dump that takes more of a processor is walked from then on, nanoseconds; a walk that takes less is dumped again.
    private let (longDump, shortWalk): (UInt64, UInt64)
    /// So many sockets without a name are asked for theirs one by one; where there are more, a dump is sooner done.
    static let greatestNameless = 1024

    init(longDump: UInt64 = 5_000_000, shortWalk: UInt64 = 1_500_000) {
        (self.longDump, self.shortWalk) = (longDump, shortWalk)
    }

    /// What a dump, or a walk in its place, has taken of a processor.
    func note(_ cost: UInt64, isWalk: Bool) {
        isWorthwhile = isWalk ? cost > shortWalk : isWorthwhile || cost > longDump
    }

    /// The table of a namespace, which the caller keeps alive; nil where it cannot be walked.
    func table(in namespace: NetworkNamespace) -> KernelTable? {
        guard access.refusal == nil, let table = try? access.table(in: namespace) else {
            isWorthwhile = false
            return nil
        }
        return table
    }

    /// The states of a query that have to be dumped, because no walk shows them: those without a connection only where there
    /// may be a socket in one, by a search of all that hold a port; nil where none can be made.
    func statesToDump(
        _ states: TCPStateSet,
        _ table: KernelTable,
        searches: Bool,
        _ drain: () -> Void
    ) -> TCPStateSet? {
        let others = states.intersection(.outsideConnections)
        guard !others.isDisjoint(with: .unconnected) else { return others }
        guard searches, access.knowsBound else { return others.intersection(.listen) }
        if bound == nil { bound = access.walker(for: .bound) }
        guard let mayBe = try? bound?.mayFindBound(table, betweenCalls: drain) else { return nil }
        return mayBe ? others : others.intersection(.listen)
    }

    /// Walks on; whether there is more.
    ///
    /// - Throws: ``/SockDiag/KernelError``: what was reported is true, and from now on all is dumped.
    func advance(_ walk: inout TableWalk, _ body: (borrowing SocketRecord) -> Void) throws(KernelError) -> Bool {
        do throws(KernelError) {
            if rows == nil { rows = access.walker(for: .rows) }
            if let isUnderWay = try rows?.advance(&walk, body) { return isUnderWay }
            throw access.refusal ?? KernelError(.system, operation: "load the program of a table walk")
        } catch {
            access.refuse(error)
            isWorthwhile = false
            throw error
        }
    }
}
