internal import SocketValues

/// What a row says of what is known. A row is evidence as of the moment before its dump was asked for: what has changed since
/// is not changed by it.
extension ConnectionTracker {
    /// A row of the running dump.
    mutating func take(_ row: SocketRow) {
        if confirm(row) { return }
        // It has ended since the dump began: an older row.
        if dump?.isOver(row) == true { return }
        guard configuration.reportsTransitions else { return apply(row) }
        // A report that explains the row may be on its way. A request's transitions are not reported, but its child's
        // are.
        if row.isRequest, sockets.socket(row.name.cookie) == nil {
            dump?.requests.append(row)
        } else if isBeginning {
            apply(row)
        } else {
            dump?.doubtful.append(row)
        }
    }

    /// Whether a row says what is known; then it is seen in this dump.
    ///
    /// Of a first transition that waits for its port the row has it only where it was asked for after the transition,
    /// and all that was reported until the row was made has been read: it may be of the connection before, or of the
    /// next.
    mutating func confirm(_ row: SocketRow, settledSince asked: UInt64 = 0) -> Bool {
        guard let place = place(of: row) else { return false }
        let entry = sockets[place]
        guard entry.state == row.state,
            entry.kind == .minisocket || entry.isClosedSocket || entry.endpoints.isCompatible(with: row.name.endpoints)
        else { return false }
        if entry.flags.contains(.isDeferred) {
            guard entry.enteredAt < asked, row.name.endpoints.localPort != 0 else { return false }
            learnPort(place, row.name.endpoints)
        }
        // What was bound when it was seen may have been connected since: its message is joined by these endpoints.
        if entry.isClosedSocket { sockets[place].endpoints = row.name.endpoints }
        refresh(place, row)
        return true
    }

    /// Takes what a row says for true: from a dump where the kernel does not report transitions, else from a lookup.
    mutating func apply(_ row: SocketRow, side: OpeningSide? = nil) {
        if row.isMinisocket {
            applyMinisocket(row, side: side)
        } else if row.state == .closed {
            applyClosed(row)
        } else {
            applySocket(row)
        }
    }

    private mutating func place(of row: SocketRow) -> SocketTable.Place? {
        row.isMinisocket ? sockets.minisocket(row.name.cookie, row.name.endpoints) : sockets.socket(row.name.cookie)
    }

    // MARK: Sockets and requests

    private mutating func applySocket(_ row: SocketRow) {
        let cookie = row.name.cookie
        guard let place = sockets.socket(cookie) else {
            // An older row of a socket that a minisocket has replaced since.
            if let rest = sockets.minisocket(cookie, row.name.endpoints),
                sockets[rest].enteredAt >= now.monotonicNanoseconds
            {
                return
            }
            return appear(row)
        }
        let entry = sockets[place]
        // What a row alone has shown in CLOSED, maybe in this very dump, which has a connection's row after it: that is newer.
        let isUnreported = entry.isClosedSocket && !entry.flags.contains(.hasCarried)
        guard entry.enteredAt < now.monotonicNanoseconds || isUnreported || isBeginning else { return touch(place) }
        if entry.flags.contains(.isDeferred) {
            learnPort(place, row.name.endpoints)
            if confirm(row) { return }
        }
        if entry.state == .closed || entry.state == .bound {
            if row.state != entry.state { begin(place, row) } else { refresh(place, row) }
        } else if !entry.endpoints.isCompatible(with: row.name.endpoints) {
            // The socket has been disconnected and connected again.
            setAside(place, for: row.name.endpoints, source: .poll)
            if let place = sockets.socket(cookie) { begin(place, row) } else { appear(row) }
        } else if let via = TCPStateMachine.route(from: entry.state, to: row.state, side: entry.side) {
            follow(place, row, via: via)
        } else {
            // The same, with the same endpoints.
            let via = TCPStateMachine.passed(from: entry.state, to: .closed)
            end(place, observedReport(to: .closed, via: via), mayHoldSocket: true)
            if let place = sockets.socket(cookie) { begin(place, row) } else { appear(row) }
        }
    }

