internal import SockDiag

@testable internal import TCPWatch

/// What has to be true of any events, whichever were expected.
enum EventOracle {
    /// The addresses that a lab has, and those of sockets that have none.
    static let labAddresses: Set<IPAddress> = [
        .anyIPv4, .anyIPv6, .loopbackIPv4, IPAddress(ipv4: 0xc000_0201), IPAddress(ipv4: 0xc000_0202),
        IPAddress(ipv6: 0x2001_0db8 << 32, 1), IPAddress(ipv6: 0x2001_0db8 << 32, 2),
    ]

    /// Why the events cannot be those of connections.
    static func faults(in events: [SocketEvent], isTraced: Bool) -> [String] {
        let transitions = events.compactMap { if case .transition(let transition) = $0 { transition } else { nil } }
        let lives = ReportedLife.all(in: transitions)
        return lives.flatMap(\.faults) + beginnings(of: lives, events)
            + transitions.flatMap { transition in
                claims(transition, isTraced: isTraced).map { "\(transition.identity.cookie) \(transition.path): \($0)" }
            } + order(events)
    }

    /// A life begins in CLOSED, or where its socket was when watching began.
    private static func beginnings(of lives: [ReportedLife], _ events: [SocketEvent]) -> [String] {
        var existing: [SocketCookie: Set<TCPState>] = [:]
        for event in events {
            if case .ready = event { break }
            if case .socket(let socket) = event { existing[socket.cookie, default: []].insert(socket.state) }
        }
        return lives.compactMap { life in
            guard let first = life.transitions.first, let from = first.from else { return nil }
            // A socket that was disconnected may have kept its port.
            let others: Set<TCPState> = life.incarnation == 0 ? [.closed] : [.closed, .bound]
            let known = existing[life.cookie] ?? others
            let isPossible = known.contains(from) || life.incarnation > 0 && others.contains(from)
            return isPossible ? nil : "\(life) begins in \(from)"
        }
    }

    /// What a single transition says of itself.
    private static func claims(_ transition: Transition, isTraced: Bool) -> [String] {
        var faults: [String] = []
        if transition.certainty == .exact, transition.source != .trace { faults.append("exact, and not reported") }
        if transition.certainty == .exact, !transition.via.isEmpty { faults.append("exact, and through others") }
        if transition.source == (isTraced ? .destroy : .trace) { faults.append("by a source that is not there") }
        if transition.pid != nil, transition.certainty != .exact { faults.append("a process took it that nobody saw") }
        if transition.final != nil, transition.to != .closed { faults.append("final, and not the end") }
        if let cause = transition.cause, let from = transition.via.last ?? transition.from,
            TCPStateMachine.step(from: from, to: transition.to)?.triggers.contains(cause) == false
        {
            faults.append("\(cause) does not cause it")
        }
        return faults
    }

    /// What exists is reported first, then that it is all; a transition follows none of a socket that it contradicts.
    private static func order(_ events: [SocketEvent]) -> [String] {
        var faults: [String] = []
        var isReady = false
        var states: [String: TCPState] = [:]
        for event in events {
            switch event {
            case .ready: isReady = true
            case .transition(let transition):
                if !isReady { faults.append("\(transition.path) before ready") }
                states["\(transition.identity.cookie) \(transition.identity.local)"] = transition.to
            case .socket(let socket):
                guard let last = states["\(socket.cookie) \(socket.local)"], last != socket.state else { break }
                faults.append("\(socket.cookie) exists in \(socket.state), and was reported to be in \(last)")
            default: break
            }
        }
        return isReady ? faults : faults + ["never ready"]
    }
}
