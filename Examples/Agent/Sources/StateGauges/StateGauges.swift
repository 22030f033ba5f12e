import TCPWatch

/// How many sockets are in each state, by local port: right again after events were lost.
struct StateGauges {
    /// A gauge.
    struct Key: Hashable {
        var port: UInt16
        var state: TCPState
    }

    /// A connection, listener or bound socket: a cookie names a socket, which may have one connection after the other.
    private struct Life: Hashable {
        var cookie: SocketCookie
        var incarnation: UInt8
    }

    private var known: [Life: Key] = [:]

    var counts: [Key: Int] { known.values.reduce(into: [:]) { $0[$1, default: 0] += 1 } }

    mutating func take(_ event: SocketEvent) {
        switch event {
        case .gap(let gap) where gap.source == .reader: known = [:]  // What there is comes next, as at the beginning.
        case .socket(let socket):
            let life = Life(cookie: socket.cookie, incarnation: socket.incarnation)
            known[life] = Key(port: socket.local.port, state: socket.state)
        case .transition(let transition):
            let life = Life(cookie: transition.identity.cookie, incarnation: transition.incarnation)
            let key = Key(port: transition.identity.local.port, state: transition.to)
            known[life] = transition.to == .closed ? nil : key
        default: break
        }
    }
}
