/// Which sockets are wanted: a condition on what the kernel says of a socket, built in Swift or read from text.
///
/// ```swift
/// let leaked: SocketFilter = .state(.closeWait) && .localPort == 443 && .receiveQueue > 0
/// let same = try SocketFilter("state close-wait sport = :443 recvq > 0")
///
/// var client = try SockDiagClient()
/// for socket in try client.sockets(SocketQuery(filter: leaked)) { print(socket) }
/// ```
///
/// The text is the language of `ss`, extended; `docs/filters.md` is its reference. ``description`` writes a filter as
/// text that reads back as an equal one.
///
/// The kernel tests what it can (`INET_DIAG_REQ_BYTECODE`), this library the whole: the answer never depends on how much
/// the kernel took over. A condition on something that a socket does not have is false, and its negation is true:
/// TIME_WAIT has no owner, so neither `uid = 0` nor `uid < 1000` finds one, but `uid != 0` does.
public struct SocketFilter: Hashable, Sendable {
    /// The expression in reverse Polish notation. Flat, so that no depth of nesting costs a stack.
    var nodes: [Node]

    enum Node: Hashable, Sendable { case term(Term), not, and, or }

    init(nodes: [Node]) { self.nodes = nodes }

    init(_ term: Term) { nodes = [.term(term)] }

    /// The sockets that both filters find.
    public static func && (left: SocketFilter, right: SocketFilter) -> SocketFilter {
        SocketFilter(nodes: left.nodes + right.nodes + [.and])
    }

    /// The sockets that one of the filters finds, or both.
    public static func || (left: SocketFilter, right: SocketFilter) -> SocketFilter {
        SocketFilter(nodes: left.nodes + right.nodes + [.or])
    }

    /// The sockets that the filter does not find.
    public static prefix func ! (filter: SocketFilter) -> SocketFilter {
        var negated = filter
        negated.nodes.negate()
        return negated
    }

    /// The sockets that all of the filters find; every socket where there are none.
    public static func all(of filters: some Sequence<SocketFilter>) -> SocketFilter {
        joined(filters, by: .and) ?? SocketFilter(.anything)
    }

    /// The sockets that at least one of the filters finds; no socket where there are none.
    public static func any(of filters: some Sequence<SocketFilter>) -> SocketFilter {
        joined(filters, by: .or) ?? .state([])
    }

    private static func joined(_ filters: some Sequence<SocketFilter>, by node: Node) -> SocketFilter? {
        var nodes: [Node] = []
        for filter in filters {
            let isFirst = nodes.isEmpty
            nodes += filter.nodes
            if !isFirst { nodes.append(node) }
        }
        return nodes.isEmpty ? nil : SocketFilter(nodes: nodes)
    }

    /// The filter's terms, in the order of its text.
    var terms: some Sequence<Term> {
        nodes.lazy.compactMap { if case .term(let term) = $0 { term } else { nil } }
    }
}

extension [SocketFilter.Node] {
    /// Negates the expression that ends here, in the one form that a negation has.
    mutating func negate() {
        switch last {
        case .not: removeLast()
        case .term(.states(let states)): self[count - 1] = .term(.states(TCPStateSet(rawValue: ~states.rawValue)))
        default: append(.not)
        }
    }
}
