internal import SocketValues

/// The transitions that tracepoints report. They do not report the half-open request and the minisocket after an active
/// close: those are derived, and looked up when the kernel's timers are due.
extension ConnectionTracker {
    mutating func take(_ transition: TracedTransition) {
        // close() after shutdown() sets the state once more.
        guard transition.from != transition.to else { return }
        guard let place = sockets.socket(transition.name.cookie) else { return open(transition) }
        let entry = sockets[place]
        let isOther =
            entry.isConnected
            && (transition.from == .closed || !entry.endpoints.isCompatible(with: transition.name.endpoints))
        if !isOther, entry.state == transition.from || (transition.from == .closed && entry.state == .bound) {
            return follow(place, transition)
        }
        // A dump or a lookup has shown it sooner than the report was read.
        if entry.isClosedSocket, hasShownRest(of: transition) { return }
        let shownAt = entry.enteredAt == 0 ? shownUntil : entry.enteredAt
        guard now.monotonicNanoseconds > shownAt else { return }
        // Reports before this one were lost.
        if !isOther, entry.flags.contains(.isDeferred) { learnPort(place, transition.name.endpoints) }
        if !entry.isListed {
            // Those of the beginning of another connection, or of one since it was seen bound.
            begin(place, transition)
            fill(place, to: transition.from, transition.matching)
            return follow(place, transition)
        }
        if !isOther, transition.from != .closed,
            let via = TCPStateMachine.route(from: entry.state, to: transition.from, side: entry.side)
        {
            advance(place, lostReport(to: transition.from, via: via, transition.matching))
            // A port that is cleared with the last transition may have been another connection's.
            if transition.name.endpoints.localPort == 0 { sockets[place].endpoints.localPort = 0 }
            return follow(place, transition)
        }
        setAside(place, for: transition.name.endpoints, source: .trace)
        take(transition)
    }

    private func lostReport(to state: TCPState, via: [TCPState], _ matching: StateMask?) -> Report {
        Report(to: state, via: via, certainty: .inferred, source: .trace, time: now, matching: matching)
    }

    /// Reports the transitions that must have led to a state, of which nothing was reported.
    private mutating func fill(_ place: SocketTable.Place, to state: TCPState, _ matching: StateMask) {
        let entry = sockets[place]
        let via = TCPStateMachine.passed(from: entry.state, to: state, side: entry.side)
        if entry.state != state { advance(place, lostReport(to: state, via: via, matching)) }
    }

    /// The first report of a socket.
    private mutating func open(_ transition: TracedTransition) {
        reportWaiting(transition.name.cookie)
        let isChild = transition.from == .synReceived
        let isNew = isChild || transition.from == .closed
        let wasThere = !isNew && now.monotonicNanoseconds <= shownUntil
        // It had ended before the first dump came to it, or that has shown what is left of it.
        if wasThere, transition.to == .closed { return }
        if hasShownRest(of: transition) { return }
        let beganAt = isChild ? requestTime(of: transition) : now.monotonicNanoseconds
        let isAccepted = isChild || listeners.contains(transition.name.endpoints.localPort)
        var entry = SocketEntry(
            transition.name,
            .socket,
            in: isNew || !wasThere ? .closed : transition.from,
            side: transition.to == .synSent ? .active : isAccepted ? .passive : .unknown,
            enteredAt: wasThere ? 0 : beganAt,
            generation: generation,
            matching: transition.matching
        )
        entry.incarnation = nextIncarnation(of: transition.name.cookie)
        entry.learnOwner(inode: 0, uid: transition.uid)
        displace(by: transition.name.endpoints, source: .trace, at: now.at(beganAt))
        let place = sockets.insert(entry)
        if isChild {
            dump?.children.insert(transition.name.endpoints)
            // The request was not reported. That there was one follows from its child.
            advance(
                place,
                Report(
                    to: .synReceived,
                    certainty: .derived,
                    source: .trace,
                    time: now.at(beganAt),
                    cause: .receiveSYN,
                    matching: transition.matching
                )
            )
        } else if !isNew, !wasThere {
            fill(place, to: transition.from, transition.matching)
        }
        follow(place, transition, isOpening: true)
    }

