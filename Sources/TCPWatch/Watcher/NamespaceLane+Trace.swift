internal import KernelTrace
internal import SockDiag

/// A lane whose steps the kernel reports: dumps and lookups tell what it does not, and find what was lost.
extension NamespaceLane {
    private typealias Answer = ConnectionTracker.Answer

    /// TIME_WAITs and others that are looked up at once, before the trace is read again.
    private static let batch = 512
    /// Until a TIME_WAIT is asked for again that should have ended, as its timer is late.
    private static let lateness: UInt64 = 100_000_000

    /// Takes a record of the trace.
    func hear(_ record: borrowing TraceRecord, at time: EventTime) {
        tracker.traced(record, at: time, emit: append)
    }

    /// When there is something to be asked of the kernel, monotonic nanoseconds.
    var nextTurn: UInt64 {
        let dumps = min(schedule.reconciliation.due, schedule.glance.due)
        return min(dumps, tracker.nextCheck, max(tracker.nextEnd, lateUntil), tracker.nextLastStep)
    }

    /// Tells the steps for which the report of a RST has been awaited until now.
    func tellLastSteps(until now: UInt64) { tracker.tellLastSteps(until: now, emit: append) }

    /// Does what is due.
    func takeTurn(_ feed: TraceFeed) throws(SockDiagError) {
        let now = EventTime.now().monotonicNanoseconds
        tellLastSteps(until: now)
        try keepAppointments(feed, until: now)
        if schedule.reconciliation.due <= now {
            try schedule.reconciliation.take { () throws(SockDiagError) in try reconcile(feed) }
        } else if schedule.glance.due <= now {
            try schedule.glance.take { () throws(SockDiagError) in try glance(feed) }
        }
    }

    /// A dump of all sockets. What differs from what the trace told was lost on the way, or is what it does not tell.
    func reconcile(_ feed: TraceFeed) throws(SockDiagError) {
        tracker.trace?.departed = []
        defer { tracker.trace?.departed = nil }
        feed.drain()
        let start = EventTime.now().monotonicNanoseconds
        tracker.beginDump()
        var doubtful: [TCPSocket] = []
        var isComplete = true
        do {
            try client.forEach(query) { if !tracker.confirms($0) { doubtful.append(TCPSocket($0)) } }
        } catch  where error.code == .inconsistentDump {
            isComplete = false
        }
        // What happened meanwhile explains most of it.
        feed.drain()
        var answers: [Answer] = []
        for socket in doubtful where !tracker.confirms(socket) {
            let isListed = socket.state != .bound && socket.state != .closed
            let time = EventTime.now().monotonicNanoseconds
            let found = isListed ? try lookUp(socket.identity) : socket
            answers.append(Answer(identity: socket.identity, socket: found, time: time))
        }
        if isComplete { answers += try ask(for: tracker.missing(since: start)) }
        settle(answers, feed)
        if isComplete { tracker.endUnlisted(since: start, at: EventTime.now(), emit: append) }
        tracker.forgetResets(before: start)
    }

    /// A dump of the sockets whose handshake is not done: of requests the trace tells only when they are a second old.
    func glance(_ feed: TraceFeed) throws(SockDiagError) {
        feed.drain()
        // Before the dump: what it shows may have gone on, by a record older than its end.
        let time = EventTime.now()
        var wanted = query
        // A listener without a port of its own is told of before it has one; to find all listeners costs next to nothing.
        wanted.states = [.synSent, .synReceived, .listen]
        var new: [TCPSocket] = []
        var shown: Set<SocketCookie> = []
        do {
            try client.forEach(wanted) { record in
                if record.state == .synReceived { shown.insert(record.cookie) }
                if tracker.isNews(record) { new.append(TCPSocket(record)) }
            }
        } catch  where error.code == .inconsistentDump {
            return
        }
        for socket in new { tracker.observe(socket, at: time, emit: append) }
        feed.drain()
        let missing = tracker.requests(besides: shown).compactMap { tracker.identity(of: $0) }
        if !missing.isEmpty { settle(try ask(for: missing), feed) }
    }

    /// Asks for what is due.
    func keepAppointments(_ feed: TraceFeed, until now: UInt64) throws(SockDiagError) {
        var answers: [Answer] = []
        while answers.count < Self.batch, let identity = tracker.takeCheck(at: now) {
            answers += try ask(for: [identity])
        }
        // The kernel's timers of a minute fire in groups, up to some seconds late: where one has not, later ones have not.
        while answers.count < 2 * Self.batch, lateUntil <= now, let identity = tracker.takeEnd(at: now) {
            let answer = try ask(for: [identity])
            if answer.first?.socket?.timer?.milliseconds == 0 { lateUntil = now + Self.lateness }
            answers += answer
        }
        if !answers.isEmpty { settle(answers, feed) }
    }

    private func ask(for identities: [SocketIdentity]) throws(SockDiagError) -> [Answer] {
        var answers: [Answer] = []
        for identity in identities {
            let time = EventTime.now().monotonicNanoseconds
            var answer = Answer(identity: identity, socket: try lookUp(identity), time: time)
            if answer.socket == nil, !tracker.isDue(identity.cookie, at: time) {
                // A new connection may have taken its place, and have told nothing yet.
                var ends = identity
                ends.cookie = .any
                answer.isReplaced = try lookUp(ends).map { $0.state != .listen } ?? false
            }
            answers.append(answer)
        }
        return answers
    }

    private func settle(_ answers: [Answer], _ feed: TraceFeed) {
        let wasSettling = tracker.trace?.departed != nil
        if !wasSettling { tracker.trace?.departed = [] }
        feed.drain()
        let time = EventTime.now()
        for answer in answers { tracker.settle(answer, at: time, emit: append) }
        if !wasSettling { tracker.trace?.departed = nil }
    }

    /// Records found no room: tells how many, for this lane and all others together.
    func tell(lost: UInt64) {
        tell(lost: lost, "the kernel's reports came faster than they were read")
    }

    /// The kernel passed over events because it was about to report another one on the same processor: tells how many, of
    /// all namespaces.
    func tell(missed: UInt64) {
        tell(lost: missed, "the kernel passed over events, here or in other namespaces, while it reported others")
    }

    private func tell(lost: UInt64, _ reason: String) {
        if lost > 0 { events.append(.gap(Gap(source: .trace, reason: reason, lost: lost, namespace: nil))) }
    }
}
