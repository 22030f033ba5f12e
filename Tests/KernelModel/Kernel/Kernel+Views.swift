internal import ConnectionTracking
internal import SeededRandom
internal import SocketValues

/// What dumps and lookups show.
extension Kernel {
    /// The row of an object as it is seen now; nil where it is in none of the tables, or in none of the wanted states.
    func row(_ object: Int, in states: TCPStateSet = .all) -> SocketRow? {
        let shown = objects[object]
        guard let state = shown.shownState(at: now, showsBound: habits.showsBound), states.contains(state) else {
            return nil
        }
        if state != shown.state, now < shown.changedAt { features.insert(.oldStateAnswered) }
        var row = SocketRow(name(object), state, isMinisocket: shown.kind == .minisocket)
        if state == .bound || state == .listen { row.name.endpoints.remotePort = 0 }
        if state == .bound, shown.state != .closed {
            (row.name.endpoints.remoteHigh, row.name.endpoints.remoteLow) = (0, 0)
        }
        if shown.kind == .socket {
            row.inode = shown.inode
            if shown.inode != 0 || shown.isQueued && shown.uid != 0 { row.uid = shown.uid }
        }
        if shown.timerEnd != 0 {
            row.timer = UInt32(shown.timerEnd > now ? (shown.timerEnd - now) / 1_000_000 : 0)
        }
        return row
    }

    /// The answer of the kernel to an exact lookup: by the endpoints, or the listener that they lead to; then the
    /// cookie must be the one that was asked for.
    func lookUp(_ name: SocketName) -> SocketRow? {
        let found =
            present.first { isConnection($0) && objects[$0].name.endpoints == name.endpoints }
            ?? present.first { index in
                guard objects[index].shownState(at: now, showsBound: false) == .listen else { return false }
                let endpoints = objects[index].name.endpoints
                guard endpoints.localPort == name.endpoints.localPort, objects[index].name.family == name.family else {
                    return false
                }
                return endpoints.localHigh == 0 && endpoints.localLow == 0
                    || (endpoints.localHigh, endpoints.localLow) == (name.endpoints.localHigh, name.endpoints.localLow)
            }
        guard let found, let row = row(found) else { return nil }
        if name.cookie == .any, row.state == .listen { features.insert(.listenerAnswered) }
        return name.cookie == .any || row.name.cookie == name.cookie ? row : nil
    }

    /// Whether it is in the hash of connections, as it is seen now.
    private func isConnection(_ object: Int) -> Bool {
        guard let state = objects[object].shownState(at: now, showsBound: true) else { return false }
        return state != .listen && state != .closed && state != .bound
    }

    /// The objects in the order of a dump: listeners, then what is bound, then the hash of connections.
    func order() -> [Int] {
        func key(_ object: Int) -> UInt64 {
            let shown = objects[object]
            let table: UInt64 = shown.state == .listen ? 0 : shown.state == .closed ? 1 : 2
            return table << 62 | SplitMix64.mixed(shown.name.endpoints.digest) >> 2
        }
        return present.map { (key($0), $0) }.sorted { $0 < $1 }.map(\.1)
    }
}
