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
        let steps = events.compactMap { if case .transition(let step) = $0 { step } else { nil } }
        let lives = ToldLife.all(in: steps)
        return lives.flatMap(\.faults) + beginnings(of: lives, events)
            + steps.flatMap { step in
                claims(step, isTraced: isTraced).map { "\(step.identity.cookie) \(step.path): \($0)" }
            } + order(events)
    }

    /// A life begins in CLOSED, or where its socket was when watching began.
    private static func beginnings(of lives: [ToldLife], _ events: [SocketEvent]) -> [String] {
        var existing: [SocketCookie: Set<TCPState>] = [:]
        for event in events {
            if case .ready = event { break }
            if case .socket(let socket) = event { existing[socket.cookie, default: []].insert(socket.state) }
        }
        return lives.compactMap { life in
            guard let first = life.steps.first, let from = first.from else { return nil }
            // A socket that was disconnected may have kept its port.
            let others: Set<TCPState> = life.incarnation == 0 ? [.closed] : [.closed, .bound]
            let known = existing[life.cookie] ?? others
            let isPossible = known.contains(from) || life.incarnation > 0 && others.contains(from)
            return isPossible ? nil : "\(life) begins in \(from)"
        }
    }

    /// What a single step says of itself.
    private static func claims(_ step: Transition, isTraced: Bool) -> [String] {
        var faults: [String] = []
        if step.certainty == .exact, step.source != .trace { faults.append("exact, and not reported") }
        if step.certainty == .exact, !step.via.isEmpty { faults.append("exact, and through others") }
        if step.source == (isTraced ? .destroy : .trace) { faults.append("by a source that is not there") }
        if step.pid != nil, step.certainty != .exact { faults.append("a process took it that nobody saw") }
        if step.final != nil, step.to != .closed { faults.append("final, and not the end") }
        if let cause = step.cause, let from = step.via.last ?? step.from,
            TCPStateMachine.step(from: from, to: step.to)?.triggers.contains(cause) == false
        {
            faults.append("\(cause) does not cause it")
        }
        return faults
    }

    /// What exists is told first, then that it is all; a step follows none of a socket that it contradicts.
    private static func order(_ events: [SocketEvent]) -> [String] {
        var faults: [String] = []
        var isReady = false
        var states: [String: TCPState] = [:]
        for event in events {
            switch event {
            case .ready: isReady = true
            case .transition(let step):
                if !isReady { faults.append("\(step.path) before ready") }
                states["\(step.identity.cookie) \(step.identity.local)"] = step.to
            case .socket(let socket):
                guard let last = states["\(socket.cookie) \(socket.local)"], last != socket.state else { break }
                faults.append("\(socket.cookie) exists in \(socket.state), and was told to be in \(last)")
            default: break
            }
        }
        return isReady ? faults : faults + ["never ready"]
    }
}