    /// A connection is seen for the first time.
    private mutating func appear(_ row: SocketRow, side known: OpeningSide? = nil) {
        let cookie = row.name.cookie
        let openedAt = isBeginning ? 0 : now.monotonicNanoseconds
        // A connection of the socket that waits for its port was first.
        if let place = sockets.socket(cookie), sockets[place].flags.contains(.isDeferred) {
            learnPort(place, sockets[place].endpoints)
        }
        var entry = SocketEntry(
            row.name,
            row.isMinisocket ? .minisocket : row.isRequest ? .request : .socket,
            in: .closed,
            side: known ?? side(of: row),
            enteredAt: openedAt,
            generation: generation,
            matching: isBeginning ? row.matching : []
        )
        entry.incarnation = nextIncarnation(of: cookie)
        entry.learnOwner(inode: row.inode, uid: row.uid)
        if row.isMinisocket, configuration.reportsDestroyed, !configuration.reportsTransitions {
            entry.flags.insert(.isUnclaimed)
        }
        if !isBeginning, row.state != .closed { displace(by: row.name.endpoints, source: .poll, at: now) }
        let place = sockets.insert(entry)
        if row.state == .closed {
            sockets[place].matching = row.matching
            if !row.isMinisocket { noteClosed(place) }
        } else if isBeginning {
            move(place, to: row.state, at: 0)
        } else {
            let via = TCPStateMachine.passed(from: .closed, to: row.state, side: entry.side)
            advance(place, observedReport(to: row.state, via: via, of: place, row))
        }
        schedule(place, row)
    }

    /// A socket that was bound, or closed, has become a connection, which has its own endpoints and its own beginning.
    private mutating func begin(_ place: SocketTable.Place, _ row: SocketRow) {
        let openedAt = isBeginning ? 0 : now.monotonicNanoseconds
        begin(place, row.name.endpoints, side: side(of: row), source: .poll, at: openedAt)
        follow(
            place,
            row,
            via: TCPStateMachine.passed(from: sockets[place].state, to: row.state, side: sockets[place].side)
        )
    }

    private mutating func follow(_ place: SocketTable.Place, _ row: SocketRow, via: [TCPState]) {
        learn(place, row)
        if row.state != sockets[place].state {
            advance(place, observedReport(to: row.state, via: via, of: place, row))
            if row.state != .synReceived, sockets[place].kind == .request { sockets.change(place, to: .socket) }
        }
        schedule(place, row)
    }

    /// A socket carries another connection, and nothing is known of what became of the one before: that is asked, where
    /// the other has not taken its place.
    mutating func setAside(_ place: SocketTable.Place, for next: Endpoints, source: Transition.Source) {
        let old = sockets[place]
        guard old.isConnected, old.endpoints.localPort != 0, old.endpoints != next,
            sockets.minisocket(between: old.endpoints) == nil
        else {
            let via = TCPStateMachine.passed(from: old.state, to: .closed)
            let isMissed = configuration.reportsTransitions || !via.isEmpty
            let certainty = isMissed ? Transition.Certainty.inferred : .observed
            let report = Report(to: .closed, via: via, certainty: certainty, source: source, time: now)
            return end(place, report, mayHoldSocket: true)
        }
        sockets.change(place, to: .minisocket)
        sockets[place].flags.subtract([.isAsked, .isDoubted, .isDestroyed])
        // What looked like a request was a Fast Open child: no timer of a request has ended it.
        if old.kind == .request { sockets.changeBucket(place) { $0.due = 0 } }
        ask(place)
    }

    // MARK: Minisockets

