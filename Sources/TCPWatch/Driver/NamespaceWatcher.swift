internal import ConnectionTracking
internal import KernelTrace
internal import LinuxSystem
internal import SockDiag
internal import SocketOwners
internal import TableWalk

/// Carries a tracker's questions to the kernel, and the kernel's answers to the tracker, for one network namespace. Belongs to
/// one thread at a time, and decides nothing about connections.
final class NamespaceWatcher {
    typealias Tracker = ConnectionTracking.ConnectionTracker

    /// The number of the namespace among those of the watcher.
    let number: UInt32
    /// The inode of the namespace, by which tracepoints name it.
    let inode: UInt32
    /// What it is called, to the end; nil where none was named.
    let namespace: NetworkNamespace?
    /// Where it was found last: its name may be gone before it is.
    private var place: NetworkNamespace?
    private var configuration: SocketWatcher.Configuration
    private let stream: WatchStream
    private var client: SockDiagClient
    private var monitor: DestroyMonitor?
    private var lost = CounterDelta()
    private(set) var tracker: Tracker
    private var filter: WatchFilter?
    private var owners: OwnerMemory?
    /// Before this moment `/proc` is not read again, monotonic nanoseconds.
    private var nextOwnerScan: UInt64 = 0
    private(set) var schedule: DumpSchedule
    /// What walks the kernel's table where a dump of it takes long.
    private let walks: TableWalks
    /// The table, once it is walked.
    private var table: KernelTable?
    /// The dumps that are no longer walked: where nobody names sockets as they come, most of what they show has no name.
    private var namelessScopes: Set<DumpScope> = []
    /// Whether the last search for sockets without a connection has found one, and when the next is due at the latest.
    private var hasUnconnected = true
    private var nextSearch: UInt64 = 0
    /// Where it is found: also where none was named.
    private let home: NetworkNamespace?
    private var outputs: [Output] = []
    /// How many of ``outputs`` have been carried out: there is one for each socket where all are reported.
    private var carriedOut = 0
    /// The time of the input that they follow from.
    private var outputTime = EventTime(monotonicNanoseconds: 0, realtimeNanoseconds: 0)
    /// The memory of the rows of one datagram, used again for the next.
    private var rowBuffer: [SocketRow] = []
    /// Questions that the kernel has not been asked yet, from ``nextLookup`` on.
    private var lookups: [Lookup] = []
    private var nextLookup = 0
    /// The kernel's messages about what exists, until it is reported.
    private var existing = ExistingSockets()
    private var keepsExisting: Bool
    private var isResynchronizing = false
    /// The dump that is under way.
    private var dump: DumpUnderWay?
    /// Whether the first dump has been made.
    private(set) var hasBegun = false
    /// How many dumps and lookups have been made so far.
    private(set) var (dumpCount, lookupCount): (UInt64, UInt64) = (0, 0)
    /// How many of the dumps were walks.
    private(set) var walkCount: UInt64 = 0
    /// How many messages about destroyed sockets have been read so far.
    private(set) var messageCount: UInt64 = 0
    /// What ``markMessages()`` has destroyed; nil once the kernel has said so.
    private(set) var mark: SocketCookie?

    /// So many lookups are made, or messages read, before the ring is read again.
    private static let batch = 256
    /// So late a socket that is bound and no more is reported where there was none, nanoseconds: to look for one is to pass all.
    private static let searchPeriod: UInt64 = 1_000_000_000
    /// Nothing takes longer before the ring is read again, nanoseconds.
    private static let timeLimit: UInt64 = 5_000_000

