/// A filter made ready for the sockets of one network namespace: interfaces and control groups looked up, and flattened.
///
/// ```swift
/// let matcher = try client.matcher(for: try SocketFilter("dev eth0 and rtt > 50ms"))
/// for socket in known where matcher.matches(socket) { print(socket) }
/// ```
///
/// A filter on `rtt` or `retrans` reads ``SocketFields/tcpInfo``: ask for ``extensions`` where sockets come from.
public struct SocketMatcher: Sendable {
    /// What the filter reads beyond the fixed fields.
    public let extensions: SocketExtensions
    let program: FilterProgram
    /// What the kernel is asked to test; nil where no socket can be found.
    let operations: [UInt8]?
    let reach: FilterReach
    private let filter: SocketFilter

    init(_ filter: SocketFilter, _ names: FilterNames) throws(KernelError) {
        program = try FilterProgram(filter, names)
        operations = FilterBytecode.compile(program)
        reach = FilterReach(filter)
        self.filter = filter
        extensions = filter.terms.contains { $0.readsInfo } ? .info : []
    }

    /// Whether the filter finds the socket. Allocates nothing; about 10 ns for a term.
    ///
    /// `external` says whether a condition holds that the kernel's answer has nothing for; it is called only where the
    /// result depends on it. Without it no such condition holds.
    public func matches(
        _ socket: borrowing some SocketFields & ~Escapable,
        external: (SocketFilter.External) -> Bool = { _ in false }
    ) -> Bool {
        let transport = socket.protocol
        return socket.withMessage {
            program.finds(SocketRecord(checked: $0, protocol: transport), external: external)
        }
    }

    /// The text of each step of the program.
    var terms: [String] { filter.terms.map { SocketFilter($0).description } }

    /// The query without states and families that the filter rules out, and with what it reads; nil where no socket is
    /// left.
    package func narrow(_ query: SocketQuery) -> SocketQuery? {
        var narrowed = query
        narrowed.extensions.formUnion(extensions)
        narrowed.states.formIntersection(TCPStateSet(rawValue: reach.states))
        if reach.families == .ipv6 {
            guard query.family != .ipv4 else { return nil }
            narrowed.family = .ipv6
        }
        return narrowed.states.isEmpty || reach.families.isEmpty ? nil : narrowed
    }
}

extension SocketFilter.Term {
    /// Whether it asks for `tcp_info`.
    var readsInfo: Bool {
        switch self {
        case .number(.rtt, _, _), .number(.retransmits, _, _): true
        default: false
        }
    }
}