    private mutating func applyMinisocket(_ row: SocketRow, side: OpeningSide?) {
        let cookie = row.name.cookie
        // One whose port was never reported.
        let portless = sockets.places(of: cookie).first {
            sockets[$0].kind == .minisocket && sockets[$0].endpoints.localPort == 0
                && sockets[$0].endpoints.isCompatible(with: row.name.endpoints) && mayEnd($0, with: row)
        }
        if let portless, sockets.minisocket(cookie, row.name.endpoints) == nil {
            sockets.rename(portless, row.name.endpoints)
            // An answer that is under way is to a question by other endpoints.
            sockets[portless].flags.remove(.isAsked)
        }
        if let place = sockets.minisocket(cookie, row.name.endpoints) {
            let entry = sockets[place]
            guard entry.state != row.state else { return refresh(place, row) }
            guard let via = TCPStateMachine.route(from: entry.state, to: row.state, side: entry.side) else {
                return refresh(place, row)  // An older row.
            }
            return follow(place, row, via: via)
        }
        if let place = sockets.socket(cookie), isBoundNoMore(place) {
            // It has connected since it was seen bound.
            let isDestroyed = sockets[place].flags.contains(.isDestroyed)
            let destruction = isDestroyed ? questions.takeDestruction(of: cookie) : nil
            let side = self.side(of: row)
            begin(place, row.name.endpoints, side: side, source: .poll, at: now.monotonicNanoseconds)
            becomeMinisocket(place, mayHoldSocket: !isDestroyed)
            let via = TCPStateMachine.passed(from: .bound, to: row.state, side: side)
            follow(place, row, via: via)
            if let destruction { keepCounters(destruction.message, at: place) }
            return
        }
        guard let place = sockets.socket(cookie), sockets[place].isConnected,
            sockets[place].endpoints.isCompatible(with: row.name.endpoints), !isOlder(row, than: place),
            let via = TCPStateMachine.route(from: sockets[place].state, to: row.state, side: sockets[place].side)
        else {
            if isBeginning, let other = sockets.socket(cookie), sockets[other].isConnected {
                // The socket is connected again already: the minisocket is of its connection before.
                sockets[other].incarnation = 1
            }
            return appear(row, side: side)
        }
        if sockets[place].flags.contains(.isDeferred) { learnPort(place, row.name.endpoints) }
        sockets[place].endpoints = row.name.endpoints
        let mayHoldSocket = !sockets[place].flags.contains(.isDestroyed)
        // The answer that was awaited about it has come by this row.
        let destruction = sockets[place].flags.contains(.isDestroyed) ? questions.takeDestruction(of: cookie) : nil
        becomeMinisocket(place, mayHoldSocket: mayHoldSocket)
        follow(place, row, via: via)
        if let destruction { keepCounters(destruction.message, at: place) }
    }

    /// Whether a TIME_WAIT ends when a row says, as far as its timer shows that: else the row is of another connection.
    private func mayEnd(_ place: SocketTable.Place, with row: SocketRow) -> Bool {
        guard sockets[place].state == .timeWait, row.state == .timeWait, let timer = row.timer, timer > 0 else {
            return true
        }
        let (known, end) = (sockets.bucket(place).due, now.monotonicNanoseconds + UInt64(timer) * 1_000_000)
        return max(known, end) - min(known, end) < 1_000_000_000
    }

    /// Whether a TIME_WAIT, by its timer, is older than a first transition whose port is not known: it is of the
    /// connection before.
    private func isOlder(_ row: SocketRow, than place: SocketTable.Place) -> Bool {
        guard sockets[place].flags.contains(.isDeferred), row.state == .timeWait, let timer = row.timer else {
            return false
        }
        let age = Self.timeWaitLength - min(UInt64(timer) * 1_000_000, Self.timeWaitLength)
        return sockets[place].enteredAt + age > now.monotonicNanoseconds
    }

    /// Whether a socket that was bound has connected since for the first time, or is not among the bound ones of the running dump, which come before the minisockets.
    private func isBoundNoMore(_ place: SocketTable.Place) -> Bool {
        guard sockets[place].state == .bound, !isBeginning else { return false }
        // One that has been disconnected keeps the peer's address.
        if !sockets[place].endpoints.hasRemoteAddress { return true }
        if sockets[place].flags.contains(.isDoubted) { return true }
        guard let dump, dump.scope == .all || dump.scope == .allButTimeWait else { return false }
        return sockets[place].generation != generation
    }

    // MARK: Sockets in CLOSED