    /// A watcher of a namespace, or of the calling thread's.
    ///
    /// - Throws: ``/SockDiag/KernelError``.
    init(
        _ configuration: SocketWatcher.Configuration,
        _ number: UInt32 = 0,
        in namespace: NetworkNamespace? = nil,
        trace: TraceReader? = nil,
        walks: TableWalks = TableWalks(),
        stream: WatchStream
    ) throws(KernelError) {
        (self.configuration, self.number, self.namespace, self.stream) = (configuration, number, namespace, stream)
        place = namespace
        self.walks = walks
        home = namespace ?? (try? NetworkNamespace.current)
        schedule = DumpSchedule(configuration, isTraced: trace != nil)
        if trace != nil {
            let here = if let namespace { namespace } else { try NetworkNamespace.current }
            inode = UInt32(truncatingIfNeeded: here.inode)
        } else {
            inode = 0
        }
        client = try SockDiagClient(in: namespace)
        // Before the first dump: what ends meanwhile is queued, and reported after it.
        let hasMonitor = configuration.usesDestroyEvents && trace == nil
        if hasMonitor {
            let size = configuration.receiveBufferSize
            let open = { @Sendable () throws(KernelError) in try DestroyMonitor(receiveBufferSize: size) }
            if let namespace { monitor = try namespace.run(open) } else { monitor = try open() }
        }
        if let wanted = configuration.filter {
            filter = try WatchFilter(wanted, for: &client, in: namespace)
        }
        if configuration.resolvesOwners || filter?.asksOwners == true { owners = OwnerMemory() }
        keepsExisting = configuration.reportsExisting
        var tracking = Tracker.Configuration()
        tracking.reportsTransitions = trace != nil
        tracking.reportsDestroyed = hasMonitor
        tracking.reportsRefusals = trace?.reportsRefusals ?? false
        tracking.resetReasons = trace?.resetReasons ?? [:]
        tracking.reportsExisting = configuration.reportsExisting
        tracking.needsInodes = owners != nil
        tracking.interval = max(configuration.interval.nanoseconds, 1_000_000)
        tracker = Tracker(tracking)
        stream.note(.namespace(watcher: number, namespace, tracking))
    }

    /// Readable while messages wait; -1 where none are received.
    var descriptor: Int32 { monitor?.descriptor ?? -1 }

    /// How many messages about destroyed sockets were lost, also those that are not yet reported.
    var lostCount: UInt64? { monitor?.lostCount }

    /// When there is something to be done, monotonic nanoseconds.
    var nextTurn: UInt64 {
        hasLookups || dump != nil || isReporting || !hasBegun ? 0 : min(tracker.wakeTime, schedule.due)
    }

    /// Whether there is something to be asked.
    var hasLookups: Bool { nextLookup < lookups.count }

    // MARK: Inputs

    /// Hands something that was learned to the tracker, and does what follows at once; questions wait for ``lookUp(_:)``.
    func take(_ fact: Input.Fact, at time: EventTime) {
        let input = Input(fact, at: time)
        stream.note(input, of: number)
        take(input, at: time)
    }

    /// Hands rows of a dump to the tracker.
    private func take(_ rows: [SocketRow], at time: EventTime) {
        stream.note(rows, at: time, of: number)
        tracker.take(rows, at: time, into: &outputs)
        carryOut(at: time)
    }

    private func take(_ input: Input, at time: EventTime) {
        tracker.take(input, into: &outputs)
        carryOut(at: time)
    }

    /// Hands over what makes the tracker report all sockets; they are reported by ``report(until:)``.
    private func takeAll(_ fact: Input.Fact, at time: EventTime) {
        let input = Input(fact, at: time)
        stream.note(input, of: number)
        tracker.take(input, into: &outputs)
        outputTime = time
    }

    private func carryOut(at time: EventTime) {
        outputTime = time
        report()
    }

    /// Whether there is more to be reported before anything else is read.
    var isReporting: Bool { carriedOut < outputs.count }

    /// Reports what there is to report, until a moment of the monotonic clock; whether that is all.
    @discardableResult
    func report(until limit: UInt64 = .max) -> Bool {
        while isReporting {
            carryOut(outputs[carriedOut], at: outputTime)
            carriedOut += 1
            if limit != .max, carriedOut % 64 == 0, EventTime.now().monotonicNanoseconds >= limit { break }
        }
        guard !isReporting else { return false }
        outputs.removeAll(keepingCapacity: outputs.count <= 4096)
        carriedOut = 0
        return true
    }

    /// A record of a tracepoint.
    func take(_ record: borrowing TraceRecord, at time: EventTime) {
        noteCaller(of: record)
        if let fact = Input.Fact(record, mask: { name, uid in mask(name, uid) }) { take(fact, at: time) }
        if configuration.reportsRetransmissions, hasBegun { report(record, at: time) }
    }

    /// Reports what was sent again, where the record is of that and the filter finds the socket.
    private func report(_ record: borrowing TraceRecord, at time: EventTime) {
        guard var retransmission = Retransmission(record, at: time),
            mask(SocketName(retransmission.identity), record.uid).contains(retransmission.state)
        else { return }
        retransmission.owners = owners?[retransmission.identity.cookie] ?? []
        stream.note(.retransmission(watcher: number, retransmission))
        if let event = stream.delivery.event(for: retransmission, in: namespace) { stream.append(event) }
    }