    /// A connection that changed its state while the first dump ran may have been missed by that: it was there before.
    /// Or the dump has shown its socket bound, and then what is left of it.
    mutating func noteExisting(before transition: TracedTransition) {
        if let bound = sockets.socket(transition.name.cookie), sockets[bound].state == .bound,
            let rest = existingRest(of: transition.name)
        {
            sockets[rest].incarnation = sockets[bound].incarnation
            return sockets.remove(bound)
        }
        guard transition.from != .closed, transition.from != .synReceived, transition.to != .closed,
            transition.from != transition.to,
            sockets.places(of: transition.name.cookie).isEmpty,
            sockets.minisocket(between: transition.name.endpoints) == nil
        else { return }
        var entry = SocketEntry(
            transition.name,
            .socket,
            in: .closed,
            side: listeners.contains(transition.name.endpoints.localPort) ? .passive : .unknown,
            enteredAt: 0,
            generation: generation,
            matching: transition.matching
        )
        entry.learnOwner(inode: 0, uid: transition.uid)
        move(sockets.insert(entry), to: transition.from, at: 0)
    }

    /// The minisocket of a socket that the first dump has shown, where what is reported came before. It has another cookie
    /// where the socket was given its own with this very report.
    private func existingRest(of name: SocketName) -> SocketTable.Place? {
        guard now.monotonicNanoseconds <= shownUntil else { return nil }
        let known = sockets.places(of: name.cookie).first { place in
            sockets[place].kind == .minisocket && sockets[place].endpoints.isCompatible(with: name.endpoints)
        }
        guard let place = known ?? sockets.minisocket(between: name.endpoints), sockets[place].enteredAt == 0 else {
            return nil
        }
        return place
    }

    /// Whether the minisocket that a report implies has been shown before it was read. The kernel puts that in its place a
    /// moment before it reports the socket's last transition: what was measured is all that is new.
    private mutating func hasShownRest(of transition: TracedTransition) -> Bool {
        if existingRest(of: transition.name) != nil { return true }
        guard transition.to == .closed, transition.from != .closed,
            let place = sockets.minisocket(transition.name.cookie, transition.name.endpoints),
            now.monotonicNanoseconds < sockets[place].enteredAt + Self.moment
        else { return false }
        if let rest = transition.rest, sockets.counters(place) == nil { sockets.keep(rest.payload, at: place) }
        return true
    }

    /// When the request of a child came: the kernel measures how long the handshake's last ACK took. Not before there was a
    /// listener, nor before the client's SYN where that is known: where SYN cookies are sent there was no request, and the
    /// measurement is of something else.
    private mutating func requestTime(of transition: TracedTransition) -> UInt64 {
        let time = now.monotonicNanoseconds
        let endpoints = transition.name.endpoints
        // The first dump has not shown it.
        var begin = max(
            time - min(UInt64(transition.rtt) * 1000, time),
            shownUntil,
            recentSYNs.time(from: endpoints.reversed)
        )
        if listeners.contains(endpoints.localPort) {
            begin = max(begin, listeners.since(endpoints.localPort))
        } else {
            // Its listener may be one whose port is not known yet.
            for transition in deferred.values where transition.to == .listen {
                if let place = sockets.socket(transition.name.cookie) { begin = max(begin, sockets[place].enteredAt) }
            }
        }
        return min(time, begin)
    }

    /// Takes a connection along the transition that the kernel reported, which may open it.
    private mutating func follow(_ place: SocketTable.Place, _ transition: TracedTransition, isOpening: Bool = false) {
        touch(place)
        if sockets[place].flags.contains(.isDeferred) { learnPort(place, transition.name.endpoints) }
        sockets[place].learnOwner(inode: 0, uid: transition.uid)
        if sockets[place].kind == .request { sockets.change(place, to: .socket) }
        if transition.to == .closed { return finish(place, transition) }
        noteError(of: transition)
        if !isOpening, !sockets[place].isListed { begin(place, transition) }
        // A RST that was reported before belongs to no later transition.
        _ = resets.take(transition.name.cookie)
        if transition.to == .synSent || transition.to == .listen, transition.name.endpoints.localPort == 0 {
            deferFirstTransition(place, transition)
        } else {
            advance(
                place,
                Report(
                    to: transition.to,
                    certainty: .exact,
                    source: .trace,
                    time: now,
                    pid: transition.isCall ? transition.pid : nil,
                    processName: transition.processName,
                    matching: transition.matching
                )
            )
        }
        if transition.to == .synSent { recentSYNs.note(sockets[place].endpoints, at: now.monotonicNanoseconds) }
        if transition.to == .established { scheduleOwner(place) }
    }

