internal import SockDiag
internal import SocketOwners

/// What is asked of single connections where the kernel reports the steps of the others: when, and what the answers say.
///
/// An answer and the trace tell of the same connection at about the same time. So a lookup is made, then the trace is
/// read, and what has changed by then is not changed by the answer.
extension ConnectionTracker {
    /// The answer of a lookup.
    struct Answer {
        /// What was asked for.
        let identity: SocketIdentity
        /// What was found; nil for nothing.
        let socket: TCPSocket?
        /// Whether another connection between the same ends was found in its place.
        var isReplaced = false
        /// Just before it was asked, monotonic nanoseconds.
        let time: UInt64
    }

    /// An orphan in FIN_WAIT_2 mostly gets the peer's FIN within a round trip.
    static var firstCheck: UInt64 { 10_000_000 }
    private static var millisecond: UInt64 { 1_000_000 }

    /// Sets when to ask for a request or a minisocket next, by the kernel's timer.
    mutating func appoint(_ position: Int, _ timer: SocketTimer?, at time: EventTime) {
        let entry = table.entries[position]
        let now = time.monotonicNanoseconds
        let rest = UInt64(timer?.milliseconds ?? 1000) * Self.millisecond
        if entry.flags.contains(.isMinisocket) {
            trace?.minisockets[entry.endpoints] = entry.cookie
            trace?.timers[entry.cookie] = now + rest
            if entry.state == .timeWait {
                // Timers of a minute end up to some seconds late.
                trace?.ends.add(entry.cookie, due: now + max(rest, 1000 * Self.millisecond))
            } else {
                // Asked for ever more seldom: what it has come to is known late by no more than it took.
                let age = entry.enteredAt == 0 ? rest : max(now &- entry.enteredAt, Self.firstCheck)
                trace?.checks.add(entry.cookie, due: now + max(min(rest, age), Self.firstCheck))
            }
        } else if entry.state == .synReceived, !entry.isFullSocket {
            trace?.requests.insert(entry.cookie)
            trace?.timers[entry.cookie] = now + rest
            trace?.checks.add(entry.cookie, due: now + max(rest, Self.firstCheck) + Self.firstCheck)
        } else if entry.state == .established, entry.inode == nil, owners != nil, !isBeginning {
            appointOwner(position, at: time)
        }
    }

    /// Sets when to ask for a connection's inode, by which its owners are found: it has none before it is accepted.
    mutating func appointOwner(_ position: Int, at time: EventTime) {
        let entry = table.entries[position]
        guard entry.inode == nil else { return }
        let now = time.monotonicNanoseconds
        let age = max(now &- min(entry.enteredAt, now), Self.firstCheck)
        trace?.checks.add(entry.cookie, due: now + age)
    }

    /// When to ask for a request or for what is missing, monotonic nanoseconds; the end of time where for nothing.
    var nextCheck: UInt64 { trace?.checks.next ?? .max }

    /// When to ask for a TIME_WAIT.
    var nextEnd: UInt64 { trace?.ends.next ?? .max }

    /// The next that it is time to ask for.
    mutating func takeCheck(at time: UInt64) -> SocketIdentity? {
        while let cookie = trace?.checks.take(dueAt: time) {
            if let position = table.position(of: cookie) { return table.entries[position].identity }
        }
        return nil
    }

    /// The next TIME_WAIT that should have ended.
    mutating func takeEnd(at time: UInt64) -> SocketIdentity? {
        while let cookie = trace?.ends.take(dueAt: time) {
            guard let position = table.position(of: cookie) else { continue }
            let entry = table.entries[position]
            if entry.flags.contains(.isMinisocket) { return entry.identity }
        }
        return nil
    }

    /// What an answer says of its connection, unless the trace has told more since.
    mutating func settle(_ answer: Answer, at time: EventTime, emit: (Transition) -> Void) {
        let cookie = answer.identity.cookie
        guard let position = table.position(of: cookie) else {
            if let socket = answer.socket, trace?.departed?.contains(cookie) != true {
                observe(socket, at: time, emit: emit)
            }
            return
        }
        let entry = table.entries[position]
        guard entry.enteredAt < answer.time else { return }
        // The kernel takes a socket out of its table a moment before it reports the step, and changes its state a moment
        // after. Twice is no moment.
        let isHeld = entry.flags.contains(.isHeld)
        let isContradicted =
            answer.socket.map { $0.state != entry.state && entry.isTraceable && !isHeld } ?? entry.isFullSocket
        if isContradicted, !entry.flags.contains(.isMissing) {
            table.entries[position].flags.insert(.isMissing)
            trace?.checks.add(cookie, due: time.monotonicNanoseconds + 10 * Self.firstCheck)
            return
        }
        if let socket = answer.socket { return _ = observe(socket, at: time, emit: emit) }
        let place = isHeld ? release(position, as: entry.identity.local, at: time, emit: emit) : position
        var last = transition(
            of: entry,
            from: entry.state,
            to: .closed,
            via: TCPStateMachine.passed(from: entry.state, to: .closed, side: entry.side),
            source: .poll,
            at: time
        )
        if isMissed(entry) { last.certainty = .inferred }
        last.cause = answer.isReplaced ? .reuse : cause(of: entry, goneAt: answer.time)
        end(place, by: last, emit: emit)
    }

