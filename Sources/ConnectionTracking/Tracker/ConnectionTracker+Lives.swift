internal import SocketValues

/// What is reported of a life. What a life has reported is a walk of ``TCPStateMachine`` whose times never go back, and
/// it ends once.
extension ConnectionTracker {
    /// What of a transition the caller knows.
    struct Report {
        var to: TCPState
        var via: [TCPState] = []
        var certainty: Transition.Certainty
        var source: Transition.Source
        var time: EventTime
        /// What took the connection along it; nil for the cause that the transition has where it has one alone.
        var cause: TCPStep.Trigger?
        var pid: Int32?
        var processName: ProcessName?
        var resetReason: ResetReason?
        /// The states in which the filter finds the socket now; nil for what is remembered.
        var matching: StateMask?
    }

    /// A connection begins on a socket that was bound, or whose former connection has ended.
    mutating func begin(
        _ place: SocketTable.Place,
        _ endpoints: Endpoints,
        side: OpeningSide,
        source: Transition.Source,
        at openedAt: UInt64
    ) {
        let old = sockets[place]
        let next = old.state == .bound ? old.incarnation : nextIncarnation(of: old.cookie)
        displace(by: endpoints, source: source, at: now)
        if old.isClosedSocket { closed.remove() }
        sockets[place].begin(endpoints, side: side, at: openedAt)
        sockets[place].incarnation = next
        if old.state == .bound { sockets[place].enteredAt = old.enteredAt }
    }

    /// Reports a transition from the state that the connection is in, and takes it there.
    mutating func advance(_ place: SocketTable.Place, _ report: Report) {
        if let transition = transition(place, report) { outputs.append(.transition(transition)) }
        move(place, to: report.to, at: isBeginning ? 0 : report.time.monotonicNanoseconds)
    }

    /// Notes that a connection has come to another state.
    mutating func move(_ place: SocketTable.Place, to state: TCPState, at time: UInt64) {
        let entry = sockets[place]
        noteListener(entry, from: entry.state, to: state, at: time)
        sockets[place].state = state
        sockets[place].enteredAt = max(entry.enteredAt, time)
    }

    /// Takes a connection to its end; a first transition that waits for its port is reported without one before. Where
    /// `mayHoldSocket`, a program may still have its descriptor, and connect again.
    mutating func end(
        _ place: SocketTable.Place,
        _ report: Report,
        counters: SocketCounters? = nil,
        mayHoldSocket: Bool = false
    ) {
        if sockets[place].flags.contains(.isDeferred) { learnPort(place, sockets[place].endpoints) }
        if let last = lastTransition(place, report, counters) { outputs.append(.transition(last)) }
        forget(place, mayHoldSocket: mayHoldSocket)
    }

    /// The last transition of a connection, with what it came to; nil where the filter leaves it out.
    mutating func lastTransition(
        _ place: SocketTable.Place,
        _ report: Report,
        _ measured: SocketCounters?
    ) -> Transition? {
        let entry = sockets[place]
        guard entry.state != .closed, var last = transition(place, report) else { return nil }
        guard entry.state != .listen, entry.state != .bound else { return last }
        let counters = sockets.counters(place) ?? measured
        let duration = Self.elapsed(since: sockets.openedAt(place), until: last.time)
        if counters != nil || duration != nil {
            last.final = counters.map(FinalCounters.init) ?? FinalCounters()
            last.final?.duration = duration
        }
        return last
    }

    /// Forgets a connection that has ended, or keeps its socket in CLOSED.
    mutating func forget(_ place: SocketTable.Place, mayHoldSocket: Bool = false) {
        let entry = sockets[place]
        noteListener(entry, from: entry.state, to: .closed, at: now.monotonicNanoseconds)
        if !entry.isClosedSocket { recentNumbers.note(entry.cookie, entry.incarnation) }
        if entry.flags.contains(.isDeferred) { deferred[entry.cookie] = nil }
        if !oldErrors.isEmpty, entry.kind == .socket { oldErrors[entry.cookie] = nil }
        dump?.departed.insert(entry.cookie)
        questions.noteDeparture(of: entry.cookie, isDestroyed: entry.flags.contains(.isDestroyed))
        // A request may have become a socket that no dump has shown.
        let mayBeChild = entry.kind == .request && configuration.reportsDestroyed && !configuration.reportsTransitions
        if entry.kind == .minisocket && entry.flags.contains(.isUnclaimed) || mayBeChild {
            lateNames.noteEnd(of: entry.cookie, between: entry.endpoints, at: now.monotonicNanoseconds)
            timers.add(entry.cookie, due: now.monotonicNanoseconds + LateNames.timeout)
        }
        if mayHoldSocket, entry.kind == .socket, !entry.isClosedSocket {
            sockets[place].state = .closed
            sockets[place].enteredAt = now.monotonicNanoseconds
            keepClosed(place)
        } else {
            if entry.isClosedSocket { closed.remove() }
            sockets.remove(place)
        }
    }

