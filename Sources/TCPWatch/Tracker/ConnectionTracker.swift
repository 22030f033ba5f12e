package import SockDiag
internal import SocketOwners

/// Turns what is seen of the sockets of one network namespace into transitions: rows of dumps, lookups, and the
/// kernel's messages that a socket was destroyed.
///
/// It asks nothing of the kernel itself. A dump is told row by row and then ended; what was missing from it is asked for
/// through the closure that ``endDump(at:lookup:emit:)`` is given, before an end is concluded.
package struct ConnectionTracker: ~Copyable {
    /// Finds a socket as it is now; nil where it is gone.
    package typealias Lookup = (SocketIdentity) throws(SockDiagError) -> TCPSocket?

    var table = ConnectionTable()
    var generation: UInt32 = 0
    /// Whether what is seen was there before watching began.
    private(set) var isBeginning = true
    /// How many entries the running dump has shown.
    var seen = 0
    /// How many entries are kept whose end has been told.
    var ended = 0
    /// The dump before which messages about destroyed sockets were lost; a full socket whose message was among them is
    /// found to have ended by the second one after that.
    private var gapGeneration: UInt32?
    /// Whether a message that does not come may have been lost.
    var hasGap: Bool { gapGeneration.map { generation &- $0 <= 2 } ?? false }
    /// How many entries are kept for a message that may have been lost.
    private var doubtful = 0
    /// How many listeners there are on a port: a connection to one of them was opened by the peer.
    var listeners: [UInt16: Int] = [:]
    /// What the kernel measured of sockets that it destroyed and whose TIME_WAIT or FIN_WAIT_2 is still there.
    var finals: [SocketCookie: FinalCounters] = [:]

    /// Minisockets that a dump has shown before the kernel told of the socket before them, by
    /// ``KnownConnection/endpoints``: where the ends have been used again since, a lookup finds them no more.
    var unclaimed: [UInt64: SocketCookie] = [:]

    /// Minisockets that ended before the kernel told of the socket before them, by their endpoints, and the dump after
    /// which they did: that message, when it comes, tells of no other end.
    private(set) var unannounced: [SocketIdentity: UInt32] = [:]
    /// How many dumps such a message is waited for. It comes within milliseconds, or was lost, or came long ago.
    private static let patience: UInt32 = 20

    /// Whether the kernel's messages about destroyed sockets are told too.
    let expectsDestroy: Bool
    /// What it needs where the kernel reports the steps; nil where it does not.
    var trace: TraceState?

    /// Which sockets' steps are told; nil for all.
    let filter: ConnectionFilter?
    /// Who holds the sockets, from when they got an inode to their end; nil where it is not asked.
    var owners: OwnerMemory?
    /// Where the sockets are; nil where no namespace was named.
    let namespace: NetworkNamespace?

    init(
        expectsDestroy: Bool,
        isTraced: Bool = false,
        filter: ConnectionFilter? = nil,
        resolvesOwners: Bool = false,
        namespace: NetworkNamespace? = nil
    ) {
        self.expectsDestroy = expectsDestroy
        if isTraced { trace = TraceState() }
        self.filter = filter
        self.namespace = namespace
        if resolvesOwners || filter?.asksOwners == true { owners = OwnerMemory() }
    }

    /// How many connections, listeners and bound sockets are known.
    package var count: Int { table.count - ended }

    /// Messages about destroyed sockets were lost: that there was none proves nothing, until two dumps have ended.
    package mutating func noteGap() { gapGeneration = generation }

    /// Every known socket's cookie and state.
    package func forEach(_ body: (SocketCookie, TCPState) -> Void) {
        for entry in table.entries where !entry.flags.contains(.isEnded) { body(entry.cookie, entry.state) }
    }

    /// Ends the first dump. What is new from now on has begun since.
    package mutating func endFirstDump() { isBeginning = false }

    /// Begins a dump.
    package mutating func beginDump() {
        generation &+= 1
        seen = 0
    }

    /// A row of the running dump, or of a lookup. Whether the socket was not known.
    @discardableResult
    package mutating func observe(
        _ record: borrowing some SocketFields & ~Escapable,
        at time: EventTime,
        side: OpeningSide = .unknown,
        emit: (Transition) -> Void
    ) -> Bool {
        guard var position = table.position(of: record.cookie) else {
            appear(record, at: time, side: side, emit: emit)
            return true
        }
        let state = record.state
        let isMinisocket = record.isMinisocket
        let entry = table.entries[position]
        // A dump may hold two rows of one cookie: a socket that is closed while its descriptor is open, and the
        // minisocket in its place. Whether there is the second, which alone counts, is looked up at the dump's end.
        if state == .closed, !isMinisocket, entry.state != .closed {
            if !entry.flags.contains(.isMinisocket) { table.entries[position].flags.insert(.isMissing) }
            return false
        }
        if entry.flags.contains(.isEnded) {
            guard state != .closed else { return false }
            if entry.flags.contains(.isDoubtful) { doubtful -= 1 }
            table.entries[position].flags.subtract([.isEnded, .isDoubtful])
            ended -= 1
            owners?.note(record)
        }
        if entry.generation != generation { seen += 1 }
        table.entries[position].generation = generation
        table.entries[position].flags.remove(.isMissing)
        if isMinisocket { table.entries[position].flags.insert(.isMinisocket) }
        if entry.flags.contains(.isHeld) { position = release(position, as: record.local, at: time, emit: emit) }
        if entry.inode == nil {
            table.entries[position].learnOwner(record)
            owners?.note(record)
        }
        let wasFound = entry.flags.contains(.isFound)
        let isFound = finds(record, table.entries[position])
        if isFound != wasFound { table.entries[position].flags.formSymmetricDifference(.isFound) }
        if entry.state != state, entry.state == .bound || entry.state == .closed, state != .closed {
            let side = openingSide(of: record, in: state)
            table.entries[position].begin(record.identity, side: side, at: isBeginning ? 0 : time.monotonicNanoseconds)
        } else if entry.localPortNumber == 0, record.local.port != 0 {
            learnLocal(position, record.local)
        }
        if entry.state != state { step(position, to: state, isFound: wasFound || isFound, at: time, emit: emit) }
        if trace != nil { appoint(position, record.timer, at: time) }
        return false
    }

    /// Ends the running dump: what it has not shown is looked up, and ends where it is gone.
    ///
    /// - Throws: what `lookup` throws; what is not yet decided then is decided after the next dump.
    package mutating func endDump(
        at time: EventTime,
        lookup: Lookup,
        emit: (Transition) -> Void
    ) throws(SockDiagError) {
        if doubtful > 0 { forgetDoubtful() }
        if !unannounced.isEmpty { unannounced = unannounced.filter { generation &- $0.value < Self.patience } }
        guard seen + ended < table.count else { return }
        // Backwards: removing an entry moves the last one, which has been decided, to its position.
        var position = table.count - 1
        while position >= 0 {
            let entry = table.entries[position]
            if entry.generation != generation, !entry.flags.contains(.isEnded) {
                try decide(position, at: time, lookup: lookup, emit: emit)
            }
            position -= 1
        }
    }

    /// Forgets those that have ended and of which the kernel should have told by now: its message was lost.
    private mutating func forgetDoubtful() {
        for position in table.entries.indices.reversed() {
            let entry = table.entries[position]
            guard entry.flags.contains(.isDoubtful), generation &- entry.generation > Self.patience else { continue }
            table.remove(at: position)
            ended -= 1
            doubtful -= 1
        }
    }

    private mutating func decide(
        _ position: Int,
        at time: EventTime,
        lookup: Lookup,
        emit: (Transition) -> Void
    ) throws(SockDiagError) {
        let entry = table.entries[position]
        if let socket = try lookup(entry.identity) {
            observe(socket, at: time, emit: emit)
            return
        }
        // A socket without a connection is in dumps alone, so one that is missing has to be missing twice. So has one
        // whose end the kernel will tell of, with its counters: the message comes a moment after the row is gone.
        let isFinal = entry.isListed && (!expectsDestroy || entry.flags.contains(.isMinisocket))
        guard isFinal || entry.flags.contains(.isMissing) else {
            table.entries[position].flags.insert(.isMissing)
            return
        }
        // No message, and yet no socket: it was reset, and a program still holds the descriptor.
        let isReset = expectsDestroy && !hasGap && entry.isFullSocket
        end(position, evidence: isReset ? .noFIN : .none, source: .poll, at: time, emit: emit)
    }

    private mutating func appear(
        _ record: borrowing some SocketFields & ~Escapable,
        at time: EventTime,
        side known: OpeningSide,
        emit: (Transition) -> Void
    ) {
        let state = record.state
        let side = known == .unknown ? openingSide(of: record, in: state) : known
        var entry = KnownConnection(
            record,
            side: side,
            enteredAt: isBeginning ? 0 : time.monotonicNanoseconds,
            generation: generation
        )
        let isFound = finds(record, entry)
        if isFound { entry.flags.insert(.isFound) }
        if trace != nil, !isBeginning { displace(by: entry, source: .poll, at: time, emit: emit) }
        table.append(entry)
        owners?.note(record)
        seen += 1
        if state == .listen { listeners[entry.localPortNumber, default: 0] += 1 }
        if trace != nil { appoint(table.count - 1, record.timer, at: time) }
        if expectsDestroy, !isBeginning, record.isMinisocket { unclaimed[entry.endpoints] = entry.cookie }
        guard !isBeginning, state != .closed else { return }
        let via = TCPStateMachine.passed(from: .closed, to: state, side: side)
        guard isFound || finds(entry, in: via) else { return }
        var first = transition(of: entry, from: .closed, to: state, via: via, source: .poll, at: time)
        if isMissed(entry) { first.certainty = .inferred }
        emit(first)
    }

    /// Whether the trace should have told that a connection came to where it is.
    func isMissed(_ entry: KnownConnection) -> Bool { trace != nil && entry.isTraceable }

    func openingSide(of record: borrowing some SocketFields & ~Escapable, in state: TCPState) -> OpeningSide {
        switch state {
        case .synSent: .active
        // A half-open request has no descriptor; a simultaneous open has.
        case .synReceived: record.inode == nil ? .passive : .active
        case .listen, .bound, .closed: .unknown
        default:
            // The first dump may come long after the listener has gone.
            listeners[record.local.port, default: 0] > 0 ? .passive : isBeginning ? .unknown : .active
        }
    }

    /// Takes a connection to another state, which a dump or a lookup has shown.
    private mutating func step(
        _ position: Int,
        to state: TCPState,
        isFound: Bool,
        at time: EventTime,
        emit: (Transition) -> Void
    ) {
        let entry = table.entries[position]
        let via = TCPStateMachine.passed(from: entry.state, to: state, side: entry.side)
        advance(position, to: state, at: time)
        guard isFound || finds(entry, in: via) else { return }
        var step = transition(of: entry, from: entry.state, to: state, via: via, source: .poll, at: time)
        if isMissed(table.entries[position]) { step.certainty = .inferred }
        emit(step)
    }

    /// Notes that a connection has come to another state.
    mutating func advance(_ position: Int, to state: TCPState, at time: EventTime) {
        let entry = table.entries[position]
        noteListener(entry.localPortNumber, from: entry.state, to: state)
        if entry.state == .synReceived, trace?.requests.remove(entry.cookie) != nil {
            trace?.timers[entry.cookie] = nil
        }
        table.entries[position].state = state
        table.entries[position].enteredAt = time.monotonicNanoseconds
    }

    /// Takes a connection to its end, and forgets it; or keeps it as ended, where the kernel will tell of it once more.
    mutating func end(
        _ position: Int,
        evidence: EndEvidence,
        source: Transition.Source,
        at time: EventTime,
        final: FinalCounters? = nil,
        emit: (Transition) -> Void
    ) {
        let entry = table.entries[position]
        var last = transition(
            of: entry,
            from: entry.state,
            to: .closed,
            via: TCPStateMachine.passed(from: entry.state, to: .closed, side: entry.side, evidence: evidence),
            source: source,
            at: time
        )
        if isMissed(entry) { last.certainty = .inferred }
        end(position, by: last, final: final, emit: emit)
    }

    /// Takes a connection to its end by its last transition.
    mutating func end(
        _ position: Int,
        by transition: Transition,
        final: FinalCounters? = nil,
        emit: (Transition) -> Void
    ) {
        let entry = table.entries[position]
        var last = transition
        noteListener(entry.localPortNumber, from: entry.state, to: .closed)
        if trace != nil { forget(entry) }
        if expectsDestroy, last.source == .poll, entry.isFullSocket, entry.state != .closed {
            table.entries[position].state = .closed
            table.entries[position].flags = hasGap ? [.isEnded, .isDoubtful] : .isEnded
            ended += 1
            doubtful += hasGap ? 1 : 0
        } else {
            table.remove(at: position)
            if entry.flags.contains(.isEnded) { ended -= 1 }
            if entry.flags.contains(.isDoubtful) { doubtful -= 1 }
        }
        defer { owners?.forget(entry.cookie) }
        if entry.generation == generation { seen -= 1 }
        if !unclaimed.isEmpty, unclaimed[entry.endpoints] == entry.cookie { unclaimed[entry.endpoints] = nil }
        var counters = final
        if entry.flags.contains(.hasFinalCounters) {
            counters = finals.removeValue(forKey: entry.cookie) ?? final
        } else if expectsDestroy, entry.flags.contains(.isMinisocket) {
            unannounced[entry.identity.anonymous] = generation
        }
        guard entry.state != .closed else { return }
        guard entry.flags.contains(.isFound) || finds(entry, in: last.via + [.closed]) else { return }
        if entry.state != .listen, entry.state != .bound {
            let duration = Self.elapsed(since: entry.openedAt, until: last.time)
            if counters == nil, duration != nil { counters = FinalCounters(nil) }
            counters?.duration = duration
            last.final = counters
        }
        emit(last)
    }

    /// Whether the message about a socket tells of an end that has been told, as that of its minisocket; once.
    mutating func takeUnannounced(_ identity: SocketIdentity) -> Bool {
        !unannounced.isEmpty && unannounced.removeValue(forKey: identity.anonymous) != nil
    }

    /// Learns this end's port, of a connection or a listener that was told of before it had one.
    mutating func learnLocal(_ position: Int, _ local: SocketEndpoint) {
        let entry = table.entries[position]
        if entry.state == .listen { noteListener(entry.localPortNumber, from: .listen, to: .closed) }
        table.entries[position].learnLocal(local)
        if entry.state == .listen { noteListener(local.port, from: .closed, to: .listen) }
    }

    mutating func noteListener(_ port: UInt16, from: TCPState, to: TCPState) {
        if from == .listen, let count = listeners[port] { listeners[port] = count > 1 ? count - 1 : nil }
        if to == .listen { listeners[port, default: 0] += 1 }
    }

    /// A transition of a connection, with what is remembered of it.
    func transition(
        of entry: KnownConnection,
        from: TCPState,
        to: TCPState,
        via: [TCPState],
        source: Transition.Source,
        at time: EventTime
    ) -> Transition {
        var transition = Transition(
            entry.identity,
            from: from,
            to: to,
            via: via,
            certainty: via.isEmpty ? .observed : .inferred,
            source: source,
            time: time
        )
        transition.cause = TCPStateMachine.soleTrigger(from: via.last ?? from, to: to)
        transition.openedBy = entry.side
        transition.timeInState = from == .closed ? nil : Self.elapsed(since: entry.enteredAt, until: time)
        (transition.uid, transition.inode, transition.namespace) = (entry.uid, entry.inode, namespace)
        transition.owners = owners?[entry.cookie] ?? []
        return transition
    }

    static func elapsed(since start: UInt64, until time: EventTime) -> Duration? {
        guard start != 0, time.monotonicNanoseconds >= start else { return nil }
        return .nanoseconds(Int64(time.monotonicNanoseconds - start))
    }
}

extension SocketIdentity {
    /// The same endpoints, whichever socket has them.
    fileprivate var anonymous: SocketIdentity {
        var identity = self
        identity.cookie = .any
        return identity
    }
}
