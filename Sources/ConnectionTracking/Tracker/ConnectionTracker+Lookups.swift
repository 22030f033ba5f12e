internal import SocketValues

/// What is looked up, when, and what the answers mean.
///
/// A lookup is made, then what the kernel has reported until then is read, then the answer is taken: what has changed since
/// it was asked is not changed by it.
extension ConnectionTracker {
    /// An orphan in FIN_WAIT_2 mostly gets the peer's FIN within a round trip.
    static var firstCheck: UInt64 { 10_000_000 }
    private static var millisecond: UInt64 { 1_000_000 }
    /// Until what a lookup contradicts is looked up again: the kernel takes a socket out of its table a moment before
    /// it reports the transition, and changes its state a moment after.
    static var moment: UInt64 { 100_000_000 }
    /// How many lookups one wake-up asks for; the next follows at once.
    private static var batch: Int { 512 }

    // MARK: Asking

    /// Asks how a known socket is now, once at a time.
    mutating func ask(_ place: SocketTable.Place) {
        guard sockets[place].isFindable else { return outputs.append(.dump(.all)) }
        guard !sockets[place].flags.contains(.isAsked) else { return }
        sockets[place].flags.insert(.isAsked)
        ask(Lookup(sockets[place].name, .state))
    }

    /// Asks for the socket of a row, which may be one that is known by other endpoints.
    mutating func ask(_ name: SocketName, about place: SocketTable.Place?) {
        if let place, sockets[place].isFindable, sockets[place].endpoints == name.endpoints { return ask(place) }
        ask(Lookup(name, .state))
    }

    mutating func ask(_ lookup: Lookup) {
        questions.noteAsked()
        outputs.append(.lookUp(lookup))
    }

    /// The time has come to ask, or to give up waiting.
    mutating func wake() {
        let time = now.monotonicNanoseconds
        for last in resets.takeDue(at: time) { reportWaiting(last) }
        lateNames.forget(until: time)
        for lookup in questions.takeRetries(at: time) { ask(lookup) }
        var asked = 0
        while asked < Self.batch, let cookie = timers.take(dueAt: time) {
            for place in sockets.places(of: cookie) { asked += check(place, at: time) ? 1 : 0 }
        }
        while asked < 2 * Self.batch, timeWaitsLateUntil <= time, let cookie = timeWaits.take(dueAt: time) {
            for place in sockets.places(of: cookie) { asked += check(place, at: time) ? 1 : 0 }
        }
    }

    /// Does what is due for one object; whether it was looked up.
    private mutating func check(_ place: SocketTable.Place, at time: UInt64) -> Bool {
        let entry = sockets[place]
        if entry.kind != .socket {
            let bucket = sockets.bucket(place)
            guard bucket.timerAt <= time else { return false }
            sockets.changeBucket(place) { $0.timerAt = .max }
            guard bucket.checkAt <= time else {
                if bucket.checkAt != .max { schedule(place, at: bucket.checkAt) }
                return false
            }
            sockets.changeBucket(place) { $0.checkAt = .max }
            ask(place)
            return true
        }
        if entry.isClosedSocket {
            // Also what waits in the queue for another reason comes by here.
            if entry.enteredAt + ClosedSockets.timeout <= time {
                closed.remove()
                sockets.remove(place)
            }
            return false
        }
        if entry.flags.contains(.isDeferred) {
            if entry.enteredAt + Self.portTimeout <= time {
                learnPort(place, entry.endpoints)  // Reported without.
            } else {
                outputs.append(.dump(.handshakes))
                timers.add(entry.cookie, due: entry.enteredAt + Self.portTimeout)
            }
            return false
        }
        let lacksInode = configuration.needsInodes && entry.inode == 0 && entry.state == .established
        guard entry.flags.contains(.isDoubted) || entry.flags.contains(.isDestroyed) || lacksInode else { return false }
        ask(place)
        return true
    }

    /// How long the first transition of a connection waits for the port that the kernel chooses; a SYN that is sent
    /// again, after a second, has it.
    static var portTimeout: UInt64 { 3_000_000_000 }

    // MARK: Planning

    /// Plans when to ask for a request or a minisocket next, by the kernel's timer.
    mutating func schedule(_ place: SocketTable.Place, _ row: SocketRow) {
        let entry = sockets[place]
        let time = now.monotonicNanoseconds
        switch entry.kind {
        case .socket: break
        case .request:
            let rest = UInt64(row.timer ?? 1000) * Self.millisecond
            // A row from before the SYN+ACK was sent again says nothing of what follows.
            let isNew = time > sockets.bucket(place).lastTransitionAt
            sockets.changeBucket(place) { $0.due = row.timer == nil ? 0 : isNew ? time + rest : $0.due }
            // Dumps show it often enough where they alone report transitions.
            if configuration.reportsTransitions {
                schedule(place, at: time + max(rest, Self.firstCheck) + Self.firstCheck)
            }
        case .minisocket:
            let rest = UInt64(row.timer ?? 1000) * Self.millisecond
            sockets.changeBucket(place) { $0.due = time + rest }
            if entry.state == .timeWait {
                // Timers of a minute end up to some seconds late.
                schedule(place, at: time + max(rest, 1000 * Self.millisecond))
            } else if configuration.reportsTransitions {
                // Asked for ever more seldom: what it has come to is known late by no more than it took.
                let age = entry.enteredAt == 0 ? rest : max(time &- min(entry.enteredAt, time), Self.firstCheck)
                schedule(place, at: time + max(min(rest, age), Self.firstCheck))
            }
        }
    }

