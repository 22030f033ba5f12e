internal import LinuxSystem
internal import SockDiag
internal import SocketOwners
internal import Synchronization
internal import TCPDiagnosis
internal import TCPRecords
internal import TCPWatch
internal import TableWalk

/// The source of a command's sockets: the namespaces, what the kernel is asked, and who holds what.
struct SocketSource: Sendable {
    /// The questions about sockets over IP, a protocol each.
    let queries: [SocketQuery]
    /// The question about UNIX sockets; nil where nobody asks.
    let unixQuery: UnixSocketQuery?
    /// Nil where nobody asks.
    let owners: OwnerSnapshot?
    /// The sockets in CLOSED that no dump lists; none where nobody asks.
    private let unlisted: [NetworkNamespace: [WatchedSocket]]
    private let namespaces: [NetworkNamespace]
    /// Whether a socket that somebody holds showed no owner.
    private let missesOwners = Flag()
    /// Whether every namespace is meant, and one that is gone or closed to this user is no failure.
    private let takesWhatItGets: Bool
    /// Whether what is asked for is in the fixed part of the kernel's messages: then its table may be walked instead.
    private let isInFixedPart: Bool
    private let access = WalkAccess { error in TCPStates.complain("\(error); so it does now") }
    /// From so many sockets on the table is walked.
    var walksFrom = WalkAccess.worthwhile
    /// From so many on by two threads, where a processor has nothing else to do.
    var sharesFrom = WalkAccess.large
    /// How many have nothing to do.
    var idleProcessors: @Sendable () -> Int = { Processors.idle }

    init(
        _ selection: SelectionOptions,
        _ namespaces: NamespaceOptions,
        _ filter: FilterArguments,
        _ families: FamilyOptions? = nil,
        details: SocketDetails = []
    ) throws {
        let filter = try filter.filter
        queries =
            try families.map { try selection.queries($0, details, filter) }
            ?? [selection.query(details.extensions, filter)]
        isInFixedPart = details.isDisjoint(with: .attributes) && filter?.readsAttributes != true
        unixQuery = try families.flatMap { try selection.unixQuery($0, details, filter) }
        let wanted = WantedProcesses(filter)
        if details.contains(.processes) {
            owners = Self.everyOwner()
        } else {
            owners = try wanted.selection.map { try OwnerSnapshot(in: $0) }
        }
        // What a process cannot be asked for, a filter leaves out in silence.
        if wanted.selection != nil { missesOwners.raise() }
        takesWhatItGets = namespaces.all || (wanted.needsEveryNamespace && !namespaces.isGiven)
        self.namespaces =
            takesWhatItGets
            ? Array(try NetworkNamespace.all()) : try namespaces.namespaces(labelled: details.contains(.namespace))
        let isAsked = families?.families.contains(.tcp) != false && selection.asksForClosed(filter)
        unlisted = isAsked ? Self.unlisted(wanted.selection, in: self.namespaces, selection.family) : [:]
    }

    /// The sockets in CLOSED that no dump lists. What of them cannot be found is said once.
    private static func unlisted(
        _ processes: ProcessSelection?,
        in namespaces: [NetworkNamespace],
        _ family: AddressFamily?
    ) -> [NetworkNamespace: [WatchedSocket]] {
        do throws(KernelError) {
            let found = try UnlistedSockets(of: processes ?? .all)
            if let shortfall = found.shortfall { TCPStates.complain(shortfall) }
            return Dictionary(namespaces.map { ($0, found.sockets(in: $0, family)) }) { first, _ in first }
        } catch {
            TCPStates.complain("\(error)")
            return [:]
        }
    }

    /// Calls `body` with the sockets of a namespace that no dump lists and that the filter finds.
    func forEachUnlisted(in namespace: NetworkNamespace, _ body: (WatchedSocket) -> Void) throws(KernelError) {
        guard let sockets = unlisted[namespace], !sockets.isEmpty else { return }
        let filter = queries.first { $0.protocol == .tcp }?.filter
        var client = try SockDiagClient(in: namespace)
        let matcher = try filter.map { filter throws(KernelError) in try client.matcher(for: filter) }
        for socket in sockets {
            let isFound = matcher?.matches(socket) { holds($0, for: socket.inode, in: namespace) } ?? true
            if isFound { body(socket) }
        }
    }

    /// Who holds what; nobody where it cannot be known, which costs an answer its owners and no sockets.
    private static func everyOwner() -> OwnerSnapshot {
        do throws(KernelError) { return try OwnerSnapshot() } catch {
            TCPStates.complain("\(error)")
            return OwnerSnapshot(owners: [:])
        }
    }

