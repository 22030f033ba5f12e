internal import BPF
internal import LinuxSystem
internal import SockDiag
package import SocketValues
internal import Synchronization

/// Whether the kernel's table can be walked here, tried once; and readers of it where that pays.
///
/// It is tried by doing it: the programs are made and loaded, and before a namespace's table is used, a part of it is counted
/// and compared with what the kernel itself says of the number of sockets (`sockstat`). What goes wrong is reported once, and
/// from then on the sockets are dumped.
package final class WalkAccess: Sendable {
    private enum State: Sendable {
        case untried
        case usable(WalkPrograms)
        case refused(KernelError)
    }

    private let state = Mutex(State.untried)
    /// Told why the walk is given up, where it had seemed possible.
    private let complain: @Sendable (KernelError) -> Void

    /// With fewer sockets a dump is done before the programs are loaded.
    package static let worthwhile = 40_000
    /// With fewer a second thread, which takes a program of its own, is no faster.
    package static let large = 100_000

    package init(complain: @escaping @Sendable (KernelError) -> Void = { _ in }) { self.complain = complain }

    /// Why the sockets are dumped; nil where the table is walked.
    package var refusal: KernelError? {
        _ = programs
        return state.withLock { if case .refused(let error) = $0 { error } else { nil } }
    }

    /// From now on the sockets are dumped.
    package func refuse(_ error: KernelError) {
        let isNew = state.withLock { state in
            if case .refused = state { return false }
            state = .refused(error)
            return true
        }
        if isNew { complain(error) }
    }

    /// Made once.
    private var programs: WalkPrograms? {
        state.withLock { state in
            if case .untried = state {
                do throws(KernelError) {
                    try Self.requirePrivilege()
                    state = .usable(try WalkPrograms())
                } catch {
                    state = .refused(error)
                }
            }
            return if case .usable(let programs) = state { programs } else { nil }
        }
    }

    /// A machine that is locked down to confidentiality is no obstacle: no helper is used that reads the kernel's memory.
    private static func requirePrivilege() throws(KernelError) {
        let missing = BPFSupport.here().missing.filter { $0 != .openness }
        guard let first = missing.first else { return }
        throw KernelError(
            first == .privilege ? .missingCapability : .kernelTooOld,
            operation: "walk the kernel's table of sockets",
            detail: "it takes \(first.description)",
            remedy: first.remedy
        )
    }

    /// Makes a reader of a namespace's table; none where a dump is the better way: few sockets, no privilege, another kernel.
    ///
    /// With `needsNames` each socket has to have its cookie: where many have none yet, a dump is better, and gives all of them
    /// theirs. It pays from `worthwhile` sockets on.
    ///
    /// - Throws: ``/SocketValues/KernelError`` where the namespace cannot be entered.
    package func reader(
        for purpose: TableWalker.Purpose,
        in namespace: NetworkNamespace?,
        needsNames: Bool = false,
        worthwhile: Int = worthwhile
    ) throws(KernelError) -> TableReader? {
        guard let survey = try survey(namespace, worthwhile), !needsNames || survey.hasNames, let programs else {
            return nil
        }
        let here = if let namespace { namespace } else { try NetworkNamespace.current }
        // It keeps the namespace alive, and is there only if that still is.
        let client = try SockDiagClient(in: namespace)
        return try survey.reader(self, programs, of: here, for: purpose, needsNames: needsNames, client: client)
    }

    /// The table of a namespace, for whoever keeps that alive; nil where it cannot be walked.
    ///
    /// - Throws: ``/SocketValues/KernelError`` where the namespace cannot be entered.
    package func table(in namespace: NetworkNamespace?) throws(KernelError) -> KernelTable? {
        try survey(namespace, 0)?.table
    }

    /// A walker of any table; nil where there is none.
    package func walker(for purpose: TableWalker.Purpose) -> TableWalker? {
        guard let programs, purpose != .bound || programs.bound != nil else { return nil }
        do throws(KernelError) {
            return try TableWalker(programs, for: purpose)
        } catch {
            refuse(error)
            return nil
        }
    }

    /// Whether a dump shows sockets without a connection at all.
    package var knowsBound: Bool { programs?.bound != nil }

    private func survey(_ namespace: NetworkNamespace?, _ worthwhile: Int) throws(KernelError) -> Survey? {
        let here = if let namespace { namespace } else { try NetworkNamespace.current }
        return try here.run { () throws(KernelError) -> Survey? in
            let count = Self.socketCount
            guard count >= worthwhile, let programs = self.programs else { return nil }
            do throws(KernelError) {
                return try Survey(programs, of: count)
            } catch {
                self.refuse(error)
                return nil
            }
        }
    }

    /// About so many TCP sockets there are in the calling thread's network namespace, by the kernel's own count.
    private static var socketCount: Int {
        let (ipv4, ipv6) = (SocketStatistics.ipv4, SocketStatistics.ipv6)
        return [ipv4["inuse"], ipv4["tw"], ipv6["inuse"]].reduce(0) { $0 + (Int(exactly: $1 ?? 0) ?? 0) }
    }
}

/// A part of a table, counted: whether the walk finds what is there.
private struct Survey: ~Copyable, Sendable {
    let counter: TableWalker
    let table: KernelTable
    /// Whether nearly all of the sockets have a cookie.
    let hasNames: Bool
    /// How many sockets the kernel counts.
    let count: Int

    /// So many sockets are enough to judge by.
    private static let sample = 1024

    init(_ programs: WalkPrograms, of count: Int) throws(KernelError) {
        var counter = try TableWalker(programs, for: .counts)
        let table = try counter.table()
        let parts = max(1, min(count / Self.sample, Int(clamping: table.bucketCount)))
        var walk = TableWalk(table, SocketQuery(), part: 0, of: UInt64(parts))
        var counts = [Int](repeating: 0, count: TCPState.countOfNumbers)
        let nameless = try counter.count(&walk, into: &counts)
        // Requests are not among the kernel's count. Sockets are spread over the chains by chance.
        let found = counts.reduce(0, +) - counts[Int(TCPState.synReceived.rawValue)]
        guard found >= count / parts / 2, found <= 2 * count / parts + Self.sample else {
            throw KernelError(
                .inconsistentDump,
                operation: "walk the kernel's table of sockets",
                detail: "a part of it had \(found) where \(count / parts) were expected",
                remedy: "have the kernel dump them"
            )
        }
        self.counter = counter
        self.table = table
        self.count = count
        hasNames = nameless <= found / 8
    }

    /// A reader of the table, with the walker that has counted where counting is what it is for.
    consuming func reader(
        _ access: WalkAccess,
        _ programs: WalkPrograms,
        of namespace: NetworkNamespace,
        for purpose: TableWalker.Purpose,
        needsNames: Bool,
        client: consuming SockDiagClient
    ) throws(KernelError) -> TableReader {
        let (table, count) = (table, count)
        let walker = purpose == .counts ? counter : try TableWalker(programs, for: purpose)
        return TableReader(
            access,
            programs,
            table,
            of: namespace,
            for: purpose,
            needsNames: needsNames,
            count: count,
            client: client,
            walker: walker
        )
    }
}

extension TCPState {
    /// The numbers that a state can have in the kernel's answers begin at 0.
    package static var countOfNumbers: Int { 16 }
}
