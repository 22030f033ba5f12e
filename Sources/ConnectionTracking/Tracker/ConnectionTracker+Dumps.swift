internal import SocketValues

/// A dump that runs.
struct RunningDump {
    let scope: DumpScope
    /// The moment before it was asked for.
    let began: EventTime
    /// Rows that contradict what is known: what is reported until the dump's end may explain them.
    var doubtful: [SocketRow] = []
    /// Half-open requests that are new, where the kernel reports transitions.
    var requests: [SocketRow] = []
    /// The 4-tuples of the sockets that requests have become since it began.
    var children: Set<Endpoints> = []
    /// What has ended since it began.
    var departed: Set<SocketCookie> = []
    /// The sockets that a program has held since it began, and does no more.
    var released: Set<SocketCookie> = []

    /// Whether what a row shows has ended since.
    func isOver(_ row: SocketRow) -> Bool {
        departed.contains(row.name.cookie) || !row.isMinisocket && released.contains(row.name.cookie)
    }

    /// ``began``, monotonic nanoseconds.
    var beganAt: UInt64 { began.monotonicNanoseconds }
}

/// What a dump has not shown. Absence proves nothing, for a dump may miss a socket: what is missing is looked up before its
/// end is concluded. A socket without a connection is found by no lookup; it has to be missing twice.
extension ConnectionTracker {
    mutating func beginDump(_ scope: DumpScope) {
        generation &+= 1
        dump = RunningDump(scope: scope, began: now)
        if isBeginning { watchedSince = now.monotonicNanoseconds }
    }

    mutating func endDump(isComplete: Bool) {
        guard let dump else { return }
        for row in dump.doubtful { settle(row, since: dump.beganAt) }
        self.dump = nil
        takeRequests(of: dump)
        if isBeginning { return endFirstDump(isComplete: isComplete) }
        if isComplete { askForMissing(of: dump) }
        if isComplete, dump.scope == .all || dump.scope == .allButTimeWait {
            dumpsInDoubt = max(0, dumpsInDoubt - 1)
            if dump.beganAt >= lastLoss { doubtfulUntil = min(doubtfulUntil, now.monotonicNanoseconds) }
            sockets.compact()
        }
        compactTimers()
    }

    private mutating func endFirstDump(isComplete: Bool) {
        shownUntil = now.monotonicNanoseconds
        var reported: Set<SocketCookie> = []
        for case .transition(let transition) in earlyReports.lazy.map(\.fact)
        where reported.insert(transition.name.cookie).inserted {
            noteExisting(before: transition)
        }
        isBeginning = false
        if !isComplete { outputs.append(.dump(.all)) }
        if configuration.reportsExisting { reportAll() } else { outputs.append(.ready) }
        // What was reported while the dump ran.
        let (reports, time) = (earlyReports, now)
        earlyReports = []
        for report in reports { handle(report) }
        now = time
    }

    /// Takes the requests that a dump has shown. One that became a socket while it was shown is none: it was given a cookie
    /// then that the socket does not have.
    private mutating func takeRequests(of dump: RunningDump) {
        guard !dump.requests.isEmpty else { return }
        var children = dump.children
        for case .transition(let transition) in earlyReports.lazy.map(\.fact) where transition.from == .synReceived {
            children.insert(transition.name.endpoints)
        }
        let time = now
        now = dump.began
        for row in dump.requests where !children.contains(row.name.endpoints) && !dump.isOver(row) { apply(row) }
        now = time
    }

    /// A row that contradicted what was known, after all that was reported until the dump's end.
    private mutating func settle(_ row: SocketRow, since beganAt: UInt64) {
        let cookie = row.name.cookie
        if confirm(row, settledSince: beganAt) || dump?.isOver(row) == true { return }
        let known = sockets.places(of: cookie)
        guard known.allSatisfy({ sockets[$0].enteredAt < beganAt }) else { return known.forEach { touch($0) } }
        // Whatever it shows, the dump has not missed what it may be of.
        for place in known where !sockets[place].isFindable {
            if sockets[place].generation != generation { sockets[place].flags.insert(.isDoubted) }
            sockets[place].generation = generation
            sockets[place].flags.remove(.isMissed)
        }
        let isListed = row.state != .closed && row.state != .bound
        if isListed {
            ask(row.name, about: known.first)
        } else if let place = sockets.socket(cookie), sockets[place].isFindable {
            // Nothing finds what a row without a connection shows, but what is known is found.
            ask(place)
        } else {
            apply(row)
        }
    }

    private mutating func askForMissing(of dump: RunningDump) {
        for place in sockets.places where sockets[place].generation != generation && sockets.isUsed(place) {
            let entry = sockets[place]
            guard entry.enteredAt < dump.beganAt, isShown(entry, in: dump.scope) else { continue }
            if entry.isFindable { ask(place) } else { miss(place, isWhole: dump.scope == .all) }
        }
    }

    private func isShown(_ entry: SocketEntry, in scope: DumpScope) -> Bool {
        switch scope {
        case .all: true
        case .handshakes: entry.kind == .request
        case .allButTimeWait: entry.state != .timeWait || entry.kind != .minisocket
        }
    }

    /// What no lookup finds has ended where two dumps of all sockets have not shown it: a bound one may have connected, and
    /// be in TIME_WAIT by now. A closed one is kept for its time.
    private mutating func miss(_ place: SocketTable.Place, isWhole: Bool) {
        guard !sockets[place].isClosedSocket else { return }
        if isWhole, sockets[place].flags.contains(.isMissed) {
            end(place, goneReport(place, cause: nil), mayHoldSocket: true)
        } else {
            sockets[place].flags.insert(.isDoubted)
            if isWhole { sockets[place].flags.insert(.isMissed) }
        }
    }

    /// Removes timers of what has ended, where they prevail: TIME_WAITs that gave way have left theirs behind.
    private mutating func compactTimers() {
        guard timers.count + timeWaits.count > 1024, timers.count + timeWaits.count > 2 * sockets.count else { return }
        var (due, late) = (TimerQueue(), TimerQueue())
        swap(&due, &timers)
        swap(&late, &timeWaits)
        due.compact { !sockets.places(of: $0).isEmpty }
        late.compact { !sockets.places(of: $0).isEmpty }
        (timers, timeWaits) = (due, late)
    }
}
