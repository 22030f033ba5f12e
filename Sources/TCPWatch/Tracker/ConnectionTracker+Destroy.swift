package import SockDiag

extension ConnectionTracker {
    /// The kernel told that it destroyed a full socket, with its final counters.
    ///
    /// That is the end of a connection that this side did not close first. Of one that it did, a minisocket takes over
    /// under the same cookie: what `lookup` finds decides. The message's own endpoints may be wiped by then, so it is
    /// joined by the cookie.
    ///
    /// - Throws: what `lookup` throws; the next dump decides then.
    package mutating func destroyed(
        _ record: borrowing some SocketFields & ~Escapable,
        at time: EventTime,
        lookup: Lookup,
        emit: (Transition) -> Void
    ) throws(SockDiagError) {
        let info = record.tcpInfo
        // A socket that was aborted has been wiped: its counters say nothing.
        let isWiped = record.remote.port == 0 && info?[.segsIn] == 0
        var counters = FinalCounters(isWiped ? nil : info)
        guard let position = table.position(of: record.cookie) else {
            try unknownDestroyed(record, info, counters, at: time, lookup: lookup, emit: emit)
            return
        }
        let entry = table.entries[position]
        if entry.state == .closed { return end(position, evidence: .none, source: .destroy, at: time, emit: emit) }
        if entry.state != .listen, entry.state != .bound, let socket = try lookup(entry.identity) {
            if socket.state == .timeWait { counters.discountFIN() }
            keep(counters, of: position)
            observe(socket, at: time, emit: emit)
            return
        }
        // A minisocket ends by itself, later or earlier: this is about the socket before it.
        guard !entry.flags.contains(.isMinisocket) else {
            keep(counters, of: position)
            return end(position, evidence: .none, source: .poll, at: time, emit: emit)
        }
        let evidence = Self.evidence(info, entry.side)
        let states = [entry.state] + TCPStateMachine.passed(from: entry.state, to: .closed, evidence: evidence)
        if !TCPStateSet.peerClosed.isDisjoint(with: TCPStateSet(states)) { counters.discountFIN() }
        end(position, evidence: evidence, source: .destroy, at: time, final: counters, emit: emit)
    }

    /// A socket that was made, and mostly has ended too, since the last dump.
    private mutating func unknownDestroyed(
        _ record: borrowing some SocketFields & ~Escapable,
        _ info: TCPInfo?,
        _ measured: FinalCounters,
        at time: EventTime,
        lookup: Lookup,
        emit: (Transition) -> Void
    ) throws(SockDiagError) {
        let identity = record.identity
        // A socket that never had a peer was no connection. One that was aborted keeps the peer's address alone.
        guard !identity.remote.address.isAny, !isBeginning else { return }
        var counters = measured
        // Where messages are read late, the ends may have been used again: several sockets between the same two, and one
        // minisocket. It is counted for the first message; each further one is the end of a connection.
        if let position = takeUnclaimed(identity) {
            if table.entries[position].state == .timeWait { counters.discountFIN() }
            return keep(counters, of: position)
        }
        if let minisocket = try Self.minisocket(after: identity, lookup), !isClaimed(minisocket.cookie) {
            if minisocket.state == .timeWait { counters.discountFIN() }
            let side = Self.sequenceNumbers(info).map { $0 > 1 ? OpeningSide.active : .passive }
            observe(minisocket, at: time, side: side ?? .unknown, emit: emit)
            _ = takeUnclaimed(identity)
            guard let position = table.position(of: minisocket.cookie) else { return }
            return keep(counters, of: position)
        }
        guard !takeUnannounced(identity), filter?.finds(record, of: []) != false else { return }
        var isChild = listeners[identity.local.port] != nil
        if !isChild { isChild = try Self.listener(of: identity, lookup) != nil }
        let side = isChild ? OpeningSide.passive : .active
        if Self.evidence(info, side) == .finAcknowledged { counters.discountFIN() }
        var last =
            Transition(identity, from: nil, to: .closed, certainty: .observed, source: .destroy, time: time)
        last.openedBy = side
        (last.uid, last.inode, last.namespace) = (record.uid, record.inode, namespace)
        last.final = counters
        emit(last)
    }

    /// The minisocket between these ends that a dump has shown, and the kernel has not told of; once.
    private mutating func takeUnclaimed(_ identity: SocketIdentity) -> Int? {
        guard !unclaimed.isEmpty else { return nil }
        let ends = KnownConnection(identity, in: .closed, side: .unknown, enteredAt: 0, generation: 0).endpoints
        guard let cookie = unclaimed[ends], let position = table.position(of: cookie),
            table.entries[position].isBetween(identity)
        else { return nil }
        unclaimed[ends] = nil
        return position
    }

    private mutating func keep(_ counters: FinalCounters, of position: Int) {
        finals[table.entries[position].cookie] = counters
        table.entries[position].flags.insert(.hasFinalCounters)
    }

    /// Whether the kernel has told of the socket before the minisocket.
    private mutating func isClaimed(_ cookie: SocketCookie) -> Bool {
        table.position(of: cookie).map { table.entries[$0].flags.contains(.hasFinalCounters) } ?? false
    }

    /// What is left of a socket that nobody had asked for while it lived. The kernel gives a cookie on first need: this
    /// message was the first for the socket, and its minisocket gets another one. So the endpoints have to tell.
    private static func minisocket(
        after identity: SocketIdentity,
        _ lookup: Lookup
    ) throws(SockDiagError) -> TCPSocket? {
        guard identity.remote.port != 0 else { return nil }
        var heir = identity
        heir.cookie = .any
        guard let socket = try lookup(heir), socket.isMinisocket else { return nil }
        return socket
    }

    /// The listener that a connection was made by.
    private static func listener(of child: SocketIdentity, _ lookup: Lookup) throws(SockDiagError) -> TCPSocket? {
        var listener = child
        listener.cookie = .any
        listener.remote = SocketEndpoint(child.family == .ipv6 ? .anyIPv6 : .anyIPv4, port: 0)
        return try lookup(listener)
    }

    /// Whether the peer acknowledged this side's FIN.
    private static func evidence(_ info: TCPInfo?, _ side: OpeningSide) -> EndEvidence {
        switch (sequenceNumbers(info), side) {
        case (nil, _), (1, .unknown): .none
        case (0, _), (1, .active): .noFIN
        default: .finAcknowledged
        }
    }

    /// The acknowledged sequence numbers that were no payload: one for the FIN, and one for the SYN, which the kernel
    /// counts for the side that connected alone. 0 too where payload was not acknowledged.
    private static func sequenceNumbers(_ info: TCPInfo?) -> UInt64? {
        guard let info, let acknowledged = info[.bytesAcked], let sent = info[.bytesSent],
            let again = info[.bytesRetrans], sent >= again
        else { return nil }
        let payload = sent - again
        return acknowledged > payload ? acknowledged - payload : 0
    }
}

extension TCPStateSet {
    /// The states in which the peer's FIN has been received.
    fileprivate static let peerClosed: TCPStateSet = [.closeWait, .lastAck, .closing, .timeWait]

    fileprivate init(_ states: [TCPState]) { self = states.reduce(into: []) { $0.insert(TCPStateSet($1)) } }
}