    /// A socket whose connection has ended, while a program holds it. Whether a minisocket is in its place is asked.
    private mutating func applyClosed(_ row: SocketRow) {
        guard let place = sockets.socket(row.name.cookie) else {
            var entry = SocketEntry(
                row.name,
                .socket,
                in: .closed,
                enteredAt: now.monotonicNanoseconds,
                generation: generation,
                matching: row.matching
            )
            entry.learnOwner(inode: row.inode, uid: row.uid)
            // Beside a minisocket it is what carried that one's connection.
            entry.incarnation = sockets.places(of: row.name.cookie).map { sockets[$0].incarnation }.max() ?? 0
            if !sockets.places(of: row.name.cookie).isEmpty { entry.flags.insert(.hasCarried) }
            return noteClosed(sockets.insert(entry))
        }
        if sockets[place].state == .closed { return touch(place) }
        // Its generation is left: the dump's end asks.
        sockets[place].flags.insert(.isDoubted)
        guard sockets[place].state == .bound else { return }
        // It has connected since it was seen: by the endpoints of that connection what is left of it is found.
        displace(by: row.name.endpoints, source: .poll, at: now)
        sockets[place].endpoints = row.name.endpoints
    }

    // MARK: What is remembered

    /// Notes that there was news of a connection, so that a dump's silence about it proves nothing.
    mutating func touch(_ place: SocketTable.Place) {
        sockets[place].generation = generation
        sockets[place].flags.subtract([.isDoubted, .isMissed])
    }

    /// Notes what a row says beside the state.
    mutating func refresh(_ place: SocketTable.Place, _ row: SocketRow) {
        learn(place, row)
        schedule(place, row)
    }

    private mutating func learn(_ place: SocketTable.Place, _ row: SocketRow) {
        touch(place)
        let entry = sockets[place]
        if knowsOwner(row, of: entry) {
            if entry.state == row.state { sockets[place].matching = row.matching }
            sockets[place].learnOwner(inode: row.inode, uid: row.uid)
        }
        if entry.endpoints.localPort == 0, row.name.endpoints.localPort != 0 { learnPort(place, row.name.endpoints) }
    }

    /// Whether a row is of the owner that is known: one without an owner says nothing of what the filter finds by it, and what
    /// the socket had stands. A tracepoint reports the user without the inode.
    private func knowsOwner(_ row: SocketRow, of entry: SocketEntry) -> Bool {
        row.inode != 0 || entry.inode == 0 && (row.uid != nil || entry.uid == nil)
    }

    /// A report of what was seen, as sure as the way is short. With tracing, the kernel should have reported a socket's
    /// transition: that report was lost.
    private func observedReport(
        to state: TCPState,
        via: [TCPState],
        of place: SocketTable.Place? = nil,
        _ row: SocketRow? = nil
    ) -> Report {
        let isMissed =
            configuration.reportsTransitions
            && row.map { !$0.isMinisocket && !$0.isRequest && $0.state != .bound } ?? true
        var matching: StateMask?
        if let place, let row { matching = knowsOwner(row, of: sockets[place]) ? row.matching : nil }
        return Report(
            to: state,
            via: via,
            certainty: via.isEmpty && !isMissed ? .observed : .inferred,
            source: .poll,
            time: now,
            matching: matching
        )
    }

    /// The side of the handshake that a socket was on, by what a row shows.
    private func side(of row: SocketRow) -> OpeningSide {
        switch row.state {
        case .synSent: .active
        // A half-open request has no descriptor; a simultaneous open has, and a Fast Open child that is accepted already.
        case .synReceived:
            if row.isRequest || listeners.contains(row.name.endpoints.localPort) {
                .passive
            } else {
                // Of one that connected, the kernel would have reported that.
                configuration.reportsTransitions && !isBeginning ? .passive : .active
            }
        case .listen, .bound, .closed: .unknown
        default:
            // The first dump may come long after the listener has gone.
            listeners.contains(row.name.endpoints.localPort) ? .passive : isBeginning ? .unknown : .active
        }
    }
}