    private func carryOut(_ output: Output, at time: EventTime) {
        switch output {
        case .lookUp(let lookup): lookups.append(lookup)
        case .dump(let scope): schedule.want(scope)
        default:
            let event = stream.delivery.event(
                for: output,
                of: number,
                in: namespace,
                at: time,
                owners: { cookie in owners?[cookie] ?? [] },
                sockets: existing
            )
            if case .ready = output { existing.removeAll() }
            if let event { stream.append(event) }
            if owners != nil, case .transition(let transition) = output, transition.to == .closed {
                owners?.forget(transition.identity.cookie)
            }
        }
    }

    // MARK: Messages

    /// Reads the kernel's messages about destroyed sockets.
    func receive() {
        do throws(KernelError) {
            let time = EventTime.now()
            let isIncomplete = try monitor?.receive(atMost: Self.batch) { record throws(KernelError) in
                messageCount &+= 1
                if record.cookie == mark { return mark = nil }
                guard configuration.family == nil || record.family == configuration.family else { return }
                configuration.reportsCounters?(record.identity, FinalCounters(record.tcpInfo))
                take(.destroyed(DestroyedSocket(record, verdict(onEnd: record))), at: time)
            }
            guard isIncomplete == true else { return }
            let count = monitor?.lostCount.map { lost.advance(to: $0) }
            take(.lost(Loss(.destroy, .overrun, count: count)), at: .now())
        } catch {
            // What one that cannot be read would have said, a dump shows.
            take(.lost(Loss(.destroy, .overrun, count: nil)), at: .now())
        }
    }

    /// Asks for a message by which it is known that all have come about what was destroyed until now.
    func markMessages() { mark = monitor?.mark() }

    // MARK: Dumps

    /// A dump that is read one datagram after the other.
    private struct DumpUnderWay: ~Copyable {
        let scope: DumpScope
        /// The moment before it was asked for.
        let began: EventTime
        var rows: SocketDump
        /// What is walked after those rows, where not all of it is dumped.
        var walk: TableWalk?
        /// How many sockets the walk has shown that had no name yet.
        var namelessCount = 0
        var isWalk = false
        /// Of these the filter can say nothing before it is known who holds them.
        var undecided: [InetSocket] = []
        /// What it has taken of a processor so far, nanoseconds.
        var cost: UInt64 = 0
        /// Whether all of it has been read, and what it means is being reported.
        var isRead = false
        /// Why not all of it could be read.
        var failure: KernelError?
    }

    /// How far a dump has come.
    enum DumpProgress {
        case underWay
        /// It has ended; the error is why it could not be made.
        case ended(KernelError?)
    }

    /// Makes the first dump: what exists.
    ///
    /// - Parameters:
    ///   - limit: When to stop, monotonic nanoseconds; the next call goes on.
    ///   - drain: Reads what is reported meanwhile.
    /// - Returns: Whether it has been made.
    /// - Throws: ``/SockDiag/KernelError``: nothing can be seen.
    @discardableResult
    func begin(until limit: UInt64 = .max, _ drain: () -> Void = {}) throws(KernelError) -> Bool {
        guard case .ended(let failure) = makeDump(.all, until: limit, drain) else { return false }
        if let failure { throw failure }
        existing.removeAll()
        keepsExisting = false
        hasBegun = true
        drain()
        receive()
        return true
    }

    /// Makes the dump that is due, if any; whether it has reported the state anew.
    func dumpIfDue(until limit: UInt64 = .max, _ drain: () -> Void) -> Bool {
        guard let scope = dump?.scope ?? schedule.next(at: EventTime.now().monotonicNanoseconds),
            case .ended(let failure) = makeDump(scope, until: limit, drain)
        else { return false }
        if let failure {
            let gap = Gap(source: .poll, reason: failure.description, lost: nil)
            let complete = stream.delivery.complete(gap, of: namespace, at: .now())
            stream.note(.gap(watcher: number, complete))
            stream.append(.gap(complete))
        }
        guard isResynchronizing, scope == .all else { return false }
        isResynchronizing = false
        keepsExisting = false
        stream.flush()
        takeAll(.resynchronize, at: .now())
        report(until: limit)
        return true
    }

