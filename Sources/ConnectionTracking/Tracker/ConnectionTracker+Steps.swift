internal import SocketValues

/// The steps that tracepoints report. They do not report the half-open request and the minisocket after an active close:
/// those are derived, and looked up when the kernel's timers are due.
extension ConnectionTracker {
    mutating func take(_ step: TracedStep) {
        // close() after shutdown() sets the state once more.
        guard step.from != step.to else { return }
        guard let place = sockets.socket(step.name.cookie) else { return open(step) }
        let entry = sockets[place]
        let isOther =
            entry.isConnected && (step.from == .closed || !entry.endpoints.isCompatible(with: step.name.endpoints))
        if !isOther, entry.state == step.from || (step.from == .closed && entry.state == .bound) {
            return follow(place, step)
        }
        // A dump has shown it sooner than the report was read.
        if entry.isClosedSocket, existingRest(of: step.name) != nil { return }
        let shownAt = entry.enteredAt == 0 ? shownUntil : entry.enteredAt
        guard now.monotonicNanoseconds > shownAt else { return }
        // Reports before this one were lost.
        if !isOther, entry.flags.contains(.isDeferred) { learnPort(place, step.name.endpoints) }
        if !entry.isListed {
            // Those of the beginning of another connection, or of one since it was seen bound.
            begin(place, step)
            fill(place, to: step.from, step.matching)
            return follow(place, step)
        }
        if !isOther, step.from != .closed,
            let via = TCPStateMachine.route(from: entry.state, to: step.from, side: entry.side)
        {
            advance(place, lostReport(to: step.from, via: via, step.matching))
            // A port that is cleared with the last step may have been another connection's.
            if step.name.endpoints.localPort == 0 { sockets[place].endpoints.localPort = 0 }
            return follow(place, step)
        }
        setAside(place, for: step.name.endpoints, source: .trace)
        take(step)
    }

    private func lostReport(to state: TCPState, via: [TCPState], _ matching: StateMask?) -> Report {
        Report(to: state, via: via, certainty: .inferred, source: .trace, time: now, matching: matching)
    }

    /// Reports the steps that must have led to a state, of which nothing was reported.
    private mutating func fill(_ place: SocketTable.Place, to state: TCPState, _ matching: StateMask) {
        let entry = sockets[place]
        let via = TCPStateMachine.passed(from: entry.state, to: state, side: entry.side)
        if entry.state != state { advance(place, lostReport(to: state, via: via, matching)) }
    }

    /// The first report of a socket.
    private mutating func open(_ step: TracedStep) {
        reportWaiting(step.name.cookie)
        let isChild = step.from == .synReceived
        let isNew = isChild || step.from == .closed
        let wasThere = !isNew && now.monotonicNanoseconds <= shownUntil
        // It had ended before the first dump came to it, or that has shown what is left of it.
        if wasThere, step.to == .closed { return }
        if existingRest(of: step.name) != nil { return }
        let beganAt = isChild ? requestTime(of: step) : now.monotonicNanoseconds
        let isAccepted = isChild || listeners.contains(step.name.endpoints.localPort)
        var entry = SocketEntry(
            step.name,
            .socket,
            in: isNew || !wasThere ? .closed : step.from,
            side: step.to == .synSent ? .active : isAccepted ? .passive : .unknown,
            enteredAt: wasThere ? 0 : beganAt,
            generation: generation,
            matching: step.matching
        )
        entry.incarnation = nextIncarnation(of: step.name.cookie)
        entry.learnOwner(inode: 0, uid: step.uid)
        displace(by: step.name.endpoints, source: .trace, at: now.at(beganAt))
        let place = sockets.insert(entry)
        if isChild {
            dump?.children.insert(step.name.endpoints)
            // The request was not reported. That there was one follows from its child.
            advance(
                place,
                Report(
                    to: .synReceived,
                    certainty: .derived,
                    source: .trace,
                    time: now.at(beganAt),
                    cause: .receiveSYN,
                    matching: step.matching
                )
            )
        } else if !isNew, !wasThere {
            fill(place, to: step.from, step.matching)
        }
        follow(place, step, isOpening: true)
    }