    /// A life goes on in a minisocket. Its socket stays in CLOSED where a program may still hold it.
    mutating func becomeMinisocket(_ place: SocketTable.Place, mayHoldSocket: Bool) {
        let old = sockets[place]
        sockets.change(place, to: .minisocket)
        sockets[place].flags.subtract([.isDoubted, .isDestroyed, .isDeferred])
        guard mayHoldSocket else { return }
        var rest = SocketEntry(
            old.name,
            .socket,
            in: .closed,
            enteredAt: now.monotonicNanoseconds,
            generation: generation,
            matching: old.matching
        )
        rest.incarnation = old.incarnation
        rest.learnOwner(inode: old.inode, uid: old.uid)
        keepClosed(sockets.insert(rest))
    }

    /// Keeps a socket whose connection has ended: for the kernel's message about it, and for its next connection.
    mutating func keepClosed(_ place: SocketTable.Place) {
        sockets[place].flags.subtract([.isDoubted, .isDestroyed, .isDeferred, .isAsked])
        sockets[place].flags.insert(.hasCarried)
        noteClosed(place)
    }

    /// Another socket in CLOSED is remembered: for a time, and where there are too many, the oldest no longer.
    mutating func noteClosed(_ place: SocketTable.Place) {
        let entry = sockets[place]
        closed.add(entry.cookie, since: entry.enteredAt)
        timers.add(entry.cookie, due: now.monotonicNanoseconds + ClosedSockets.timeout)
        while closed.isFull, let oldest = closed.takeOldest() {
            guard let place = closedSocket(oldest.cookie, since: oldest.since) else { continue }
            if sockets[place].flags.contains(.hasCarried) {
                recentNumbers.note(oldest.cookie, sockets[place].incarnation)
            }
            closed.remove()
            sockets.remove(place)
        }
        guard closed.isSparse else { return }
        var all = ClosedSockets()
        swap(&all, &closed)
        all.compact { closedSocket($0, since: $1) != nil }
        closed = all
    }

    private func closedSocket(_ cookie: SocketCookie, since time: UInt64) -> SocketTable.Place? {
        sockets.places(of: cookie).first { sockets[$0].isClosedSocket && sockets[$0].enteredAt == time }
    }

    /// The number of a connection that begins under a cookie.
    func nextIncarnation(of cookie: SocketCookie) -> UInt8 {
        var next = recentNumbers.next(of: cookie)
        for place in sockets.places(of: cookie) {
            let entry = sockets[place]
            if entry.isClosedSocket, !entry.flags.contains(.hasCarried) { continue }
            next = max(next, entry.incarnation == .max ? .max : entry.incarnation + 1)
        }
        return next
    }

    /// Ends the minisocket of the same 4-tuple as a connection that has begun: the kernel has put that in its place,
    /// which it does with a TIME_WAIT alone.
    mutating func displace(by endpoints: Endpoints, source: Transition.Source, at time: EventTime) {
        guard endpoints.localPort != 0, let place = sockets.minisocket(between: endpoints) else { return }
        let old = sockets[place]
        guard old.enteredAt <= time.monotonicNanoseconds else { return }
        end(
            place,
            Report(
                to: .closed,
                via: old.state == .timeWait ? [] : TCPStateMachine.passed(from: old.state, to: .timeWait) + [.timeWait],
                certainty: old.state == .timeWait ? .observed : .inferred,
                source: source,
                time: time,
                cause: .reuse
            )
        )
    }

    /// A transition of what is remembered, in its order of time; nil where the filter leaves it out, and before the
    /// first dump has ended: what that has shown is reported as existing.
    mutating func transition(_ place: SocketTable.Place, _ report: Report) -> Transition? {
        let entry = sockets[place]
        if let matching = report.matching { sockets[place].matching = matching }
        let matching = report.matching ?? entry.matching
        guard !isBeginning else { return nil }
        let found = entry.matching.contains(entry.state) || matching.contains(report.to)
        guard found || report.via.contains(where: { matching.contains($0) }) else { return nil }
        let time = report.time.at(max(report.time.monotonicNanoseconds, entry.enteredAt))
        var transition = Transition(
            entry.name.identity,
            from: entry.state,
            to: report.to,
            via: report.via,
            certainty: report.certainty,
            source: report.source,
            time: time
        )
        transition.incarnation = entry.incarnation
        let before = report.via.last ?? entry.state
        transition.cause = report.cause ?? TCPStateMachine.soleTrigger(from: before, to: report.to)
        (transition.pid, transition.resetReason) = (report.pid, report.resetReason)
        transition.processName = report.pid == nil ? nil : report.processName
        transition.openedBy = entry.side
        transition.timeInState = entry.state == .closed ? nil : Self.elapsed(since: entry.enteredAt, until: time)
        if transition.endsOpenTime { transition.timeOpen = Self.elapsed(since: sockets.openedAt(place), until: time) }
        (transition.uid, transition.inode) = (entry.uid, entry.inodeIfKnown)
        return transition
    }

    static func elapsed(since start: UInt64, until time: EventTime) -> Duration? {
        guard start != 0, time.monotonicNanoseconds >= start else { return nil }
        return .nanoseconds(Int64(clamping: time.monotonicNanoseconds - start))
    }

    private mutating func noteListener(_ entry: SocketEntry, from: TCPState, to: TCPState, at time: UInt64) {
        if from == .listen { listeners.remove(entry.endpoints.localPort) }
        if to == .listen {
            listeners.add(entry.endpoints.localPort, since: entry.enteredAt == 0 && isBeginning ? 0 : time)
        }
    }
}
