/// What a socket must be for a filter to be able to find it, as far as a request can say it: a superset, so that the
/// kernel need not walk others.
struct FilterReach {
    var states: UInt32 = .max
    var families: Families = .both

    struct Families: OptionSet {
        let rawValue: UInt8
        static let ipv4 = Families(rawValue: 1)
        static let ipv6 = Families(rawValue: 2)
        static let both: Families = [.ipv4, .ipv6]
    }

    /// Of an expression: where it may hold, and where it may not.
    private typealias Pair = (holds: FilterReach, fails: FilterReach)

    init() {}

    init(_ filter: SocketFilter) {
        var stack: [Pair] = []
        for node in filter.nodes {
            switch node {
            case .term(let term): stack.append(Self.reach(of: term))
            case .not:
                guard let operand = stack.popLast() else { return }
                stack.append((operand.fails, operand.holds))
            case .and, .or:
                guard let right = stack.popLast(), let left = stack.popLast() else { return }
                stack.append(
                    node == .and
                        ? (left.holds.intersection(right.holds), left.fails.union(right.fails))
                        : (left.holds.union(right.holds), left.fails.intersection(right.fails))
                )
            }
        }
        if let whole = stack.popLast() { self = whole.holds }
    }

    private static func reach(of term: SocketFilter.Term) -> Pair {
        var pair = (holds: FilterReach(), fails: FilterReach())
        switch term {
        case .states(let states): (pair.holds.states, pair.fails.states) = (states.rawValue, ~states.rawValue)
        // No IPv4 address is in an IPv6 network, but IPv6 sockets have addresses of IPv4 ones.
        case .host(_, let network?, _) where network.address.family == .ipv6: pair.holds.families = .ipv6
        // A minisocket has no tcp_info.
        case .number(.rtt, _, _), .number(.retransmits, _, _):
            pair.holds.states = ~TCPStateSet.timeWait.rawValue
        default: break
        }
        return pair
    }

    private func intersection(_ other: FilterReach) -> FilterReach {
        var result = self
        result.states &= other.states
        result.families.formIntersection(other.families)
        return result
    }

    private func union(_ other: FilterReach) -> FilterReach {
        var result = self
        result.states |= other.states
        result.families.formUnion(other.families)
        return result
    }
}
