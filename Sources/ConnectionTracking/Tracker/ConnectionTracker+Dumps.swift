internal import SocketValues

/// A dump that runs.
struct RunningDump {
    let scope: DumpScope
    /// The moment before it was asked for, monotonic nanoseconds.
    let beganAt: UInt64
    /// Rows that contradict what is known: what is reported until the dump's end may explain them.
    var doubtful: [SocketRow] = []
    /// What has ended since it began.
    var departed: Set<SocketCookie> = []
}

/// What a dump has not shown. Absence proves nothing, for a dump may miss a socket: what is missing is looked up before its
/// end is concluded. A socket without a connection is found by no lookup; it has to be missing twice.
extension ConnectionTracker {
    mutating func beginDump(_ scope: DumpScope) {
        generation &+= 1
        dump = RunningDump(scope: scope, beganAt: now.monotonicNanoseconds)
        if isBeginning { watchedSince = now.monotonicNanoseconds }
    }

    mutating func endDump(isComplete: Bool) {
        guard let dump else { return }
        for row in dump.doubtful { settle(row, since: dump.beganAt) }
        self.dump = nil
        if isBeginning { return endFirstDump(isComplete: isComplete) }
        if isComplete { askForMissing(of: dump) }
        if isComplete, dump.scope == .all || dump.scope == .allButTimeWait {
            dumpsInDoubt = max(0, dumpsInDoubt - 1)
            sockets.compact()
        }
        compactTimers()
    }

    private mutating func endFirstDump(isComplete: Bool) {
        isBeginning = false
        shownUntil = now.monotonicNanoseconds
        if !isComplete { outputs.append(.dump(.all)) }
        if configuration.reportsExisting { reportAll() } else { outputs.append(.ready) }
        // What was reported while the dump ran.
        let (reports, time) = (earlyReports, now)
        earlyReports = []
        for report in reports { handle(report) }
        now = time
    }

    /// A row that contradicted what was known, after all that was reported until the dump's end.
    private mutating func settle(_ row: SocketRow, since beganAt: UInt64) {
        let cookie = row.name.cookie
        if confirm(row) || dump?.departed.contains(cookie) == true { return }
        let known = sockets.places(of: cookie)
        guard known.allSatisfy({ sockets[$0].enteredAt < beganAt }) else { return known.forEach { touch($0) } }
        let isListed = row.state != .closed && row.state != .bound
        if isListed { ask(row.name, about: known.first) } else { apply(row) }
    }

    private mutating func askForMissing(of dump: RunningDump) {
        for place in sockets.places where sockets[place].generation != generation && sockets.isUsed(place) {
            let entry = sockets[place]
            guard entry.enteredAt < dump.beganAt, isShown(entry, in: dump.scope) else { continue }
            // Without its port no lookup finds it.
            if entry.flags.contains(.isDeferred), entry.endpoints.localPort == 0 {
                endUnlisted(place, mayEnd: dump.scope == .all)
                continue
            }
            // A bound socket may have connected, and be in TIME_WAIT by now.
            if entry.isListed { ask(place) } else { endUnlisted(place, mayEnd: dump.scope == .all) }
        }
    }

    private func isShown(_ entry: SocketEntry, in scope: DumpScope) -> Bool {
        switch scope {
        case .all: true
        case .handshakes: entry.kind == .request
        case .allButTimeWait: entry.state != .timeWait || entry.kind != .minisocket
        case .timeWait: entry.state == .timeWait && entry.kind == .minisocket
        }
    }

    /// A bound socket that two dumps have not shown has ended. A closed one is kept for its time.
    private mutating func endUnlisted(_ place: SocketTable.Place, mayEnd: Bool) {
        let isDeferred = sockets[place].flags.contains(.isDeferred)
        guard sockets[place].state == .bound || isDeferred else { return }
        if mayEnd, isDeferred, sockets[place].flags.contains(.isDoubted) {
            learnPort(place, sockets[place].endpoints)  // Reported without.
            let via = TCPStateMachine.passed(from: sockets[place].state, to: .closed, side: sockets[place].side)
            end(
                place,
                Report(to: .closed, via: via, certainty: .inferred, source: .poll, time: now),
                mayHoldSocket: true
            )
        } else if mayEnd, sockets[place].flags.contains(.isDoubted) {
            end(place, Report(to: .closed, certainty: .observed, source: .poll, time: now), mayHoldSocket: true)
        } else {
            sockets[place].flags.insert(.isDoubted)
        }
    }

    /// Removes timers of what has ended, where they prevail: TIME_WAITs that gave way have left theirs behind.
    private mutating func compactTimers() {
        guard timers.count + ends.count > 1024, timers.count + ends.count > 2 * sockets.count else { return }
        var (due, late) = (TimerQueue(), TimerQueue())
        swap(&due, &timers)
        swap(&late, &ends)
        due.compact { !sockets.places(of: $0).isEmpty }
        late.compact { !sockets.places(of: $0).isEmpty }
        (timers, ends) = (due, late)
    }
}
