internal import SocketValues

/// The kernel's messages that it has destroyed a full socket, with its final counters.
///
/// That is the end of a connection that this side did not close first. Of one that it did, a minisocket takes over: what a
/// lookup finds decides. The message's own endpoints may be cleared by then, so it is joined by the cookie.
extension ConnectionTracker {
    mutating func take(_ message: DestroyedSocket) {
        let cookie = message.name.cookie
        guard let place = sockets.socket(cookie) else {
            // Its connection's end is known, or what is left of it.
            if recentNumbers.next(of: cookie) > 0 {
                lateNames.removeEnd(of: cookie, between: message.name.endpoints)
                return keepCounters(message, of: cookie)
            }
            return takeWithoutSocket(message)
        }
        let entry = sockets[place]
        // Whether it is of another connection than the one that is known.
        let endpoints = message.name.endpoints
        let isOther = endpoints.remotePort != 0 && !entry.endpoints.isCompatible(with: endpoints)
        switch entry.state {
        case .closed:
            // Of a connection that began after the one that is known, and that no dump has shown.
            if isOther { return takeWithoutSocket(message) }
            keepCounters(message, of: cookie)
            forget(place)
        case .bound where isOther || entry.isFindable:
            // It has connected since it was seen. A TIME_WAIT of its own cookie may be what is left of that connection: the
            // answer decides.
            if isOther, sockets.minisocket(cookie, endpoints) == nil {
                displace(by: endpoints, source: .destroy, at: now)
            }
            sockets[place].endpoints = endpoints
            sockets[place].flags.formUnion([.isDestroyed, .isDoubted])
            questions.keep(message, about: cookie, at: now)
            ask(Lookup(message.name, .state))
        case .listen, .bound:
            end(place, Report(to: .closed, certainty: .observed, source: .destroy, time: now))
        case _ where isOther:
            setAside(place, for: endpoints, source: .destroy)
            takeWithoutSocket(message)
        default:
            sockets[place].flags.insert(.isDestroyed)
            questions.keep(message, about: cookie, at: now)
            // One that is under way may have been answered before the kernel destroyed the socket.
            ask(Lookup(entry.name, .state))
        }
    }

    /// The answer about a socket that is destroyed: a minisocket goes on with its connection, or it has ended.
    mutating func settleDestroyed(_ place: SocketTable.Place, _ answer: LookupAnswer) {
        let cookie = sockets[place].cookie
        guard let destruction = questions.takeDestruction(of: cookie) else { return }
        // Asked before the message came: another answer follows.
        guard answer.askedAt >= destruction.time.monotonicNanoseconds else {
            return questions.keep(destruction.message, about: cookie, at: destruction.time)
        }
        if case .found(let row) = answer.result, row.isMinisocket {
            if sockets[place].state == .bound, isLater(row, askedAt: answer.askedAt) {
                displace(by: row.name.endpoints, source: .destroy, at: destruction.time)
            }
            apply(row)
            keepCounters(destruction.message, of: cookie)
            guard sockets.socket(cookie) == place, sockets[place].flags.contains(.isDestroyed) else { return }
        }
        let entry = sockets[place]
        let side = entry.state == .bound ? OpeningSide.active : entry.side
        let evidence = EndEvidence(destruction.message.acknowledgedControls, side)
        var via: [TCPState] = []
        if entry.state == .bound {
            via = destruction.message.acknowledgedControls == 0 ? [.synSent] : [.synSent, .established]
            sockets[place].begin(destruction.message.name.endpoints, side: side, at: entry.enteredAt)
        }
        via += TCPStateMachine.passed(from: via.last ?? entry.state, to: .closed, side: side, evidence: evidence)
        // What of them a minisocket has that is known is not its socket's too.
        let isKept = entry.state == .bound && sockets.minisocket(cookie, entry.endpoints) != nil
        var counters = isKept ? nil : destruction.message.counters
        if ([entry.state] + via).contains(where: StateMask.peerClosed.contains) { counters?.discountFIN() }
        // Which side it was on is a guess where its listener has not been seen: one of the two acknowledged may be the FIN.
        let mayGoOn = destruction.message.mayGoOn && entry.state != .closeWait && entry.state != .lastAck
        let report = Report(
            to: .closed,
            via: via,
            certainty: via.isEmpty ? .observed : .inferred,
            source: .destroy,
            time: endTime(of: destruction, mayGoOn: mayGoOn)
        )
        // Where its cookie names other connections too, the number of this one is not given to another.
        end(place, report, counters: counters, mayHoldSocket: sockets.places(of: cookie).count > 1)
    }

