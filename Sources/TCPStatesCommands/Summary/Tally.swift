internal import SockDiag

/// Sockets counted by some of their properties; as large as there are groups, however many sockets.
struct Tally {
    /// A group of sockets: the properties that are counted by, nil for the others.
    struct Group: Hashable {
        var state: TCPState?
        var localPort: UInt16?
        var peer: IPAddress?
        /// Also nil where the kernel does not tell.
        var uid: UInt32?
    }

    /// What is counted by, in the order of the columns.
    let keys: [GroupKey]
    private var counts: [Group: Int] = [:]

    /// Nothing counted yet. A key that is named twice counts once.
    init(keys: [GroupKey]) {
        self.keys = keys.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// Counts a socket.
    mutating func count(_ socket: borrowing some SocketFields & ~Escapable) {
        var group = Group()
        for key in keys {
            switch key {
            case .state: group.state = socket.state
            case .localPort: group.localPort = socket.local.port
            // One host, whether it talks to an IPv4 socket or to an IPv6 one.
            case .peer: group.peer = socket.remote.address.unmapped
            case .uid: group.uid = socket.uid
            }
        }
        counts[group, default: 0] += 1
    }

    /// How many sockets were counted.
    var total: Int { counts.values.reduce(0, +) }

    /// The groups and their counts: the largest first; counted by state alone, every state in its order.
    var rows: [(group: Group, count: Int)] {
        guard keys == [.state] else {
            return counts.map { (group: $0.key, count: $0.value) }.sorted {
                $0.count != $1.count ? $0.count > $1.count : precedes($0.group, $1.group)
            }
        }
        let unknown = counts.keys.compactMap(\.state).filter { !TCPState.allCases.contains($0) }
        return (TCPState.allCases + unknown.sorted { $0.rawValue < $1.rawValue }).map { state in
            (group: Group(state: state), count: counts[Group(state: state), default: 0])
        }
    }

    private func precedes(_ left: Group, _ right: Group) -> Bool {
        for key in keys {
            switch key {
            case .state where left.state != right.state: return left.state.rank < right.state.rank
            case .localPort where left.localPort != right.localPort: return left.localPort ?? 0 < right.localPort ?? 0
            case .peer where left.peer != right.peer: return left.peer ?? .anyIPv4 < right.peer ?? .anyIPv4
            case .uid where left.uid != right.uid: return left.uid.rank < right.uid.rank
            default: continue
            }
        }
        return false
    }
}

extension TCPState? {
    /// Its place in the order of ``TCPState/allCases``; the unknown ones follow by number.
    fileprivate var rank: Int {
        guard let self else { return .max }
        return TCPState.allCases.firstIndex(of: self) ?? TCPState.allCases.count + Int(self.rawValue)
    }
}

extension UInt32? {
    /// Its value; a missing one comes last.
    fileprivate var rank: Int { map(Int.init) ?? .max }
}