    /// Plans the next check. A timer that fires sooner is set again then; one that would be too late is joined by another.
    mutating func schedule(_ place: SocketTable.Place, at due: UInt64) {
        let timerAt = sockets.bucket(place).timerAt
        sockets.changeBucket(place) { bucket in
            bucket.checkAt = due
            bucket.timerAt = min(timerAt, due)
        }
        guard due < timerAt else { return }
        if sockets[place].state == .timeWait {
            timeWaits.add(sockets[place].cookie, due: due)
        } else {
            timers.add(sockets[place].cookie, due: due)
        }
    }

    /// Plans to ask for a connection's inode, by which its owners are found: it has none before it is accepted.
    mutating func scheduleOwner(_ place: SocketTable.Place) {
        let entry = sockets[place]
        guard configuration.needsInodes, entry.inode == 0, entry.state == .established else { return }
        let time = now.monotonicNanoseconds
        timers.add(entry.cookie, due: time + max(time &- min(entry.enteredAt, time), Self.firstCheck))
    }

    // MARK: Answers

    mutating func take(_ answer: LookupAnswer) {
        let failed = answer.result == .failed
        questions.noteAnswered(failed: failed)
        // What has ended while it was under way is remembered until it is taken.
        defer { questions.noteTaken() }
        if failed { return retry(answer.lookup) }
        switch answer.lookup.purpose {
        case .state: takeState(answer)
        case .successor: takeSuccessor(answer)
        case .remains: takeRemains(answer)
        case .listener: takeListener(answer)
        }
    }

    /// The kernel did not answer: asks again after a pause, the longer the more often it did not.
    private mutating func retry(_ lookup: Lookup) {
        let pause = Self.firstCheck << UInt64(min(questions.failures, 10))
        let due = now.monotonicNanoseconds + pause
        if lookup.purpose == .remains || lookup.purpose == .listener {
            return questions.repeatLater(lookup, due: due)
        }
        var name = lookup.name
        name.cookie = lookup.subject
        if let place = place(of: name) {
            sockets[place].flags.remove(.isAsked)
            if sockets[place].kind == .socket {
                sockets[place].flags.insert(.isDoubted)
                timers.add(lookup.subject, due: due)
            } else {
                schedule(place, at: due)
            }
        }
    }

    private mutating func takeState(_ answer: LookupAnswer) {
        let name = answer.lookup.name
        guard let place = place(of: name) else {
            if case .found(let row) = answer.result, !questions.hasDeparted(name.cookie) { apply(row) }
            return
        }
        // Of a socket's connection, and of what is left of the one before with the same 4-tuple.
        let rest = sockets.minisocket(name.cookie, name.endpoints)
        take(answer, of: place)
        if let rest, rest != place, sockets.minisocket(name.cookie, name.endpoints) == rest { take(answer, of: rest) }
    }

    private mutating func take(_ answer: LookupAnswer, of place: SocketTable.Place) {
        sockets[place].flags.remove(.isAsked)
        let entry = sockets[place]
        if entry.flags.contains(.isDestroyed) { return settleDestroyed(place, answer) }
        guard max(entry.enteredAt, sockets.bucket(place).lastTransitionAt) < answer.askedAt else {
            if entry.kind != .socket, sockets.bucket(place).checkAt == .max {
                schedule(place, at: answer.askedAt + Self.firstCheck)
            }
            return
        }
        if case .found(let row) = answer.result {
            if row.isMinisocket, row.state == .timeWait, row.timer == 0 {
                timeWaitsLateUntil = max(timeWaitsLateUntil, answer.askedAt + Self.moment)
            }
            if entry.isTraced, isContradicted(entry, by: row), isFirstDoubt(of: place, askedAt: answer.askedAt) {
                return
            }
            if !confirm(row, settledSince: answer.askedAt) { apply(row) }
            if let place = sockets.socket(entry.cookie) { scheduleOwner(place) }
            return
        }
        if entry.kind != .minisocket, isFirstDoubt(of: place, askedAt: answer.askedAt, isGone: true) { return }
        endGone(place, askedAt: answer.askedAt)
    }