    /// Whether a TIME_WAIT, by its timer, is another than the one that is known of the same cookie and endpoints: of a
    /// later connection.
    private mutating func isLater(_ row: SocketRow, askedAt time: UInt64) -> Bool {
        guard let rest = sockets.minisocket(row.name.cookie, row.name.endpoints), sockets[rest].state == .timeWait,
            row.state == .timeWait, let timer = row.timer
        else { return false }
        let (known, end) = (sockets.bucket(rest).due, time + UInt64(timer) * 1_000_000)
        return end > known && end - known > Self.moment
    }

    /// When the connection of a destroyed socket had ended. Where the answer comes late, a minisocket may have gone on with it
    /// and have ended too.
    private func endTime(of destruction: Questions.Destruction, mayGoOn: Bool) -> EventTime {
        // A time of another processor, or of a damaged journal, may lie before it.
        let isLate = now.monotonicNanoseconds > destruction.time.monotonicNanoseconds + Self.moment
        return mayGoOn && isLate ? now : destruction.time
    }

    /// Keeps what the kernel measured for the minisocket that goes on with the connection.
    private mutating func keepCounters(_ message: DestroyedSocket, of cookie: SocketCookie) {
        for place in sockets.places(of: cookie) where isRest(place, of: message) { keepCounters(message, at: place) }
    }

    /// Whether a minisocket is what is left of a socket; its cookie may name several.
    private func isRest(_ place: SocketTable.Place, of message: DestroyedSocket) -> Bool {
        sockets[place].kind == .minisocket
            && (message.name.endpoints.remotePort == 0 || sockets[place].endpoints == message.name.endpoints)
    }

    mutating func keepCounters(_ message: DestroyedSocket, at place: SocketTable.Place) {
        let hasPeerClosed = sockets[place].state == .timeWait
        sockets[place].flags.remove(.isUnclaimed)
        guard var counters = message.counters, sockets.counters(place) == nil else { return }
        if hasPeerClosed { counters.discountFIN() }
        sockets.keep(counters, at: place)
    }

    // MARK: Sockets that nobody knew

    private mutating func takeWithoutSocket(_ message: DestroyedSocket) {
        let (cookie, endpoints) = (message.name.cookie, message.name.endpoints)
        // A socket that never had a peer was no connection. One that was aborted keeps the peer's address alone.
        if claimRest(message) { return }
        guard endpoints.hasRemoteAddress, !isBeginning, isNews(message) else { return }
        questions.keep(message, about: cookie, at: now)
        if endpoints.remotePort != 0 {
            ask(Lookup(message.name.anonymous, .remains, about: cookie))
        } else {
            askForListener(message.name)
        }
    }

    /// Whether the connection of a destroyed socket goes on in a minisocket that is known, or did until that ended; then the
    /// message reports no other end.
    ///
    /// Where messages are read late, the 4-tuple may have been used again: several sockets of one, and one
    /// minisocket. It is counted for the first message; each further one is the end of a connection.
    private mutating func claimRest(_ message: DestroyedSocket) -> Bool {
        let (cookie, endpoints) = (message.name.cookie, message.name.endpoints)
        if sockets.places(of: cookie).contains(where: { isRest($0, of: message) }) {
            keepCounters(message, of: cookie)
            return true
        }
        if message.mayGoOn, let place = sockets.minisocket(between: endpoints),
            sockets[place].flags.contains(.isUnclaimed)
        {
            keepCounters(message, at: place)
            return true
        }
        return lateNames.takeEnd(between: endpoints, activeAt: lastActivity(of: message))
    }

    /// Whether the socket's connection may have ended while it was watched, and its end is not known: not where nothing has
    /// moved since before watching began, or for longer than sockets in CLOSED are kept. The age of the last segment says no
    /// more than that, for the kernel sends its messages late on a busy machine.
    private func isNews(_ message: DestroyedSocket) -> Bool {
        guard message.idleMilliseconds != nil else { return true }
        let time = lastActivity(of: message)
        return time >= watchedSince && now.monotonicNanoseconds - time < ClosedSockets.timeout
    }

