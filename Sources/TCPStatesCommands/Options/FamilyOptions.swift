internal import ArgumentParser
internal import SockDiag
internal import TCPRecords

/// The families of sockets that are listed, as `ss` divides them.
struct SocketFamilies: OptionSet, Sendable {
    let rawValue: UInt8

    static let tcp = SocketFamilies(rawValue: 1 << 0)
    static let mptcp = SocketFamilies(rawValue: 1 << 1)
    static let udp = SocketFamilies(rawValue: 1 << 2)
    static let unix = SocketFamilies(rawValue: 1 << 3)

    /// The protocols of those over IP, in the order of `ss`.
    var protocols: [SocketProtocol] {
        let all: [(SocketFamilies, SocketProtocol)] = [(.udp, .udp), (.tcp, .tcp), (.mptcp, .mptcp)]
        return all.filter { contains($0.0) }.map(\.1)
    }
}

/// Which families are listed, and which of their states.
struct FamilyOptions: ParsableArguments {
    @Flag(
        name: [.customShort("t"), .customLong("tcp")],
        help: "TCP sockets; the default where no others are asked for."
    )
    var tcp = false

    @Flag(
        name: [.customShort("u"), .customLong("udp")],
        help: "UDP sockets that are connected; with -l those that are not, with -a all."
    )
    var udp = false

    @Flag(name: [.customShort("M"), .customLong("mptcp")], help: "MPTCP sockets; their subflows are TCP sockets.")
    var mptcp = false

    @Flag(
        name: [.customShort("x"), .customLong("unix")],
        help: "UNIX sockets that are connected; with -l listeners and those that are not, with -a all."
    )
    var unix = false

    @Flag(name: [.customShort("a"), .customLong("all")], help: "Every state, also of UDP and UNIX sockets.")
    var all = false

    /// The families that are asked for.
    var families: SocketFamilies {
        var families: SocketFamilies = []
        if tcp { families.insert(.tcp) }
        if mptcp { families.insert(.mptcp) }
        if udp { families.insert(.udp) }
        if unix { families.insert(.unix) }
        return families.isEmpty ? .tcp : families
    }

    /// What every row has to say where there are others than TCP's.
    var details: SocketDetails {
        var details: SocketDetails = families == .tcp ? [] : .transport
        if unix { details.insert(.unix) }
        return details
    }
}

extension SelectionOptions {
    /// The states of UDP and UNIX sockets: where nothing else is said, of those that are connected, as in `ss`.
    private func connectedStates(_ families: FamilyOptions, _ filter: SocketFilter?) -> TCPStateSet {
        guard states.isEmpty && !listening else {
            return states.reduce(into: listening ? [.listen, .closed] : []) { $0.formUnion($1.states) }
        }
        return families.all || filter?.namesStates == true ? .all : .connected
    }

    /// The states that may be among the rows.
    func selectedStates(_ families: FamilyOptions) -> TCPStateSet {
        var selected: TCPStateSet = []
        let asked = families.families
        if !asked.isDisjoint(with: [.tcp, .mptcp]) { selected.formUnion(selectedStates) }
        if !asked.isDisjoint(with: [.udp, .unix]) { selected.formUnion(connectedStates(families, nil)) }
        return selected
    }

    /// What the kernel is asked of sockets over IP, family by family.
    func queries(
        _ families: FamilyOptions,
        _ details: SocketDetails,
        _ filter: SocketFilter?
    ) throws -> [SocketQuery] {
        try families.families.protocols.map { transport in
            try require(filter, toApplyTo: transport)
            var query = query(details.extensions, filter)
            query.protocol = transport
            if transport == .udp { query.states = connectedStates(families, filter) }
            return query
        }
    }

    /// What the kernel is asked of UNIX sockets; nil where nobody asks.
    func unixQuery(
        _ families: FamilyOptions,
        _ details: SocketDetails,
        _ filter: SocketFilter?
    ) throws -> UnixSocketQuery? {
        guard families.unix else { return nil }
        if let family {
            throw ValidationError("--\(family) contradicts --unix: a UNIX socket has no IP; leave one of them out")
        }
        try require(filter, toApplyTo: nil)
        var extensions = UnixSocketExtensions.usual
        if details.contains(.extended) { extensions.insert(.file) }
        if details.contains(.memory) { extensions.insert(.memory) }
        return UnixSocketQuery(states: connectedStates(families, filter), extensions: extensions, filter: filter)
    }

    private func require(_ filter: SocketFilter?, toApplyTo transport: SocketProtocol?) throws {
        guard let term = filter?.firstTerm(unknownTo: transport) else { return }
        let (name, option) =
            switch transport {
            case .udp: ("UDP", "-u")
            case .mptcp: ("MPTCP", "-M")
            default: ("UNIX", "-x")
            }
        throw ValidationError("'\(term)' asks for what \(name) sockets do not have; leave out it or \(option)")
    }
}
