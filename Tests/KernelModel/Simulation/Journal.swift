package import ConnectionTracking
package import SocketValues

/// All that a tracker received and what it emitted, in order.
package struct Journal {
    /// The inputs.
    package private(set) var inputs: [Input] = []
    /// How many outputs each input had, and all of them.
    package private(set) var outputs: [[Output]] = []
    private var times: [UInt64] = []

    mutating func append(_ input: Input, _ outputs: [Output], at time: UInt64) {
        inputs.append(input)
        self.outputs.append(outputs)
        times.append(time)
    }

    /// Whether a new tracker gives the same outputs for the same inputs.
    package func isReproduced<Tracker: Tracking & ~Copyable>(
        by type: Tracker.Type,
        _ configuration: ConnectionTracker.Configuration
    ) -> Bool {
        var tracker = Tracker(configuration)
        var outputs: [Output] = []
        for (index, input) in inputs.enumerated() {
            outputs.removeAll(keepingCapacity: true)
            tracker.take(input, into: &outputs)
            guard outputs == self.outputs[index] else { return false }
        }
        return true
    }

    /// Whether it begins or ends a dump that showed nothing and had no consequence.
    private func isEmptyDump(_ index: Int) -> Bool {
        func isIdle(_ index: Int, isEnd: Bool) -> Bool {
            guard inputs.indices.contains(index), outputs[index].isEmpty else { return false }
            switch inputs[index].fact {
            case .dumpEnded: return isEnd
            case .dumpBegan: return !isEnd
            default: return false
            }
        }
        return isIdle(index, isEnd: false) && isIdle(index + 1, isEnd: true)
            || isIdle(index, isEnd: true) && isIdle(index - 1, isEnd: false)
    }

    /// What concerns some cookies, or all where none are given, a line for each.
    package func text(about cookies: [SocketCookie]) -> String {
        var text = ""
        for (index, input) in inputs.enumerated() where !isEmptyDump(index) {
            let words = input.fact.words
            let isWanted = cookies.isEmpty || cookies.contains { words.contains($0.description) }
            if isWanted { text += "  \(times[index] / 1000)µs ← \(words) (\(input.time.microseconds)µs)\n" }
            for output in outputs[index] {
                let words = output.words
                guard isWanted || cookies.isEmpty || cookies.contains(where: { words.contains($0.description) }) else {
                    continue
                }
                text += "  \(times[index] / 1000)µs   → \(words)\n"
            }
        }
        return text
    }
}

extension EventTime {
    fileprivate var microseconds: UInt64 { monotonicNanoseconds / 1000 }
}

extension Input.Fact {
    fileprivate var words: String {
        switch self {
        case .dumpBegan(let scope): "dump of \(scope)"
        case .row(let row): "row \(row.words)"
        case .dumpEnded(let isComplete): "dump ended\(isComplete ? "" : ", incomplete")"
        case .answer(let answer):
            "answer to \(answer.lookup.words): \(answer.result.words), asked \(answer.askedAt / 1000)µs"
        case .destroyed(let socket):
            "destroyed \(socket.name.words) controls \(socket.acknowledgedControls.map(String.init) ?? "–") "
                + "idle \(socket.idleMilliseconds.map(String.init) ?? "–") \(socket.counters == nil ? "cleared" : "")"
        case .transition(let transition):
            "transition \(transition.name.words) \(transition.from)→\(transition.to) pid \(transition.pid ?? 0) "
                + "rtt \(transition.rtt) \(transition.rest?.words ?? "")"
        case .retransmitted(let handshake):
            "retransmitted \(handshake.name.words)\(handshake.isRequest ? " request" : "")"
        case .reset(let reset): "reset \(reset.cookie) in \(reset.state) reason \(reset.reason.map(String.init) ?? "–")"
        case .boundDestroyed(let cookie): "bound destroyed \(cookie)"
        case .released(let cookie): "released \(cookie)"
        case .lost(let loss): "lost \(loss.count.map(String.init) ?? "?") of \(loss.source) \(loss.reason)"
        case .wake: "wake"
        case .resynchronize: "resynchronize"
        case .configured(let interval, let needsInodes): "interval \(interval), \(needsInodes ? "" : "no ")inodes"
        case .matching(let name, let mask): "\(name.cookie) matches \(mask.rawValue)"
        }
    }
}

extension Output {
    fileprivate var words: String {
        switch self {
        case .transition(let transition):
            "\(transition.identity.cookie)#\(transition.incarnation) \(transition.from.map { "\($0)" } ?? "?")→\(transition.via)\(transition.to) "
                + "\(transition.certainty) \(transition.source) at \(transition.time.microseconds)µs "
                + "cause \(transition.cause.map { "\($0)" } ?? "–") pid \(transition.pid ?? 0) \(transition.identity.local)-\(transition.identity.remote)"
        case .socket(let socket): "socket \(socket.name.words) \(socket.state)"
        case .ready: "ready"
        case .gap(let gap): "gap \(gap.source) \(gap.lost.map(String.init) ?? "?")"
        case .lookUp(let lookup): "look up \(lookup.words)"
        case .dump(let scope): "dump \(scope)"
        }
    }
}

extension Lookup {
    fileprivate var words: String { "\(purpose) \(name.words) about \(subject)" }
}

extension LookupAnswer.Result {
    fileprivate var words: String {
        switch self {
        case .found(let row): "found \(row.words)"
        case .gone: "gone"
        case .failed: "failed"
        }
    }
}

extension SocketRow {
    fileprivate var words: String {
        "\(name.words) \(state)\(isMinisocket ? " mini" : "") inode \(inode) timer \(timer.map(String.init) ?? "–")"
    }
}

extension SocketName {
    fileprivate var words: String { "\(cookie) \(identity.local)-\(identity.remote)" }
}

extension SocketRest {
    fileprivate var words: String {
        "error \(error)\(isPeerDone ? " peerDone" : "")\(isOrphan ? " orphan" : "")"
            + "\(isBelowTimeWaitLimit == false ? " full" : "") received \(counters.bytesReceived)"
    }
}