    /// Calls `body` with each namespace in turn. One that is gone meanwhile, or that this user may not enter, loses only
    /// itself; that is said once, and is a failure where it was named.
    func forEachNamespace(_ body: (NetworkNamespace) throws(KernelError) -> Void) throws(KernelError) {
        var refused: [KernelError] = []
        for namespace in namespaces {
            do throws(KernelError) {
                try body(namespace)
            } catch  where takesWhatItGets || namespaces.count > 1 {
                if !takesWhatItGets || error.code != .notFound { refused.append(error) }
            }
        }
        guard let first = refused.first else { return }
        guard takesWhatItGets else { throw first }
        TCPStates.complain(ofRefused: refused)
    }

    /// Calls `body` with each socket of a namespace that the query finds.
    func forEach(
        in namespace: NetworkNamespace,
        _ query: SocketQuery,
        _ body: (borrowing SocketRecord) -> Void
    ) throws(KernelError) {
        var client = try SockDiagClient(in: namespace)
        try client.forEach(query, external: { holds($0, for: $1.inode, in: namespace) }) { socket in
            noteOwner(of: socket.inode)
            body(socket)
        }
    }

    /// A reader of the kernel's table, for a query about TCP; nil where a dump is asked for, or is the better way.
    func reader(
        for purpose: TableWalker.Purpose,
        of query: SocketQuery,
        in namespace: NetworkNamespace,
        needsNames: Bool = false
    ) throws(KernelError) -> TableReader? {
        guard query.protocol == .tcp, isInFixedPart, query.extensions.isEmpty,
            // Of other states there are few: to pass over the rest is cheap for a dump too.
            !query.states.isDisjoint(with: [.established, .timeWait])
        else { return nil }
        let needsNames = needsNames || query.filter?.readsCookie == true
        return try access.reader(for: purpose, in: namespace, needsNames: needsNames, worthwhile: walksFrom)
    }

    /// Remembers a socket that somebody holds, and who is not known.
    func noteOwner(of inode: UInt32?) {
        if let owners, let inode, !owners.contains(inode) { missesOwners.raise() }
    }

    /// Says on standard error what privilege is missing, where that cost an answer something.
    func reportMissingOwners() {
        guard var coverage = owners?.coverage, !coverage.isComplete, missesOwners.isRaised else { return }
        // In a container there mostly is nobody outside who holds a connection of its own, and one may have come meanwhile.
        if coverage.isConfined, unixQuery == nil, queries.allSatisfy({ $0.protocol == .tcp }) {
            coverage.isConfined = (try? ScanCoverage.probe())?.isConfined ?? true
        }
        guard !coverage.isComplete else { return }
        TCPStates.complain(coverage.description)
    }

    func holds(
        _ condition: SocketFilter.External,
        for inode: UInt32?,
        in namespace: NetworkNamespace
    ) -> Bool {
        switch condition {
        case .pid(let pid): owners?[inode].contains { $0.pid == pid } ?? false
        case .process(let name): owners?[inode].contains { $0.name == ProcessName(name) } ?? false
        case .networkNamespace(let name): namespace.isCalled(name)
        }
    }
}

/// What a filter asks of processes and namespaces.
private struct WantedProcesses {
    private var pids: Set<Int32> = []
    private var names: Set<ProcessName> = []
    private(set) var needsEveryNamespace = false

    init(_ filter: SocketFilter?) {
        for external in filter?.externals ?? [] {
            switch external {
            case .pid(let pid): pids.insert(pid)
            case .process(let name): names.insert(ProcessName(name))
            case .networkNamespace: needsEveryNamespace = true
            }
        }
    }

    /// The processes that have to be examined; nil where none.
    var selection: ProcessSelection? {
        pids.isEmpty && names.isEmpty ? nil : ProcessSelection(pids: pids, names: names)
    }
}

extension SocketDetails {
    /// What attributes of the kernel's messages tell, and their fixed part does not.
    fileprivate static let attributes: SocketDetails = [.info, .memory, .extended, .service, .options]
}

/// Something that any thread may find, and that is reported once.
private final class Flag: Sendable {
    private let value = Atomic(false)

    var isRaised: Bool { value.load(ordering: .relaxed) }

    func raise() { if !isRaised { value.store(true, ordering: .relaxed) } }
}

