internal import ConnectionTracking
internal import SockDiag

/// The facts that come one by one.
extension JournalEncoder {
    mutating func append(_ fact: Input.Fact) {
        switch fact {
        case .dumpBegan, .row, .dumpEnded: break  // they need what the last dump was
        case .answer(let answer): append(answer)
        case .destroyed(let socket): append(socket)
        case .transition(let transition): append(transition)
        case .retransmitted(let handshake):
            append(.retransmitted)
            append(handshake.isRequest ? .isRequest : [], handshake.matching)
            append(handshake.name)
        case .reset(let reset):
            append(.reset)
            bytes.append(reset.cookie.rawValue)
            bytes.append(reset.state.rawValue)
            append(reset.reason)
        case .boundDestroyed(let cookie):
            append(.boundDestroyed)
            bytes.append(cookie.rawValue)
        case .released(let cookie):
            append(.released)
            bytes.append(cookie.rawValue)
        case .configured(let interval, let needsInodes):
            append(.configured)
            bytes.append(interval)
            bytes.append(needsInodes)
        case .matching(let name, let mask):
            append(.matching)
            append([], mask)
            append(name)
        case .lost(let loss):
            append(.lost)
            bytes.append(loss.source.journalNumber)
            bytes.append(loss.reason.rawValue)
            bytes.append(loss.includesRefusals)
            append(loss.count)
        case .wake: append(JournalTag.wake)
        case .resynchronize: append(JournalTag.resynchronize)
        }
    }

    /// All of a row.
    mutating func append(fields row: SocketRow) {
        let (name, inode) = (name, inode)
        bytes.write { $0.append(row, after: name, inode) }
        (self.name, self.inode) = (row.name, row.inode)
    }

    private mutating func append(_ answer: LookupAnswer) {
        append(.answer)
        append(answer.lookup.name)
        bytes.append(answer.lookup.purpose.rawValue)
        bytes.append(answer.lookup.subject.rawValue)
        bytes.append(answer.askedAt)
        switch answer.result {
        case .found(let row):
            bytes.append(UInt8(0))
            append(fields: row)
        case .gone: bytes.append(UInt8(1))
        case .failed: bytes.append(UInt8(2))
        }
    }

    private mutating func append(_ socket: DestroyedSocket) {
        append(.destroyed)
        var flags: JournalFactFlags = socket.counters == nil ? [] : .hasCounters
        if socket.acknowledgedControls != nil { flags.insert(.hasControls) }
        if socket.idleMilliseconds != nil { flags.insert(.hasIdleTime) }
        var terms: [String] = []
        if case .undecided(let unanswered) = socket.verdict { terms = unanswered }
        if !terms.isEmpty { flags.insert(.isUndecided) }
        append(flags, socket.verdict == .finds ? .all : [])
        append(socket.name)
        if let counters = socket.counters { append(counters) }
        if let controls = socket.acknowledgedControls { bytes.append(controls) }
        if let time = socket.idleMilliseconds { bytes.append(time) }
        guard !terms.isEmpty else { return }
        bytes.append(UInt64(terms.count))
        for term in terms { bytes.append(term) }
    }

    private mutating func append(_ transition: TracedTransition) {
        append(.transition)
        var flags: JournalFactFlags = transition.pid == nil ? [] : .hasPID
        if transition.rest != nil { flags.insert(.hasRest) }
        append(flags, transition.matching)
        bytes.append(transition.from.rawValue)
        bytes.append(transition.to.rawValue)
        append(transition.name)
        bytes.append(transition.uid)
        bytes.append(transition.rtt)
        if let pid = transition.pid {
            bytes.append(UInt32(bitPattern: pid))
            bytes.append(bytes: transition.processName?.bytes ?? [])
        }
        guard let rest = transition.rest else { return }
        append(rest.counters)
        bytes.append(rest.error.rawValue)
        bytes.append(rest.isPeerDone)
        bytes.append(rest.isOrphan)
        bytes.append(rest.isUnaccepted)
        bytes.append(rest.isBelowTimeWaitLimit.map { $0 ? UInt8(1) : 0 } ?? 2)
    }

    private mutating func append(_ counters: SocketCounters) {
        bytes.append(counters.bytesSent)
        bytes.append(counters.bytesReceived)
        for count in [counters.segmentsOut, counters.segmentsIn, counters.retransmits, counters.rtt] {
            bytes.append(count)
        }
    }

    private mutating func append(_ flags: JournalFactFlags, _ matching: StateMask) {
        bytes.write { $0.append(flags, matching) }
    }

    mutating func append(_ number: (some FixedWidthInteger & UnsignedInteger)?) {
        bytes.append(number != nil)
        if let number { bytes.append(number) }
    }

    mutating func append(_ name: SocketName) {
        let last = self.name
        bytes.write { $0.append(name, after: last) }
        self.name = name
    }

    /// A namespace as far as people are shown it.
    mutating func append(_ namespace: NetworkNamespace) {
        bytes.append(namespace.id.device)
        bytes.append(namespace.id.inode)
        bytes.append(namespace.label)
        append(namespace.name.map { String(escaping: $0.utf8) })
        append(namespace.containerID)
        append(namespace.pid.map { UInt32(bitPattern: $0) })
    }

    private mutating func append(_ text: String?) {
        bytes.append(text != nil)
        if let text { bytes.append(text) }
    }

    mutating func append(_ configuration: TrackerConfiguration) {
        bytes.append(configuration.reportsTransitions)
        bytes.append(configuration.reportsDestroyed)
        bytes.append(configuration.reportsRefusals)
        bytes.append(configuration.reportsExisting)
        bytes.append(configuration.needsInodes)
        bytes.append(configuration.interval)
        bytes.append(UInt64(configuration.resetReasons.count))
        for (number, reason) in configuration.resetReasons.sorted(by: { $0.key < $1.key }) {
            bytes.append(number)
            bytes.append(String(escaping: reason.rawValue.utf8))
        }
    }
}

extension Retransmission.Kind {
    /// All kinds, by their number in a journal.
    private static let numbered: [Retransmission.Kind] = [.syn, .synAck, .data, .tailLossProbe]

    /// Its number in a journal.
    var journalNumber: UInt8 { UInt8(truncatingIfNeeded: Self.numbered.firstIndex(of: self) ?? Self.numbered.count) }

    /// The kind of a number.
    init?(journalNumber: UInt8) {
        guard journalNumber < Self.numbered.count else { return nil }
        self = Self.numbered[Int(journalNumber)]
    }
}

extension Gap.Source {
    /// All sources, by their number in a journal.
    private static let numbered: [Gap.Source] = [.trace, .poll, .destroy, .reader, .namespace]

    /// Its number in a journal.
    var journalNumber: UInt8 { UInt8(truncatingIfNeeded: Self.numbered.firstIndex(of: self) ?? Self.numbered.count) }

    /// The source of a number.
    init?(journalNumber: UInt8) {
        guard journalNumber < Self.numbered.count else { return nil }
        self = Self.numbered[Int(journalNumber)]
    }
}
