package import SocketValues

/// Merges what the sources report of the TCP sockets of one network namespace into the life of each connection.
///
/// It is a machine without I/O, clock and threads: inputs go in, outputs come out, and the same inputs give the same
/// outputs. What it wants to know it asks for by an output, and the answer is an input. Dumps, destroy messages and
/// tracepoints are one machine; they differ in which inputs come.
///
/// | what decides | file |
/// | --- | --- |
/// | what a row of a dump, or a lookup, says of what is known | `ConnectionTracker+Rows.swift` |
/// | what a dump has not shown | `ConnectionTracker+Dumps.swift` |
/// | what is looked up, when, and what the answer means | `ConnectionTracker+Lookups.swift` |
/// | the kernel's messages about destroyed sockets | `ConnectionTracker+Destroyed.swift` |
/// | the transitions that tracepoints report | `ConnectionTracker+Tracing.swift` |
/// | what a socket's last transition means: TIME_WAIT, or which cause | `ConnectionTracker+LastTransitions.swift` |
/// | which RST belongs to which transition | `ResetReports.swift` |
/// | what is reported of a life: its walk, its times, its end | `ConnectionTracker+Lives.swift` |
package struct ConnectionTracker: ~Copyable {
    /// Which sources there are, and what they are able to report.
    package struct Configuration: Hashable, Sendable {
        /// Whether the kernel's tracepoints report each transition of a full socket.
        package var reportsTransitions = false
        /// Whether the kernel's messages about destroyed sockets are received.
        package var reportsDestroyed = false
        /// With the tracepoints, whether every RST that answers a SYN is reported: then any other refusal is ICMP's.
        package var reportsRefusals = false
        /// With the tracepoints, why RSTs are sent, by the kernel's numbers; empty where it reports none.
        package var resetReasons: [UInt32: ResetReason] = [:]
        /// Whether the sockets that exist at the beginning are reported.
        package var reportsExisting = true
        /// Whether somebody wants to know who holds the sockets, for which their inodes are needed.
        package var needsInodes = false
        /// From one dump to the next, nanoseconds.
        package var interval: UInt64 = 250_000_000

        /// Dumps alone.
        package init() {}
    }

    private(set) var configuration: Configuration
    var sockets = SocketTable()
    var listeners = ListenerPorts()
    var timers = TimerQueue()
    /// When the TIME_WAITs are looked up, apart: the kernel's timers of a minute fire in groups, up to some seconds late.
    var timeWaits = TimerQueue()
    var resets: ResetReports
    var questions = Questions()
    var closed = ClosedSockets()
    var recentSYNs = RecentSYNs()
    var lateNames = LateNames()
    var recentNumbers = RecentNumbers()
    /// The errors that sockets had before their last transition: what ends them leaves another.
    var oldErrors: [SocketCookie: SocketFailure] = [:]
    /// First transitions that wait to be reported until the kernel has chosen the port.
    var deferred: [SocketCookie: TracedTransition] = [:]
    /// The dump that runs, and what it has shown that is not known.
    var dump: RunningDump?
    /// Its number, or that of the last one.
    var generation: UInt16 = 0
    /// When the first dump began, monotonic nanoseconds.
    var watchedSince: UInt64 = 0
    /// Whether what is seen was there before watching began.
    var isBeginning = true
    /// What tracepoints report before the first dump has ended: what exists is reported before it.
    var earlyReports: [Input] = []
    /// When the first dump had ended, monotonic nanoseconds: older reports say what it has shown already.
    var shownUntil: UInt64 = 0
    /// How many more dumps must end before a destroy message that does not come is known not to have been lost.
    var dumpsInDoubt = 0
    /// Until when what was seen may have had reports that were lost, monotonic nanoseconds: the end of the first complete dump
    /// that began after a loss, the end of time before that.
    var doubtfulUntil: UInt64 = 0
    private(set) var lastLoss: UInt64 = 0
    /// Whether every RST that answers a SYN has been reported so far.
    var reportsRefusals: Bool
    /// Before this moment no TIME_WAIT is looked up: where one timer has not fired in time, later ones have not either.
    var timeWaitsLateUntil: UInt64 = 0
    /// The time of the running input.
    var now = EventTime(monotonicNanoseconds: 0, realtimeNanoseconds: 0)
    var outputs: [Output] = []

    /// A tracker that knows nothing.
    package init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        reportsRefusals = configuration.reportsRefusals
        resets = ResetReports(reasons: configuration.resetReasons)
    }

    /// Takes what was learned, and appends what is to be done about it. O(1), amortised; the end of a dump is linear in
    /// what is known.
    package mutating func take(_ input: Input, into outputs: inout [Output]) {
        swap(&self.outputs, &outputs)
        defer { swap(&self.outputs, &outputs) }
        handle(input)
    }

    /// Takes rows of the running dump, one after the other: as ``Input/Fact/row(_:)``, of which there are a million.
    package mutating func take(_ rows: [SocketRow], at time: EventTime, into outputs: inout [Output]) {
        swap(&self.outputs, &outputs)
        defer { swap(&self.outputs, &outputs) }
        now = time
        for row in rows { take(row) }
    }

    mutating func handle(_ input: Input) {
        now = input.time
        if isBeginning, input.fact.isReport {
            earlyReports.append(input)
            return
        }
        switch input.fact {
        case .dumpBegan(let scope): beginDump(scope)
        case .row(let row): take(row)
        case .dumpEnded(let isComplete): endDump(isComplete: isComplete)
        case .answer(let answer): take(answer)
        case .destroyed(let message): take(message)
        case .transition(let transition): take(transition)
        case .retransmitted(let handshake): take(handshake)
        case .reset(let reset): take(reset)
        case .boundDestroyed(let cookie): endBound(cookie)
        case .released(let cookie): release(cookie)
        case .configured(let interval, let needsInodes):
            (configuration.interval, configuration.needsInodes) = (interval, needsInodes)
        case .matching(let name, let mask):
            for place in sockets.places(of: name.cookie) where sockets[place].endpoints == name.endpoints {
                sockets[place].matching = mask
            }
        case .lost(let loss): take(loss)
        case .wake: wake()
        case .resynchronize:
            for last in resets.takeAll() { reportWaiting(last) }
            reportAll()
        }
    }

    /// When the next ``Input/Fact/wake`` is due, monotonic nanoseconds; the end of time for never.
    package var wakeTime: UInt64 {
        min(resets.nextDeadline, questions.nextRetry, timers.next, max(timeWaits.next, timeWaitsLateUntil))
    }

    /// How many connections, listeners and bound sockets are known.
    package var count: Int { sockets.count - closed.count }

    /// How many objects of the kernel are remembered, those included whose connection has ended.
    package var objectCount: Int { sockets.count }

    /// Every known connection, listener and bound socket; always in the same order after the same inputs.
    package func forEach(_ body: (TrackedSocket) -> Void) {
        for place in sockets.places where sockets.isUsed(place) {
            let entry = sockets[place]
            if !entry.isClosedSocket { body(TrackedSocket(entry)) }
        }
    }

    /// Every connection, listener and bound socket that the filter finds, with what is known of its state. O(count), and
    /// nothing is allocated.
    package func forEachKnown(_ body: (KnownSocket) -> Void) {
        for place in sockets.places where sockets.isUsed(place) {
            let entry = sockets[place]
            if entry.isClosedSocket || !entry.matching.contains(entry.state) { continue }
            body(KnownSocket(name: entry.name, state: entry.state, side: entry.side, enteredAt: entry.enteredAt))
        }
    }

    /// Whether nothing at all is remembered.
    package var isEmpty: Bool {
        sockets.count == 0 && listeners.isEmpty && timers.count == 0 && timeWaits.count == 0 && resets.isEmpty
            && questions.isEmpty
            && closed.count == 0 && lateNames.isEmpty && deferred.isEmpty && oldErrors.isEmpty && dump == nil
    }

    /// Reports were lost: what they would have said is found by a dump.
    private mutating func take(_ loss: Loss) {
        if loss.includesRefusals { reportsRefusals = false }
        if loss.source == .destroy {
            dumpsInDoubt = 3
        } else {
            (doubtfulUntil, lastLoss) = (.max, now.monotonicNanoseconds)
        }
        // Another namespace's tracker has reported what was lost of all of them.
        if loss.count != 0 {
            outputs.append(.gap(Gap(source: loss.source, reason: loss.description, lost: loss.count)))
        }
        outputs.append(.dump(.all))
    }

    /// Whether reports were lost, and no dump has shown since what they would have said.
    var hasLostReports: Bool { doubtfulUntil == .max }

    /// Whether a message about a socket whose connection has ended may still come, as a program holds it; it was not lost.
    var expectsMessage: Bool { configuration.reportsDestroyed && dumpsInDoubt == 0 }

    /// Reports the state anew, as at the beginning.
    mutating func reportAll() {
        for place in sockets.places where sockets.isUsed(place) {
            let entry = sockets[place]
            // A first transition that waits for its port is reported when it has it.
            if !entry.isClosedSocket, !entry.flags.contains(.isDeferred), entry.matching.contains(entry.state) {
                outputs.append(.socket(TrackedSocket(entry)))
            }
        }
        outputs.append(.ready)
    }
}

extension Input.Fact {
    /// Whether a tracepoint reported it.
    fileprivate var isReport: Bool {
        switch self {
        case .transition, .retransmitted, .reset, .boundDestroyed, .released: true
        default: false
        }
    }
}

extension TrackedSocket {
    fileprivate init(_ entry: SocketEntry) {
        self.init(
            entry.name,
            entry.state,
            isMinisocket: entry.kind == .minisocket,
            incarnation: entry.incarnation,
            uid: entry.uid,
            inode: entry.inodeIfKnown
        )
    }
}

extension Loss: CustomStringConvertible {
    /// What happened, in a sentence.
    package var description: String {
        switch (source, reason) {
        case (.destroy, _): "the kernel's messages came faster than they were read"
        case (_, .overrun): "the kernel's reports came faster than they were read"
        case (_, .passedOver):
            "the kernel passed over events, here or in other namespaces, while it reported others"
        }
    }
}