extension SocketSource {
    /// Counts every socket; where there are many in one namespace, in two halves by two threads.
    func tally(by keys: [GroupKey]) throws(KernelError) -> Tally {
        var tally = Tally(keys: keys)
        guard let query = queries.first else { return tally }
        try forEachNamespace { namespace throws(KernelError) in
            var names = RecordNames()
            try forEachUnlisted(in: namespace) { tally.count($0, in: namespace, owners: owners, names: &names) }
            if try count(query, in: namespace, into: &tally) { return }
            guard let split = try DumpSplit(of: query, in: namespace) else {
                return tally.add(try self.tally(of: query, in: namespace, by: keys))
            }
            let (upper, lower) = try concurrently { () throws(KernelError) in
                try self.tally(of: split.halves.0, in: namespace, by: keys)
            } _: { () throws(KernelError) in
                try self.tally(of: split.halves.1, in: namespace, by: keys)
            }
            tally.add(upper)
            tally.add(lower)
        }
        reportMissingOwners()
        return tally
    }

    /// Counts the sockets of a namespace by a walk of the kernel's table; false where that is no way, and nothing was
    /// counted.
    private func count(
        _ query: SocketQuery,
        in namespace: NetworkNamespace,
        into tally: inout Tally
    ) throws(KernelError) -> Bool {
        // By state alone the kernel's program counts, and no socket is looked at here.
        let isByState = tally.keys == [.state] && query.filter == nil
        guard var reader = try reader(for: isByState ? .counts : .rows, of: query, in: namespace) else { return false }
        var counted = Tally(keys: tally.keys)
        var names = RecordNames()
        func holds(_ condition: SocketFilter.External, _ socket: borrowing SocketRecord) -> Bool {
            self.holds(condition, for: socket.inode, in: namespace)
        }
        func count(_ socket: borrowing SocketRecord) {
            noteOwner(of: socket.inode)
            counted.count(socket, in: namespace, owners: owners, names: &names)
        }
        var mayHaveBound = false
        do throws(KernelError) {
            if isByState {
                let (counts, mayBe) = try countConnections(query, by: &reader)
                counted.add(states: counts)
                mayHaveBound = mayBe
            } else {
                try reader.forEachConnection(query, external: holds, count)
                mayHaveBound = try reader.mayHaveBound(query)
            }
        } catch {
            guard error.code == .inconsistentDump else { throw error }
            access.refuse(error)
            return false
        }
        try reader.forEachOther(query, mayHaveBound: mayHaveBound, external: holds, count)
        tally.add(counted)
        return true
    }

    /// Counts the connections by state, and says whether there may be sockets without one; in two halves where a processor is
    /// idle.
    private func countConnections(
        _ query: SocketQuery,
        by reader: inout TableReader
    ) throws(KernelError) -> (counts: [Int], mayHaveBound: Bool) {
        guard reader.count >= sharesFrom, idleProcessors() > 0 else {
            return (try reader.countConnections(query), try reader.mayHaveBound(query))
        }
        let other = Handed(try reader.fork())
        let (first, second) = try concurrently { () throws(KernelError) in
            (try reader.countConnections(query, part: 0, of: 2), try reader.mayHaveBound(query, part: 0, of: 2))
        } _: { () throws(KernelError) in
            try other.use { reader throws(KernelError) in
                (try reader.countConnections(query, part: 1, of: 2), try reader.mayHaveBound(query, part: 1, of: 2))
            }
        }
        return (zip(first.0, second.0).map(+), first.1 || second.1)
    }

    private func tally(
        of query: SocketQuery,
        in namespace: NetworkNamespace,
        by keys: [GroupKey]
    ) throws(KernelError) -> Tally {
        var tally = Tally(keys: keys)
        var names = RecordNames()
        try forEach(in: namespace, query) { tally.count($0, in: namespace, owners: owners, names: &names) }
        return tally
    }
}

extension SocketSource {
    /// Counts the sockets of a namespace, its listeners first, and reads the kernel's counters and settings there.
    func metrics(of namespace: NetworkNamespace, _ options: SocketGauges.Options) throws(KernelError) -> [MetricFamily]
    {
        guard let query = queries.first else { return [] }
        let settings = try KernelSettings(of: namespace)
        var gauges = SocketGauges(options, settings: settings)
        // The kernel lists listeners first in each dump, and what both families have in one.
        try forEach(in: namespace, query) { socket in
            gauges.count(SocketGauges.Visit(socket, process: owners?[socket.inode].first?.name))
        }
        try forEachUnlisted(in: namespace) { gauges.count(SocketGauges.Visit($0, process: $0.owners.first?.name)) }
        return gauges.families + MetricFamily.kernel(try KernelCounters(of: namespace), settings)
    }
}
