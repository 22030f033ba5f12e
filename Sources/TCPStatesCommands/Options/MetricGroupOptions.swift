internal import ArgumentParser
internal import TCPRecords

/// What metrics count sockets by, beside their states.
struct MetricGroupOptions: ParsableArguments {
    @Option(
        name: .customLong("by"),
        help: ArgumentHelp(
            """
            Count sockets by local-port, destination, process too, or several (repeatable). Names of processes are then told to \
            whoever asks, and read at each scrape.
            """,
            valueName: "keys"
        ),
        completion: .list(SocketGauges.Grouping.allCases.map(\.rawValue)),
        transform: MetricGroups.init
    )
    var by: [MetricGroups] = []

    @Option(
        help: ArgumentHelp(
            "Local ports that are counted by, also where nobody listens: 443,5432 (repeatable).",
            valueName: "ports"
        ),
        transform: PortList.init
    )
    var ports: [PortList] = []

    @Option(
        name: .customLong("max-groups"),
        help: ArgumentHelp(
            "Groups of each metric, 1 to 10000; those beyond are counted together as other (default: 100).",
            valueName: "number"
        ),
        transform: Self.cap
    )
    var cap = 100

    @Flag(help: "How many bytes wait in the sockets' queues too, for which each scrape dumps all sockets.")
    var queues = false

    func validate() throws {
        guard ports.isEmpty || groupings.contains(.localPort) else {
            throw ValidationError("--ports are counted by with --by local-port alone")
        }
    }

    private var groupings: Set<SocketGauges.Grouping> { by.reduce(into: []) { $0.formUnion($1.groupings) } }

    var options: SocketGauges.Options {
        var options = SocketGauges.Options()
        options.groupings = groupings
        options.ports = ports.reduce(into: []) { $0.formUnion($1.ports) }
        options.cap = cap
        options.hasQueues = queues
        return options
    }

    private static func cap(_ word: String) throws -> Int {
        guard let cap = Int(word), (1...10_000).contains(cap) else {
            throw ValidationError("no number of groups '\(word)'; a whole number from 1 to 10000")
        }
        return cap
    }
}

/// What metrics count by, separated by commas.
struct MetricGroups {
    let groupings: Set<SocketGauges.Grouping>

    init(_ argument: String) throws {
        groupings = try Set(
            argument.split(separator: ",", omittingEmptySubsequences: false).map { name in
                guard let grouping = SocketGauges.Grouping(rawValue: String(name)) else {
                    let known = SocketGauges.Grouping.allCases.map(\.rawValue).joined(separator: ", ")
                    throw ValidationError("no key '\(name)'; there are \(known)")
                }
                return grouping
            }
        )
    }
}

/// Ports separated by commas.
struct PortList {
    let ports: Set<UInt16>

    init(_ argument: String) throws {
        ports = try Set(
            argument.split(separator: ",", omittingEmptySubsequences: false).map { word in
                guard let port = UInt16(word), port > 0 else {
                    throw ValidationError("no port '\(word)'; a number from 1 to 65535")
                }
                return port
            }
        )
    }
}