    /// Makes a dump, or goes on with the one that is under way. What is reported meanwhile is read between two of its datagrams
    /// by `drain`.
    @discardableResult
    func makeDump(_ scope: DumpScope, until limit: UInt64 = .max, _ drain: () -> Void = {}) -> DumpProgress {
        let start = SystemClock.threadProcessorTime.nanoseconds
        var dump: DumpUnderWay
        if let underWay = self.dump.take() {
            dump = underWay
        } else {
            drain()
            let began = EventTime.now()
            let (dumped, walked) = parts(of: scope, drain)
            dump = DumpUnderWay(scope: scope, began: began, rows: SocketDump(dumped), walk: walked)
            dump.isWalk = walked != nil
            take(.dumpBegan(scope), at: dump.began)
        }
        guard dump.isRead || read(&dump, until: limit, drain), report(until: limit) else {
            dump.cost &+= SystemClock.threadProcessorTime.nanoseconds &- start
            self.dump = consume dump
            return .underWay
        }
        dumpCount &+= 1
        dump.cost &+= SystemClock.threadProcessorTime.nanoseconds &- start
        let now = EventTime.now()
        let duration = now.monotonicNanoseconds &- dump.began.monotonicNanoseconds
        let work = DumpSchedule.Work(cost: dump.cost, duration: duration)
        walks.note(dump.cost, isWalk: dump.isWalk)
        if dump.isWalk { walkCount &+= 1 }
        let isInconsistent = dump.failure?.code == .inconsistentDump
        let failed = dump.failure != nil && !isInconsistent
        if let slower = schedule.noteDump(dump.scope, work, at: now.monotonicNanoseconds, failed: failed) {
            stream.note(.slowed(slower, at: now))
            stream.append(.slowed(slower, at: now))
        }
        return .ended(isInconsistent ? nil : dump.failure)
    }

    /// Reads a dump to its end; whether there was time for that.
    private func read(_ dump: inout DumpUnderWay, until limit: UInt64, _ drain: () -> Void) -> Bool {
        do throws(KernelError) {
            while try readRows(of: &dump) {
                drain()
                guard limit == .max || EventTime.now().monotonicNanoseconds < limit else { return false }
            }
        } catch {
            dump.failure = error
        }
        if !dump.undecided.isEmpty || keepsExisting { findOwners() }
        take(dump.undecided.map { SocketRow($0, matching: mask($0)) }, at: dump.began)
        drain()
        takeAll(.dumpEnded(isComplete: dump.failure == nil), at: .now())
        dump.isRead = true
        return true
    }

    private func query(_ scope: DumpScope) -> SocketQuery {
        SocketQuery(family: configuration.family, states: scope.states, extensions: filter?.extensions ?? [])
    }

    /// What of a query is dumped, and what is walked instead: the connections, where that is cheaper and tells all that is to
    /// be known.
    private func parts(of scope: DumpScope, _ drain: () -> Void) -> (dumped: SocketQuery, walked: TableWalk?) {
        let query = query(scope)
        guard hasBegun, !namelessScopes.contains(scope), !keepsExisting, walks.isWorthwhile,
            configuration.filter?.readsAttributes != true
        else {
            return (query, nil)
        }
        if table == nil, let home { table = walks.table(in: home) }
        let now = EventTime.now().monotonicNanoseconds
        let searches = hasUnconnected || now >= nextSearch || scope == .all
        guard let table, let states = walks.statesToDump(query.states, table, searches: searches, drain) else {
            return (query, nil)
        }
        if searches, !query.states.isDisjoint(with: .unconnected) {
            (hasUnconnected, nextSearch) = (!states.isDisjoint(with: .unconnected), now &+ Self.searchPeriod)
        }
        var dumped = query
        dumped.states = states
        return (dumped, TableWalk(table, query))
    }