    /// When the last segment of a destroyed socket came or went, monotonic nanoseconds; 0 where that is not known. The
    /// kernel counts in jiffies, of 10 ms at most.
    private func lastActivity(of message: DestroyedSocket) -> UInt64 {
        guard let idle = message.idleMilliseconds else { return 0 }
        let time = now.monotonicNanoseconds
        return time - min(time, UInt64(max(idle, 10) - 10) * 1_000_000)
    }

    /// The answer to who has the endpoints of a socket that was destroyed before anybody asked for it.
    mutating func takeRemains(_ answer: LookupAnswer) {
        let cookie = answer.lookup.subject
        guard let destruction = questions.takeDestruction(of: cookie) else { return }
        let message = destruction.message
        var rest: SocketRow?
        if case .found(let row) = answer.result, row.isMinisocket { rest = row }
        if let rest, message.mayGoOn, !isClaimed(rest) {
            let side = message.acknowledgedControls.map { $0 > 1 ? OpeningSide.active : .passive }
            if !confirm(rest) { apply(rest, side: side) }
            if let place = sockets.minisocket(rest.name.cookie, rest.name.endpoints) {
                keepCounters(message, at: place)
            }
            return
        }
        // One that is there and another's came after it; else this connection took the place of what is known.
        if rest == nil { displace(by: message.name.endpoints, source: .destroy, at: destruction.time) }
        questions.keep(message, about: cookie, at: destruction.time)
        if listeners.contains(message.name.endpoints.localPort) {
            endUnknown(cookie, isChild: true)
        } else {
            askForListener(message.name)
        }
    }

    private mutating func askForListener(_ name: SocketName) {
        var listener = name.anonymous
        (listener.endpoints.remoteHigh, listener.endpoints.remoteLow) = (0, 0)
        listener.endpoints.remotePort = 0
        ask(Lookup(listener, .listener, about: name.cookie))
    }

    /// The answer to whether there is a listener for such a socket: then it was made by it.
    mutating func takeListener(_ answer: LookupAnswer) {
        var isChild = false
        if case .found(let row) = answer.result { isChild = row.state == .listen }
        endUnknown(answer.lookup.subject, isChild: isChild)
    }

    /// Reports a connection that is first known by its end.
    private mutating func endUnknown(_ cookie: SocketCookie, isChild: Bool) {
        guard let destruction = questions.takeDestruction(of: cookie) else { return }
        let message = destruction.message
        guard !claimRest(message) else { return }
        guard message.verdict != .passesOver else { return }
        let side = isChild ? OpeningSide.passive : .active
        var counters = message.counters
        let evidence = EndEvidence(message.acknowledgedControls, side)
        if evidence == .finAcknowledged { counters?.discountFIN() }
        var last = Transition(
            message.name.identity,
            from: nil,
            to: .closed,
            certainty: .observed,
            source: .destroy,
            time: endTime(of: destruction, mayGoOn: evidence != .noFIN)
        )
        last.incarnation = nextIncarnation(of: cookie)
        last.openedBy = side
        if case .undecided(let terms) = message.verdict { last.undecided = terms }
        last.final = counters.map(FinalCounters.init) ?? FinalCounters()
        outputs.append(.transition(last))
        recentNumbers.note(cookie, last.incarnation)
    }

    /// Whether the kernel has reported the end of the socket before the minisocket.
    private mutating func isClaimed(_ row: SocketRow) -> Bool {
        sockets.minisocket(row.name.cookie, row.name.endpoints).map { !sockets[$0].flags.contains(.isUnclaimed) }
            ?? false
    }
}

extension DestroyedSocket {
    /// Whether a minisocket may go on with the connection: only after the peer has acknowledged this side's FIN.
    fileprivate var mayGoOn: Bool { acknowledgedControls != 0 }
}

extension EndEvidence {
    /// Whether the peer acknowledged this side's FIN, by the sequence numbers that were no payload.
    fileprivate init(_ acknowledged: UInt64?, _ side: OpeningSide) {
        switch (acknowledged, side) {
        case (nil, _), (1, .unknown): self = .none
        case (0, _), (1, .active): self = .noFIN
        default: self = .finAcknowledged
        }
    }
}

extension StateMask {
    /// The states in which the peer's FIN has been received.
    fileprivate static let peerClosed: StateMask = [
        StateMask(.closeWait), StateMask(.lastAck), StateMask(.closing), StateMask(.timeWait),
    ]
}