    /// The socket or minisocket that a lookup was about.
    private mutating func place(of name: SocketName) -> SocketTable.Place? {
        // A socket whose port is not known yet is compatible with what its minisocket has: whoever has these very endpoints first.
        let socket = sockets.socket(name.cookie).flatMap { sockets[$0].isClosedSocket ? nil : $0 }
        if let socket, sockets[socket].endpoints == name.endpoints { return socket }
        if let rest = sockets.minisocket(name.cookie, name.endpoints) { return rest }
        // A bound one that is destroyed is asked for by the endpoints of the message.
        return socket.flatMap {
            let isCompatible = sockets[$0].endpoints.isCompatible(with: name.endpoints)
            return isCompatible || questions.isDestroyed(name) ? $0 : nil
        }
    }

    private func isContradicted(_ entry: SocketEntry, by row: SocketRow) -> Bool {
        configuration.reportsTransitions && (row.state != entry.state || row.isMinisocket)
            && !entry.flags.contains(.isDeferred)
    }

    /// Whether a socket's end, or a transition that should have been reported, is doubted for the first time: then it is
    /// looked up once more, after a moment or after the next dump. A message about its end comes a moment after its row is
    /// gone. What looks like a request may be a Fast Open child, whose end is reported. Of two answers of the moment
    /// in which a transition was reported, the second is no other doubt.
    private mutating func isFirstDoubt(of place: SocketTable.Place, askedAt time: UInt64, isGone: Bool = false) -> Bool
    {
        let entry = sockets[place]
        guard configuration.reportsTransitions || configuration.reportsDestroyed && entry.kind == .socket else {
            return false
        }
        let isOfTheMoment = !isGone && time < entry.enteredAt + Self.moment
        guard !entry.flags.contains(.isDoubted) || isOfTheMoment else { return false }
        sockets[place].flags.insert(.isDoubted)
        let due = now.monotonicNanoseconds + (configuration.reportsTransitions ? Self.moment : configuration.interval)
        if entry.kind == .socket {
            timers.add(entry.cookie, due: due)
        } else {
            // By its timer it has ended, or before.
            if isGone, time < sockets.bucket(place).due { sockets.changeBucket(place) { $0.due = .max } }
            schedule(place, at: due)
        }
        return true
    }

    /// Nothing is left of a known socket, request or minisocket.
    private mutating func endGone(_ place: SocketTable.Place, askedAt: UInt64) {
        let entry = sockets[place]
        if entry.kind == .minisocket, entry.state == .timeWait, askedAt < sockets.bucket(place).due {
            // Before its time: a RST ended it, or a new connection has taken its place and has reported nothing yet.
            return ask(Lookup(entry.name.anonymous, .successor, about: entry.cookie))
        }
        // A message about its end may still come, or another connection of it, where a program holds it.
        var report = goneReport(place, cause: cause(of: place, goneAt: askedAt))
        // By the endpoints of the connection that it has had since it was seen.
        if entry.state == .bound { (report.via, report.certainty) = ([.synSent], .inferred) }
        end(place, report, mayHoldSocket: true)
    }

    private mutating func takeSuccessor(_ answer: LookupAnswer) {
        let endpoints = answer.lookup.name.endpoints
        guard let place = sockets.minisocket(answer.lookup.subject, endpoints),
            sockets[place].enteredAt < answer.askedAt
        else { return }
        var cause = TCPStep.Trigger.receiveRST
        if case .found(let row) = answer.result {
            if row.isMinisocket, row.name.cookie == answer.lookup.subject { return refresh(place, row) }
            if row.state != .listen { cause = .reuse }
        }
        end(place, goneReport(place, cause: cause))
    }

    func goneReport(_ place: SocketTable.Place, cause: TCPStep.Trigger?) -> Report {
        let entry = sockets[place]
        // No message, and yet no socket: it was reset, and a program still holds the descriptor.
        let isReset = expectsMessage && entry.kind == .socket
        let evidence: EndEvidence = isReset ? .noFIN : .none
        let via = TCPStateMachine.passed(from: entry.state, to: .closed, side: entry.side, evidence: evidence)
        let isMissed = configuration.reportsTransitions && entry.kind == .socket
        return Report(
            to: .closed,
            via: via,
            certainty: via.isEmpty && !isMissed ? .observed : .inferred,
            source: .poll,
            time: now,
            cause: cause
        )
    }

    /// What ended a request or a minisocket: its timer, or before that a RST.
    private func cause(of place: SocketTable.Place, goneAt time: UInt64) -> TCPStep.Trigger? {
        let entry = sockets[place]
        let due = sockets.bucket(place).due
        guard entry.kind != .socket, due != 0 else { return nil }
        // One that was seen half open may have become a connection and have ended, where its transitions are not
        // reported.
        guard configuration.reportsTransitions || entry.kind == .minisocket else { return nil }
        switch entry.state {
        case .timeWait: return time >= due ? .timeWaitTimeout : .receiveRST
        // Or it has become a connection.
        case .synReceived where sockets.openedAt(place) <= doubtfulUntil && doubtfulUntil != 0: return nil
        case .synReceived: return time >= due ? .timeout : .receiveRST
        // One that was never seen may have become a TIME_WAIT and given way.
        case .finWait2: return time >= due ? .timeout : nil
        default: return nil
        }
    }
}