    /// Reads a datagram of a dump, or walks a part of the table, and hands over the rows; whether there is more.
    private func readRows(of dump: inout DumpUnderWay) throws(KernelError) -> Bool {
        var rows: [SocketRow] = []
        swap(&rows, &rowBuffer)
        var undecided: [InetSocket] = []
        defer {
            dump.undecided += undecided
            take(rows, at: dump.began)
            rows.removeAll(keepingCapacity: true)
            swap(&rows, &rowBuffer)
        }
        func add(_ record: borrowing SocketRecord) {
            note(record)
            if filter?.asksOwners == true, record.inode != nil, owners?.knows(record.cookie) != true {
                undecided.append(InetSocket(record))
            } else {
                rows.append(SocketRow(record, matching: mask(record)))
            }
        }
        if try client.advance(&dump.rows, add) { return true }
        guard var walk = dump.walk.take() else { return false }
        var nameless: [InetSocket] = []
        do throws(KernelError) {
            let isUnderWay = try walks.advance(&walk) { record in
                // Nobody has asked for its name yet, by which it is known here.
                if record.cookie.rawValue == 0 { nameless.append(InetSocket(record)) } else { add(record) }
            }
            dump.namelessCount += nameless.count
            if dump.namelessCount <= TableWalks.greatestNameless {
                for socket in nameless { try addNamed(socket, add) }
                if isUnderWay { dump.walk = walk }
                return isUnderWay
            }
        } catch {
            // What is wrong with a walk is nothing that a dump minds.
        }
        // All of it once more: what was shown already is shown as it is now.
        namelessScopes.insert(dump.scope)
        dump.rows = SocketDump(query(dump.scope))
        dump.isWalk = false
        return true
    }

    /// Asks for a socket by its endpoints, which gives it a name; one that is gone was there.
    private func addNamed(_ socket: InetSocket, _ add: (borrowing SocketRecord) -> Void) throws(KernelError) {
        var identity = socket.identity
        identity.cookie = .any
        guard let found = try client.socket(identity) else { return }
        found.withMessage { add(SocketRecord(checked: $0)) }
    }

    private func note(_ record: borrowing SocketRecord) {
        owners?.note(record)
        guard keepsExisting else { return }
        let socket = InetSocket(record)
        existing.note(socket)
        stream.note(.message(watcher: number, socket.withMessage { $0.array() }))
    }

    /// The state is to be reported anew, after a dump.
    func resynchronize() {
        stream.delivery.expectSockets(of: number, anew: true)
        stream.note(.socketsExpected(watcher: number))
        isResynchronizing = true
        keepsExisting = true
        schedule.want(.all)
    }

    // MARK: Lookups

    /// Asks what waits to be asked, for a while; then reads what was reported meanwhile, and hands over the answers.
    func lookUp(_ drain: () -> Void) {
        let now = EventTime.now()
        if tracker.wakeTime <= now.monotonicNanoseconds {
            // What was reported until now may be what is waited for.
            drain()
            take(.wake, at: now)
        }
        guard nextLookup < lookups.count else { return }
        var answers: [LookupAnswer] = []
        let start = EventTime.now().monotonicNanoseconds
        var time = start
        while nextLookup < lookups.count, answers.count < Self.batch, time - start < Self.timeLimit {
            let lookup = lookups[nextLookup]
            nextLookup += 1
            lookupCount &+= 1
            answers.append(LookupAnswer(lookup, askedAt: time, answer(lookup)))
            time = EventTime.now().monotonicNanoseconds
        }
        if nextLookup == lookups.count {
            lookups.removeAll(keepingCapacity: lookups.count <= 4096)
            nextLookup = 0
        }
        drain()
        for answer in answers { take(.answer(answer), at: .now()) }
    }

    /// Makes the next poll now.
    func poll() { schedule.hasten() }

    /// Whether a poll is still to be made that was wanted now, or what it shows is still to be reported.
    var isPolling: Bool { schedule.isHastened || isDumping || isReporting }

    /// Whether a dump is under way: until its end nothing else is asked.
    var isDumping: Bool { dump != nil }

    private func answer(_ lookup: Lookup) -> LookupAnswer.Result {
        do throws(KernelError) {
            let found = try client.socket(lookup.name.identity, extensions: filter?.extensions ?? [])
            guard let found else { return .gone }
            owners?.note(found)
            return .found(SocketRow(found, matching: mask(found)))
        } catch {
            return .failed
        }
    }

    // MARK: Steering

    /// A filter made ready for this namespace, nil for none.
    ///
    /// - Throws: ``/SockDiag/KernelError``, as ``/SockDiag/SockDiagClient/matcher(for:)`` does.
    func prepare(_ filter: SocketFilter?) throws(KernelError) -> WatchFilter? {
        guard let filter else { return nil }
        return try WatchFilter(filter, for: &client, in: namespace)
    }

    /// Uses a filter from now on; what it finds is reported as what existed.
    func use(_ filter: WatchFilter?, _ configuration: SocketWatcher.Configuration) {
        (self.filter, self.configuration) = (filter, configuration)
        if filter?.asksOwners == true, owners == nil { owners = OwnerMemory() }
        noteConfiguration()
        guard hasBegun else { return }
        // What a row does not say, as whose a TIME_WAIT is, is remembered.
        var known: [TrackedSocket] = []
        tracker.forEach { known.append($0) }
        let time = EventTime.now()
        for socket in known {
            let remembered = InetSocket(
                socket.name.identity,
                state: socket.state,
                uid: socket.uid,
                inode: socket.inode
            )
            take(.matching(socket.name, mask(remembered)), at: time)
        }
        resynchronize()
    }

