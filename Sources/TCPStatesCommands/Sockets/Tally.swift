internal import SockDiag
internal import SocketOwners
internal import TCPRecords

/// Sockets counted by some of their properties; as large as there are groups, however many sockets.
struct Tally: Sendable {
    /// A group of sockets: the properties that are counted by, nil for the others.
    struct Group: Hashable, Sendable {
        var state: TCPState?
        var localPort: UInt16?
        var peer: IPAddress?
        /// The interface that a link-local peer is reached by.
        var peerInterface: String?
        /// The owner of the lowest number; also nil where nobody is known to hold the socket.
        var process: ProcessName?
        /// Also nil where the kernel does not report it.
        var uid: UInt32?
        /// The namespace's label.
        var netns: String?
    }

    /// What is counted by, in the order of the columns.
    let keys: [GroupKey]
    private var counts: [Group: Int] = [:]
    /// The counts by state alone: a dump of a million sockets spends no time on hashing.
    private var states = [Int](repeating: 0, count: 256)

    /// Nothing counted yet. A key that is named twice counts once.
    init(keys: [GroupKey]) {
        self.keys = keys.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// Counts a socket.
    mutating func count(
        _ socket: borrowing some SocketFields & ~Escapable,
        in namespace: NetworkNamespace? = nil,
        owners: OwnerSnapshot? = nil,
        names: inout RecordNames
    ) {
        guard keys != [.state] else { return states[Int(socket.state.rawValue)] += 1 }
        var group = Group()
        for key in keys {
            switch key {
            case .state: group.state = socket.state
            case .localPort: group.localPort = socket.local.port
            // One host, whether it talks to an IPv4 socket or to an IPv6 one.
            case .peer:
                let peer = socket.remote
                group.peer = peer.address.unmapped
                group.peerInterface = peer.scope.map { names.name(of: $0, in: namespace) }
            case .process: group.process = owners?[socket.inode].first?.name
            case .uid: group.uid = socket.uid
            case .netns: group.netns = namespace?.label
            }
        }
        counts[group, default: 0] += 1
    }

    /// Adds what another tally of the same keys has counted.
    mutating func add(_ other: Tally) {
        counts.merge(other.counts, uniquingKeysWith: +)
        for (state, count) in other.states.enumerated() { states[state] += count }
    }

    /// Adds numbers of sockets by the numbers of their states; nothing else is counted by.
    mutating func add(states counts: [Int]) {
        for (state, count) in counts.enumerated() { states[state] += count }
    }

    /// The number of sockets that were counted.
    var total: Int { counts.values.reduce(0, +) + states.reduce(0, +) }

    /// The groups and their counts: the largest first; counted by state alone, every state in its order.
    var rows: [(group: Group, count: Int)] {
        guard keys == [.state] else {
            return counts.map { (group: $0.key, count: $0.value) }.sorted {
                $0.count != $1.count ? $0.count > $1.count : precedes($0.group, $1.group)
            }
        }
        let counted = states.indices.filter { states[$0] > 0 }.map { TCPState(rawValue: UInt8($0)) }
        let unknown = counted.filter { !TCPState.allCases.contains($0) }
        return (TCPState.allCases + unknown).map { state in
            (group: Group(state: state), count: states[Int(state.rawValue)])
        }
    }

    private func precedes(_ left: Group, _ right: Group) -> Bool {
        for key in keys {
            switch key {
            case .state where left.state != right.state: return left.state.rank < right.state.rank
            case .localPort where left.localPort != right.localPort: return left.localPort ?? 0 < right.localPort ?? 0
            case .peer where left.peer != right.peer: return left.peer ?? .anyIPv4 < right.peer ?? .anyIPv4
            case .peer where left.peerInterface != right.peerInterface:
                return left.peerInterface ?? "" < right.peerInterface ?? ""
            case .process where left.process != right.process:
                return left.process?.description ?? "" < right.process?.description ?? ""
            case .uid where left.uid != right.uid: return left.uid.rank < right.uid.rank
            case .netns where left.netns != right.netns: return left.netns ?? "" < right.netns ?? ""
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
