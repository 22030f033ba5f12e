internal import ConnectionTracking
internal import SockDiag

/// The facts that come one by one.
extension JournalDecoder {
    mutating func fact(_ tag: JournalTag) throws(JournalFault) -> Input.Fact {
        switch tag {
        case .answer: return .answer(try answer())
        case .destroyed: return .destroyed(try destroyedSocket())
        case .transition: return .transition(try transition())
        case .retransmitted:
            let (flags, matching) = try flags()
            let name = try socketName()
            let isRequest = flags.contains(.isRequest)
            return .retransmitted(RetransmittedHandshake(name, isRequest: isRequest, matching: matching))
        case .reset:
            let cookie = SocketCookie(rawValue: try cursor.number())
            let state = try state()
            return .reset(ReportedReset(cookie, in: state, reason: try cursor.optional()))
        case .boundDestroyed: return .boundDestroyed(SocketCookie(rawValue: try cursor.number()))
        case .released: return .released(SocketCookie(rawValue: try cursor.number()))
        case .configured: return .configured(interval: try cursor.number(), needsInodes: try cursor.flag())
        case .matching:
            let (_, mask) = try flags()
            return .matching(try socketName(), mask)
        case .lost:
            let (source, reason) = (try gapSource(), try cursor.choice() as Loss.Reason)
            let includesRefusals = try cursor.flag()
            return .lost(Loss(source, reason, count: try cursor.optional(), includesRefusals: includesRefusals))
        case .wake: return .wake
        case .resynchronize: return .resynchronize
        default: throw .wrong("an entry is at the wrong place")
        }
    }

    /// All of a row.
    mutating func row() throws(JournalFault) -> SocketRow {
        let (flags, matching) = try flags()
        var row = SocketRow(.none, try state(), isMinisocket: flags.contains(.isMinisocket), matching: matching)
        row.name = try socketName()
        let difference = try cursor.signed()
        let (sum, overflow) = Int64(inode).addingReportingOverflow(difference)
        guard !overflow, let number = UInt32(exactly: sum) else { throw .wrong("an inode is too great") }
        inode = number
        row.inode = number
        if flags.contains(.hasUID) { row.uid = try cursor.number() }
        if flags.contains(.hasTimer) { row.timer = try cursor.number() }
        return row
    }

    private mutating func answer() throws(JournalFault) -> LookupAnswer {
        let (name, purpose) = (try socketName(), try cursor.choice() as Lookup.Purpose)
        let lookup = Lookup(name, purpose, about: SocketCookie(rawValue: try cursor.number()))
        let askedAt = try cursor.moment()
        let result: LookupAnswer.Result =
            switch try cursor.byte() {
            case 0: .found(try row())
            case 1: .gone
            case 2: .failed
            default: throw .wrong("there is no such answer")
            }
        return LookupAnswer(lookup, askedAt: askedAt, result)
    }

    private mutating func destroyedSocket() throws(JournalFault) -> DestroyedSocket {
        let (flags, matching) = try flags()
        let isFound = matching.contains(.closed) || matching.contains(.established)
        var socket = DestroyedSocket(try socketName(), isFound ? .finds : .passesOver)
        if flags.contains(.hasCounters) { socket.counters = try counters() }
        if flags.contains(.hasControls) { socket.acknowledgedControls = try cursor.number() }
        if flags.contains(.hasIdleTime) { socket.idleMilliseconds = try cursor.number() }
        if flags.contains(.isUndecided) {
            socket.verdict = .undecided(try cursor.list { cursor throws(JournalFault) in try cursor.printableText() })
        }
        return socket
    }

    private mutating func transition() throws(JournalFault) -> TracedTransition {
        let (flags, matching) = try flags()
        var transition = TracedTransition(.none, from: try state(), to: try state(), matching: matching)
        transition.name = try socketName()
        transition.uid = try cursor.number()
        transition.rtt = try cursor.number()
        if flags.contains(.hasPID) {
            transition.pid = Int32(bitPattern: try cursor.number())
            let name = ProcessName(bytes: try cursor.byteArray())
            transition.processName = name.isEmpty ? nil : name
        }
        guard flags.contains(.hasRest) else { return transition }
        var rest = SocketRest(try counters(), error: try cursor.choice())
        rest.isPeerDone = try cursor.flag()
        rest.isOrphan = try cursor.flag()
        rest.isUnaccepted = try cursor.flag()
        switch try cursor.byte() {
        case 0: rest.isBelowTimeWaitLimit = false
        case 1: rest.isBelowTimeWaitLimit = true
        case 2: rest.isBelowTimeWaitLimit = nil
        default: throw .wrong("a flag is neither set nor not")
        }
        transition.rest = rest
        return transition
    }

    private mutating func counters() throws(JournalFault) -> SocketCounters {
        var counters = SocketCounters()
        counters.bytesSent = try cursor.number()
        counters.bytesReceived = try cursor.number()
        counters.segmentsOut = try cursor.number()
        counters.segmentsIn = try cursor.number()
        counters.retransmits = try cursor.number()
        counters.rtt = try cursor.number()
        return counters
    }

    private mutating func flags() throws(JournalFault) -> (JournalFactFlags, StateMask) {
        let flags = JournalFactFlags(rawValue: try cursor.byte())
        guard flags.contains(.hasMatching) else { return (flags, .all) }
        return (flags, StateMask(rawValue: try cursor.number()))
    }

    private mutating func state() throws(JournalFault) -> TCPState { TCPState(rawValue: try cursor.byte()) }

    mutating func gapSource() throws(JournalFault) -> Gap.Source {
        guard let source = Gap.Source(journalNumber: try cursor.byte()) else { throw .wrong("there is no such source") }
        return source
    }

    mutating func socketName() throws(JournalFault) -> SocketName {
        let flags = JournalNameFlags(rawValue: try cursor.byte())
        if flags.contains(.isIPv4) {
            name.family = .ipv4
        } else if flags.contains(.isIPv6) {
            name.family = .ipv6
        } else {
            name.family.rawValue = try cursor.byte()
        }
        if !flags.contains(.hasSameCookie) { name.cookie.rawValue &+= UInt64(bitPattern: try cursor.signed()) }
        let ports: UInt32 = try cursor.number()
        name.endpoints.localPort = UInt16(truncatingIfNeeded: ports >> 16)
        name.endpoints.remotePort = UInt16(truncatingIfNeeded: ports)
        let isIPv4 = flags.contains(.isIPv4)
        if !flags.contains(.hasSameLocal) {
            name.endpoints.localHigh = isIPv4 ? 0 : try cursor.number()
            name.endpoints.localLow = try cursor.number()
        }
        if !flags.contains(.hasSameRemote) {
            name.endpoints.remoteHigh = isIPv4 ? 0 : try cursor.number()
            name.endpoints.remoteLow = try cursor.number()
        }
        name.endpoints.interface = flags.contains(.hasInterface) ? try cursor.number() : 0
        return name
    }
}