    private mutating func begin(_ place: SocketTable.Place, _ transition: TracedTransition) {
        reportWaiting(transition.name.cookie)
        let side = transition.to == .synSent ? OpeningSide.active : .unknown
        begin(place, transition.name.endpoints, side: side, source: .trace, at: now.monotonicNanoseconds)
    }

    // MARK: First transitions without a port

    /// The kernel reports CLOSED → SYN_SENT, and LISTEN without bind(), before it has chosen the port: the transition
    /// is reported when the next report, a dump or a retransmission has it.
    private mutating func deferFirstTransition(_ place: SocketTable.Place, _ transition: TracedTransition) {
        let cookie = transition.name.cookie
        move(place, to: transition.to, at: now.monotonicNanoseconds)
        sockets[place].flags.insert(.isDeferred)
        deferred[cookie] = transition
        timers.add(cookie, due: now.monotonicNanoseconds + 1_000_000_000)
    }

    /// Learns this end's port, of a connection or a listener that was reported before it had one; reports its first
    /// transition where that has waited for it.
    mutating func learnPort(_ place: SocketTable.Place, _ endpoints: Endpoints) {
        let entry = sockets[place]
        if entry.state == .listen { listeners.remove(entry.endpoints.localPort) }
        sockets[place].endpoints.localPort = endpoints.localPort
        (sockets[place].endpoints.localHigh, sockets[place].endpoints.localLow) = (
            endpoints.localHigh, endpoints.localLow
        )
        if entry.state == .listen { listeners.add(endpoints.localPort, since: entry.enteredAt) }
        sockets[place].flags.remove(.isDeferred)
        guard let transition = deferred.removeValue(forKey: entry.cookie), transition.to == entry.state else { return }
        let time = now.at(entry.enteredAt)
        displace(by: sockets[place].endpoints, source: .trace, at: time)
        if transition.to == .synSent { recentSYNs.note(sockets[place].endpoints, at: entry.enteredAt) }
        // What was entered when it began, and not yet reported.
        sockets[place].state = transition.from
        let report = Report(
            to: transition.to,
            certainty: .exact,
            source: .trace,
            time: time,
            pid: transition.isCall ? transition.pid : nil,
            processName: transition.processName,
            matching: transition.matching
        )
        if let first = self.transition(place, report) { outputs.append(.transition(first)) }
        sockets[place].state = transition.to
    }

    /// Remembers the error that a socket has, for its last transition.
    private mutating func noteError(of transition: TracedTransition) {
        let error = transition.rest?.error ?? .none
        if error != .none {
            oldErrors[transition.name.cookie] = error
        } else if !oldErrors.isEmpty {
            oldErrors[transition.name.cookie] = nil
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
        // The request was there before; the socket's own transition was lost.
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
        sockets.changeBucket(place) { $0.lastTransitionAt = time }
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
        // Where transitions were lost it may have listened, or connected, since it was seen.
        end(place, Report(to: .closed, certainty: hasLostReports ? .inferred : .exact, source: .trace, time: now))
    }
}

extension TracedTransition {
    /// Whether a call of the program causes the transition: connect, listen, close, shutdown. What a segment does may
    /// be done in the process too, when it has held the socket meanwhile, and is not its doing.
    var isCall: Bool {
        switch (from, to) {
        case (_, .synSent), (_, .listen), (_, .finWait1), (.closeWait, .lastAck), (.listen, .closed): true
        default: false
        }
    }
}
