extension SocketFilter {
    /// A condition on ports: one of `local` as the local port, or one of `remote` as the remote one.
    package struct Ports: Hashable, Sendable {
        package var local: Set<UInt16> = []
        package var remote: Set<UInt16> = []
    }

    /// Ports without which the filter finds no socket; nil where it finds some with any.
    ///
    /// For who can test ports and nothing else: `sport = 443 and rtt > 1ms` is nothing without a local 443.
    package var necessaryPorts: Ports? {
        var stack: [Ports?] = []
        for node in nodes {
            switch node {
            case .term(let term): stack.append(term.necessaryPorts)
            case .not:
                _ = stack.popLast()
                stack.append(nil)
            case .and, .or:
                guard let right = stack.popLast(), let left = stack.popLast() else { return nil }
                stack.append(node == .and ? Self.either(left, right) : Self.both(left, right))
            }
        }
        return stack.last ?? nil
    }

    /// Whether the answer depends on the state.
    package var readsState: Bool {
        terms.contains { term in
            if case .states(let states) = term { states != TCPStateSet(rawValue: .max) } else { false }
        }
    }

    /// Whether states, endpoints, interface, uid and cookie are all that it asks for, beside what the caller knows.
    package var isTraceable: Bool {
        terms.allSatisfy { term in
            switch term {
            case .states, .host, .interface, .cookie, .external, .named(.interface), .named(.autobound): true
            case .number(let quantity, _, _): [.localPort, .remotePort, .uid].contains(quantity)
            case .mark, .inode, .named(.cgroup): false
            }
        }
    }

    /// The stronger of two conditions that both hold.
    private static func either(_ left: Ports?, _ right: Ports?) -> Ports? {
        guard let left, let right else { return left ?? right }
        return left.count <= right.count ? left : right
    }

    private static func both(_ left: Ports?, _ right: Ports?) -> Ports? {
        guard let left, let right else { return nil }
        return Ports(local: left.local.union(right.local), remote: left.remote.union(right.remote))
    }
}

extension SocketFilter.Term {
    fileprivate var necessaryPorts: SocketFilter.Ports? {
        switch self {
        case .number(.localPort, .equal, let port): UInt16(exactly: port).map { SocketFilter.Ports(local: [$0]) }
        case .number(.remotePort, .equal, let port): UInt16(exactly: port).map { SocketFilter.Ports(remote: [$0]) }
        case .host(.local, _, let port?): SocketFilter.Ports(local: [port])
        case .host(.remote, _, let port?): SocketFilter.Ports(remote: [port])
        default: nil
        }
    }
}

extension SocketFilter.Ports {
    fileprivate var count: Int { local.count + remote.count }
}