    /// What ended a request or a minisocket: its timer, or before that a RST.
    private func cause(of entry: KnownConnection, goneAt time: UInt64) -> TCPStep.Trigger? {
        guard let due = trace?.timers[entry.cookie], !entry.isFullSocket else { return nil }
        switch entry.state {
        case .timeWait: return time >= due ? .timeWaitTimeout : .receiveRST
        case .synReceived: return time >= due ? .timeout : .receiveRST
        // One that was never seen may have become a TIME_WAIT and given way.
        case .finWait2: return time >= due ? .timeout : nil
        default: return nil
        }
    }

    /// Whether a row of a dump says what is known; the trace has told it, or will.
    mutating func confirms(_ record: borrowing some SocketFields & ~Escapable) -> Bool {
        guard let position = table.position(of: record.cookie) else { return false }
        let entry = table.entries[position]
        let (state, isMinisocket) = (record.state, record.isMinisocket)
        // What is left of a socket, beside the minisocket in its place.
        if state == .closed, !isMinisocket, entry.flags.contains(.isMinisocket) { return true }
        guard entry.state == state, entry.flags.contains(.isMinisocket) == isMinisocket,
            !entry.flags.contains(.isHeld)
        else { return false }
        touch(position)
        if entry.inode == nil, record.inode != nil {
            table.entries[position].learnOwner(record)
            owners?.note(record)
        }
        if filter != nil {
            let isFound = finds(record, table.entries[position])
            if isFound != entry.flags.contains(.isFound) {
                table.entries[position].flags.formSymmetricDifference(.isFound)
            }
        }
        return true
    }

    /// Whether a row of a dump of handshakes tells what the trace does not: a request, or a port.
    mutating func isNews(_ record: borrowing SocketRecord) -> Bool {
        guard let position = table.position(of: record.cookie) else {
            return record.state == .synReceived && record.inode == nil
        }
        return table.entries[position].flags.contains(.isHeld) && record.local.port != 0
    }

    /// What the dump that has just ended did not show and should have, by what was known before it began.
    func missing(since time: UInt64) -> [SocketIdentity] {
        table.entries.filter { $0.generation != generation && $0.enteredAt < time && $0.isListed }.map(\.identity)
    }

    /// Ends the sockets without a connection that two dumps have not shown: no lookup finds those.
    mutating func endUnlisted(since start: UInt64, at time: EventTime, emit: (Transition) -> Void) {
        for position in table.entries.indices.reversed() {
            let entry = table.entries[position]
            guard entry.generation != generation, entry.enteredAt < start, !entry.isListed else { continue }
            if entry.flags.contains(.isMissing) {
                end(position, evidence: .none, source: .poll, at: time, emit: emit)
            } else {
                table.entries[position].flags.insert(.isMissing)
            }
        }
    }

    /// Whether a TIME_WAIT that is gone was there for its whole time.
    mutating func isDue(_ cookie: SocketCookie, at time: UInt64) -> Bool {
        guard let position = table.position(of: cookie), table.entries[position].state == .timeWait,
            let due = trace?.timers[cookie]
        else { return true }
        return time >= due
    }

    /// The half-open requests that are known, less those that a dump has just shown.
    func requests(besides shown: Set<SocketCookie>) -> [SocketCookie] {
        guard let trace else { return [] }
        return trace.requests.filter { !shown.contains($0) }
    }

    /// The name of a connection that is known.
    mutating func identity(of cookie: SocketCookie) -> SocketIdentity? {
        table.position(of: cookie).map { table.entries[$0].identity }
    }

    /// Forgets what is remembered of a connection beside its entry.
    mutating func forget(_ entry: KnownConnection) {
        trace?.requests.remove(entry.cookie)
        trace?.timers[entry.cookie] = nil
        trace?.held[entry.cookie] = nil
        trace?.resets[entry.cookie] = nil
        trace?.departed?.insert(entry.cookie)
        if entry.flags.contains(.isMinisocket), trace?.minisockets[entry.endpoints] == entry.cookie {
            trace?.minisockets[entry.endpoints] = nil
        }
    }
}