    /// A connection that took a step while the first dump ran may have been missed by that: it was there before its first step.
    /// Or the dump has shown its socket bound, and then what is left of it.
    mutating func noteExisting(before step: TracedStep) {
        if let bound = sockets.socket(step.name.cookie), sockets[bound].state == .bound,
            let rest = existingRest(of: step.name)
        {
            sockets[rest].incarnation = sockets[bound].incarnation
            return sockets.remove(bound)
        }
        guard step.from != .closed, step.from != .synReceived, step.to != .closed, step.from != step.to,
            sockets.places(of: step.name.cookie).isEmpty, sockets.minisocket(between: step.name.endpoints) == nil
        else { return }
        var entry = SocketEntry(
            step.name,
            .socket,
            in: .closed,
            side: listeners.contains(step.name.endpoints.localPort) ? .passive : .unknown,
            enteredAt: 0,
            generation: generation,
            matching: step.matching
        )
        entry.learnOwner(inode: 0, uid: step.uid)
        move(sockets.insert(entry), to: step.from, at: 0)
    }

    /// The minisocket of a socket that the first dump has shown, where what is reported came before.
    private func existingRest(of name: SocketName) -> SocketTable.Place? {
        guard now.monotonicNanoseconds <= shownUntil else { return nil }
        return sockets.places(of: name.cookie).first { place in
            let entry = sockets[place]
            return entry.kind == .minisocket && entry.enteredAt == 0
                && entry.endpoints.isCompatible(with: name.endpoints)
        }
    }

    /// When the request of a child came: the kernel measures how long the handshake's last ACK took. Not before there was a
    /// listener, nor before the client's SYN where that is known: where SYN cookies are sent there was no request, and the
    /// measurement is of something else.
    private mutating func requestTime(of step: TracedStep) -> UInt64 {
        let time = now.monotonicNanoseconds
        let endpoints = step.name.endpoints
        // The first dump has not shown it.
        var begin = max(
            time - min(UInt64(step.rtt) * 1000, time),
            shownUntil,
            recentSYNs.time(from: endpoints.reversed)
        )
        if listeners.contains(endpoints.localPort) {
            begin = max(begin, listeners.since(endpoints.localPort))
        } else {
            // Its listener may be one whose port is not known yet.
            for step in deferred.values where step.to == .listen {
                if let place = sockets.socket(step.name.cookie) { begin = max(begin, sockets[place].enteredAt) }
            }
        }
        return min(time, begin)
    }

    /// Takes a connection along the step that the kernel reported, which may open it.
    private mutating func follow(_ place: SocketTable.Place, _ step: TracedStep, isOpening: Bool = false) {
        touch(place)
        if sockets[place].flags.contains(.isDeferred) { learnPort(place, step.name.endpoints) }
        sockets[place].learnOwner(inode: 0, uid: step.uid)
        if sockets[place].kind == .request { sockets.change(place, to: .socket) }
        if step.to == .closed { return finish(place, step) }
        noteError(of: step)
        if !isOpening, !sockets[place].isListed { begin(place, step) }
        // A RST that was reported before belongs to no later step.
        _ = resets.take(step.name.cookie)
        if step.to == .synSent || step.to == .listen, step.name.endpoints.localPort == 0 {
            deferFirstStep(place, step)
        } else {
            advance(
                place,
                Report(
                    to: step.to,
                    certainty: .exact,
                    source: .trace,
                    time: now,
                    pid: step.isCall ? step.pid : nil,
                    matching: step.matching
                )
            )
        }
        if step.to == .synSent { recentSYNs.note(sockets[place].endpoints, at: now.monotonicNanoseconds) }
        if step.to == .established { scheduleOwner(place) }
    }

    private mutating func begin(_ place: SocketTable.Place, _ step: TracedStep) {
        reportWaiting(step.name.cookie)
        let side = step.to == .synSent ? OpeningSide.active : .unknown
        begin(place, step.name.endpoints, side: side, source: .trace, at: now.monotonicNanoseconds)
    }

    // MARK: First steps without a port

    /// The kernel reports CLOSED → SYN_SENT, and LISTEN without bind(), before it has chosen the port: the step is reported
    /// when the next report, a dump or a retransmission has it.
    private mutating func deferFirstStep(_ place: SocketTable.Place, _ step: TracedStep) {
        let cookie = step.name.cookie
        move(place, to: step.to, at: now.monotonicNanoseconds)
        sockets[place].flags.insert(.isDeferred)
        deferred[cookie] = step
        timers.add(cookie, due: now.monotonicNanoseconds + 1_000_000_000)
    }

