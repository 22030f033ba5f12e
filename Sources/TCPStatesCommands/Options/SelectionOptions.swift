internal import ArgumentParser
internal import SockDiag

/// Which sockets a command is about.
struct SelectionOptions: ParsableArguments {
    @Flag(name: [.customShort("4"), .customLong("ipv4")], help: "IPv4 sockets only.")
    var ipv4 = false

    @Flag(name: [.customShort("6"), .customLong("ipv6")], help: "IPv6 sockets only, IPv4-mapped ones among them.")
    var ipv6 = false

    @Option(
        name: .customLong("state"),
        help: ArgumentHelp("Sockets in these states only: listen,close-wait (repeatable).", valueName: "states"),
        completion: .list(StateList.completions),
        transform: StateList.init
    )
    var states: [StateList] = []

    @Flag(name: [.customShort("l"), .customLong("listening")], help: "Listeners only; the same as --state listen.")
    var listening = false

    /// The states that are asked for; all where none is named.
    var selectedStates: TCPStateSet {
        if states.isEmpty && !listening { return .all }
        return states.reduce(into: listening ? .listen : []) { $0.formUnion($1.states) }
    }

    /// The family that is asked for; nil for both.
    var family: AddressFamily? { ipv4 == ipv6 ? nil : ipv4 ? .ipv4 : .ipv6 }

    /// What the kernel is asked.
    func query(_ extensions: SocketExtensions = [], _ filter: SocketFilter? = nil) -> SocketQuery {
        SocketQuery(family: family, states: selectedStates, extensions: extensions, filter: filter)
    }
}

/// States and groups of states, separated by commas.
struct StateList {
    let states: TCPStateSet

    /// Reads the list of a command line.
    init(_ argument: String) throws {
        var states: TCPStateSet = []
        for name in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let named = TCPStateSet(String(name)) else {
                let known = (TCPState.allCases.map(\.description) + Self.groups).joined(separator: ", ")
                throw ValidationError("no state '\(name)'; there are \(known)")
            }
            states.formUnion(named)
        }
        self.states = states
    }

    /// What a shell offers.
    static let completions = TCPState.allCases.map { $0.description.lowercased() } + groups

    private static let groups = [
        "all", "connected", "synchronized", "bucket", "big", "fin-wait", "closing-states",
    ]
}

/// What the fingers type after years of `ss -tan`: numbers. They are the default here, so it changes nothing.
struct HabitualOptions: ParsableArguments {
    @Flag(name: [.customShort("n"), .customLong("numeric")], help: .private) var numeric = false
}