    /// Dumps at another interval from now on.
    func use(interval: Duration) {
        configuration.interval = interval
        schedule.change(interval: interval)
        noteConfiguration()
    }

    private func noteConfiguration() {
        let interval = max(configuration.interval.nanoseconds, 1_000_000)
        take(.configured(interval: interval, needsInodes: owners != nil), at: .now())
    }

    // MARK: Filter and owners

    private func mask(_ record: borrowing some SocketFields & ~Escapable) -> StateMask {
        guard let filter else { return .all }
        return filter.mask(record, owners: filter.asksOwners ? owners?[record.cookie] ?? [] : [])
    }

    private func mask(_ name: SocketName, _ uid: UInt32) -> StateMask {
        guard let filter else { return .all }
        // In the kernel's message a uid of 0 is root's only where there is an inode, which tracepoints do not report.
        let socket = InetSocket(name.identity, state: .established, uid: uid, inode: uid == 0 ? .max : nil)
        return filter.mask(socket, owners: filter.asksOwners ? owners?[name.cookie] ?? [] : [])
    }

    private func verdict(onEnd record: borrowing some SocketFields & ~Escapable) -> FilterVerdict {
        guard let filter else { return .finds }
        let cookie = record.cookie
        return filter.verdict(onEnd: record, owners: owners.flatMap { $0.knows(cookie) ? $0[cookie] : nil })
    }

    /// Finds out who holds the sockets that are new, for their later transitions: called when all that has happened is
    /// sent, and reads `/proc` for a fifth of the time at most, so that no transition waits long for it.
    func resolveOwners() {
        guard owners?.isDue == true else { return }
        let begin = EventTime.now().monotonicNanoseconds
        guard begin >= nextOwnerScan else { return }
        findOwners()
        let end = EventTime.now().monotonicNanoseconds
        nextOwnerScan = end + 4 * (end - begin)
    }

    /// Remembers who has made the call of a transition, where only who holds the socket can: it may be gone before `/proc` is read.
    private func noteCaller(of record: borrowing TraceRecord) {
        guard owners != nil, record.event == .transition, let pid = record.pid, let name = record.processName else {
            return
        }
        switch (record.from, record.to) {
        case (_, .synSent), (_, .listen), (_, .finWait1), (.closeWait, .lastAck): break
        default: return
        }
        let (caller, cookie) = (SocketOwner(pid: pid, name: name, descriptor: nil), record.cookie)
        guard owners?.note(caller, of: cookie) == true else { return }
        stream.note(.owners(watcher: number, cookie, [caller]))
    }

    /// One pass over `/proc` for all that is new. Where that is gone by now, later transitions have no owners.
    private func findOwners() {
        guard (try? owners?.resolve()) != nil, let owners else { return }
        for cookie in owners.latest { stream.note(.owners(watcher: number, cookie, owners[cookie])) }
    }

    // MARK: The namespace

    /// Whether the namespace is still there. Only its sockets here keep it alive otherwise, and nothing happens in it.
    func isInhabited() -> Bool {
        guard let known = place else { return true }
        // One that cannot be looked for now is looked for again.
        guard let found = try? Optional(known.whereNow()) else { return true }
        place = found ?? known
        return found != nil
    }

    /// What waits for a RST waits no longer: all that was reported has been read.
    func takeWaiting() {
        let now = EventTime.now()
        take(.wake, at: now.at(now.monotonicNanoseconds + 1_000_000_000))
    }

    /// Nothing more will come of it, for this reason.
    func end(_ reason: String) {
        takeWaiting()
        let gap = stream.delivery.complete(
            Gap(source: .namespace, reason: reason, lost: nil),
            of: namespace,
            at: .now()
        )
        stream.note(.gap(watcher: number, gap))
        stream.append(.gap(gap))
        stream.note(.namespaceEnded(watcher: number))
        if let ready = stream.delivery.end(number) { stream.append(ready) }
    }
}

extension TCPStateSet {
    /// Sockets that hold a port and have no connection.
    static let unconnected: TCPStateSet = [.bound, .closed]
}
