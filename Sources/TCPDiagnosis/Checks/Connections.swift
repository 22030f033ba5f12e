internal import SockDiag
internal import SocketOwners

/// Connections that one process holds, all opened here or all accepted.
struct Connections {
    /// The process; none where nobody is known to hold them, or where that is not to be told.
    let owners: [SocketOwner]
    /// What tells the connections of one process from those of another.
    let holder: Int32
    let sockets: [Waiting]

    var count: Int { sockets.count }

    /// Where the connections go, the most first: destinations of those opened here, listeners of those accepted.
    var places: [(endpoint: SocketEndpoint, count: Int)] {
        let counts = sockets.reduce(into: [:]) { $0[$1.listener ?? $1.remote, default: 0] += 1 }
        return counts.map { ($0.key, $0.value) }.sorted { ($1.count, $0.endpoint.port) < ($0.count, $1.endpoint.port) }
    }

    /// Whether they were accepted here.
    var isIncoming: Bool { sockets.first?.listener != nil }
    /// The listener that all of them came to.
    var listener: SocketEndpoint? { isIncoming && places.count == 1 ? places[0].endpoint : nil }
    /// The destination that all of them go to.
    var destination: SocketEndpoint? { !isIncoming && places.count == 1 ? places[0].endpoint : nil }

    /// `to 10.0.0.7:5432`, `that came to 0.0.0.0:80`, `to 12 destinations`.
    var whither: String {
        let several = isIncoming ? "\(places.count) listeners" : "\(places.count) destinations"
        return (isIncoming ? "that came to " : "to ") + (places.count == 1 ? "\(places[0].endpoint)" : several)
    }

    /// How many there are for each place, for a few of them.
    var evidence: Finding.Evidence {
        let named = places.prefix(4).map { "\($0.count) \(isIncoming ? "at" : "to") \($0.endpoint)" }
        let others = places.count > 4 ? ", and \(places.count - 4) more" : ""
        return .init(isIncoming ? "listeners" : "destinations", places.count, named.joined(separator: ", ") + others)
    }

    /// What finds them among all sockets of the process, as far as the place tells.
    var filter: SocketFilter? {
        if let listener { return .localPort == listener.port }
        return destination.map { .remote($0.address) && .remotePort == $0.port }
    }
}

extension Examination {
    /// The connections by the process that holds them and by direction, the most first; those of nobody who can be seen
    /// together. Processes with fewer than `least` are left out, and of the others a direction that has fewer beside one that
    /// has as many.
    mutating func grouped(_ sockets: [Waiting], least: Int) -> [Connections] {
        guard sockets.count >= least, !sockets.isEmpty else { return [] }
        let snapshot = ownersOfSuspects()
        var processes: [Int32: (owners: [SocketOwner], sockets: [Waiting])] = [:]
        for socket in sockets {
            let owner = snapshot[socket.inode].first
            processes[owner?.pid ?? 0, default: (owner.map { [$0] } ?? [], [])].sockets.append(socket)
        }
        var groups: [Connections] = []
        for (holder, (owners, sockets)) in processes where sockets.count >= least {
            let directions = [sockets.filter { $0.listener == nil }, sockets.filter { $0.listener != nil }]
            let large = directions.filter { $0.count >= least }
            for sockets in large.isEmpty ? directions : large {
                groups.append(Connections(owners: namesOwners ? owners : [], holder: holder, sockets: sockets))
            }
        }
        return groups.sorted { $0.count > $1.count }
    }

    /// The connections by their peer, the most first: a destination of what was opened here, the address of a client (port 0).
    func byPeer(_ sockets: [Waiting]) -> [(peer: SocketEndpoint, sockets: [Waiting])] {
        let peers = Dictionary(grouping: sockets) { socket in
            socket.listener == nil
                ? socket.remote : SocketEndpoint(socket.remote.address, port: 0, scope: socket.remote.scope)
        }
        return peers.map { ($0.key, $0.value) }.sorted { $0.sockets.count > $1.sockets.count }
    }
}

extension SocketEndpoint {
    /// The endpoint, or where the port is 0 the address, as in a title.
    var title: String { port == 0 ? "\(address)" : "\(self)" }

    /// Sockets whose peer it is, on whatever port where it is 0.
    var filter: SocketFilter { port == 0 ? .remote(address) : .remote(address) && .remotePort == port }
}
