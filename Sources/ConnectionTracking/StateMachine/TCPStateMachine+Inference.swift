package import SocketValues

/// What is known of how a connection ended, beside the last state it was seen in.
package enum EndEvidence: UInt8, Hashable, Sendable {
    /// Nothing.
    case none
    /// The peer acknowledged this side's FIN.
    case finAcknowledged
    /// A connection was there, and no FIN of this side was acknowledged: reset, aborted or timed out.
    case noFIN
}

extension TCPStateMachine {
    /// Steps that are legal and seldom taken: simultaneous open and close, a close before the handshake's end; and
    /// FIN_WAIT_1 → TIME_WAIT, for which Linux passes through FIN_WAIT_2.
    private static let rare: Set<TCPStep> = Set(
        [
            step(from: .synSent, to: .synReceived), step(from: .finWait1, to: .closing),
            step(from: .finWait1, to: .timeWait), step(from: .synReceived, to: .finWait1),
            step(from: .synReceived, to: .closeWait),
        ].compactMap { $0 }
    )

    /// The states that a connection most likely passed through unseen between two in which it was seen; empty where one
    /// usual step joins them.
    ///
    /// What is possible is decided by ``ways(from:to:)``. Of that: as few rare steps as there can be; the handshake
    /// of the side that it is on; an end by FINs unless the evidence says otherwise.
    package static func passed(
        from: TCPState,
        to: TCPState,
        side: OpeningSide = .unknown,
        evidence: EndEvidence = .none
    ) -> [TCPState] {
        if to == .closed { return passedToTheEnd(from: from, evidence: evidence) }
        if let way = usualWay(from: from, to: to, side: side) { return way }
        // A state that this version does not know.
        guard from != .closed else { return [] }
        // The descriptor was used anew: disconnected, then bound, listening or connecting again.
        return passedToTheEnd(from: from, evidence: evidence) + [.closed] + passed(from: .closed, to: to, side: side)
    }

    /// The states that one connection passed through unseen between two; nil where one connection cannot be in the one and
    /// then in the other. A state that this version does not know may follow and lead anywhere.
    package static func route(from: TCPState, to: TCPState, side: OpeningSide) -> [TCPState]? {
        guard isKnown(from), isKnown(to), from != to else { return [] }
        if to == .closed { return passedToTheEnd(from: from, evidence: .none) }
        return usualWay(from: from, to: to, side: side)
    }

    /// The states on the most likely way between two, of those that there are; nil where there is none.
    private static func usualWay(from: TCPState, to: TCPState, side: OpeningSide) -> [TCPState]? {
        guard isKnown(from), isKnown(to) else { return nil }
        return usualWays[index(from, to, side)]
    }

    private static func index(_ from: TCPState, _ to: TCPState, _ side: OpeningSide) -> Int {
        Int(side.rawValue) << 8 | Int(from.rawValue) << 4 | Int(to.rawValue)
    }

    /// Found once: to search takes microseconds, and many connections are seen once or twice.
    private static let usualWays: [[TCPState]?] = {
        let sides: [OpeningSide] = [.unknown, .active, .passive]
        var table = [[TCPState]?](repeating: nil, count: sides.count << 8)
        for side in sides {
            for from in TCPState.allCases {
                for to in TCPState.allCases {
                    table[index(from, to, side)] = findUsualWay(from: from, to: to, side: side)
                }
            }
        }
        return table
    }()

    private static func findUsualWay(from: TCPState, to: TCPState, side: OpeningSide) -> [TCPState]? {
        let ways = ways(from: from, to: to)
        let fitting = ways.filter { way in
            switch side {
            case .active: from != .closed || way.first == .synSent || way.first == .bound
            case .passive: from != .closed || way.first == .synReceived
            case .unknown: true
            }
        }
        let candidates = fitting.isEmpty ? ways : fitting
        func rarities(_ way: [TCPState]) -> Int {
            zip([from] + way, way).count { pair in step(from: pair.0, to: pair.1).map(rare.contains) ?? false }
        }
        // Of equal ones the first, which is the shortest.
        return candidates.min { rarities($0) < rarities($1) }?.dropLast()
    }

    private static func isKnown(_ state: TCPState) -> Bool { TCPState.allCases.contains(state) }

    private static func passedToTheEnd(from: TCPState, evidence: EndEvidence) -> [TCPState] {
        switch (from, evidence) {
        case (.established, .none), (.established, .finAcknowledged): [.closeWait, .lastAck]
        case (.closeWait, .none), (.closeWait, .finAcknowledged): [.lastAck]
        // A full socket ended: the request had become a connection.
        case (.synReceived, .finAcknowledged), (.synSent, .finAcknowledged): [.established, .closeWait, .lastAck]
        default: []
        }
    }
}