    /// Learns this end's port, of a connection or a listener that was reported before it had one; reports its first step where
    /// that has waited for it.
    mutating func learnPort(_ place: SocketTable.Place, _ endpoints: Endpoints) {
        let entry = sockets[place]
        if entry.state == .listen { listeners.remove(entry.endpoints.localPort) }
        sockets[place].endpoints.localPort = endpoints.localPort
        (sockets[place].endpoints.localHigh, sockets[place].endpoints.localLow) = (
            endpoints.localHigh, endpoints.localLow
        )
        if entry.state == .listen { listeners.add(endpoints.localPort, since: entry.enteredAt) }
        sockets[place].flags.remove(.isDeferred)
        guard let step = deferred.removeValue(forKey: entry.cookie), step.to == entry.state else { return }
        let time = now.at(entry.enteredAt)
        displace(by: sockets[place].endpoints, source: .trace, at: time)
        if step.to == .synSent { recentSYNs.note(sockets[place].endpoints, at: entry.enteredAt) }
        // What was entered when it began, and not yet reported.
        sockets[place].state = step.from
        let report = Report(
            to: step.to,
            certainty: .exact,
            source: .trace,
            time: time,
            pid: step.isCall ? step.pid : nil,
            matching: step.matching
        )
        if let first = transition(place, report) { outputs.append(.transition(first)) }
        sockets[place].state = step.to
    }

    /// Remembers the error that a socket has, for its last step.
    private mutating func noteError(of step: TracedStep) {
        let error = step.rest?.error ?? .none
        if error != .none {
            oldErrors[step.name.cookie] = error
        } else if !oldErrors.isEmpty {
            oldErrors[step.name.cookie] = nil
        }
    }

    // MARK: Retransmissions, bound sockets

    /// A SYN or a SYN+ACK was sent once more: what it belongs to is known by now, or is now.
    mutating func take(_ handshake: RetransmittedHandshake) {
        let name = handshake.name
        if let place = sockets.socket(name.cookie) {
            if sockets[place].flags.contains(.isDeferred) { learnPort(place, name.endpoints) }
            noteAnswer(place)
            return
        }
        displace(by: name.endpoints, source: .trace, at: now)
        var entry = SocketEntry(
            name,
            handshake.isRequest ? .request : .socket,
            in: .closed,
            side: handshake.isRequest ? .passive : .active,
            enteredAt: now.monotonicNanoseconds,
            generation: generation,
            matching: []
        )
        entry.incarnation = nextIncarnation(of: name.cookie)
        let place = sockets.insert(entry)
        // The request was there before; the socket's own step was lost.
        advance(
            place,
            Report(
                to: handshake.isRequest ? .synReceived : .synSent,
                certainty: handshake.isRequest ? .observed : .inferred,
                source: .trace,
                time: now,
                matching: handshake.matching
            )
        )
        noteAnswer(place)
    }

    /// A request's SYN+ACK was sent again: when the next is due, a lookup will show.
    private mutating func noteAnswer(_ place: SocketTable.Place) {
        guard sockets[place].kind == .request else { return }
        let time = now.monotonicNanoseconds
        sockets.changeBucket(place) { $0.lastStepAt = time }
        schedule(place, SocketRow(sockets[place].name, .synReceived))
    }

    /// A socket whose connection has ended is held no more. What is left of that is another object.
    mutating func release(_ cookie: SocketCookie) {
        dump?.released.insert(cookie)
        guard let place = sockets.socket(cookie), sockets[place].isClosedSocket else { return }
        closed.remove()
        sockets.remove(place)
    }

    /// A socket that was bound and no more has been closed.
    mutating func endBound(_ cookie: SocketCookie) {
        // A row that shows it is older.
        dump?.departed.insert(cookie)
        guard let place = sockets.socket(cookie) else { return }
        if sockets[place].isClosedSocket { return forget(place) }
        guard sockets[place].state == .bound else { return }
        // Where steps were lost it may have listened, or connected, since it was seen.
        end(place, Report(to: .closed, certainty: hasLostReports ? .inferred : .exact, source: .trace, time: now))
    }
}

extension TracedStep {
    /// Whether a call of the program takes the step: connect, listen, close, shutdown. What a segment does may be done in the
    /// process too, when it has held the socket meanwhile, and is not its doing.
    var isCall: Bool {
        switch (from, to) {
        case (_, .synSent), (_, .listen), (_, .finWait1), (.closeWait, .lastAck), (.listen, .closed): true
        default: false
        }
    }
}
