/// The commands that are held against each other, and the ratios that they shall not pass.
struct Suite {
    let tool: String
    let limit: String

    /// Every state of `include/net/tcp_states.h`, the bound ones too; SYN_RCVD alone; no extension, all of them.
    private static let (all, halfOpen, none, everything) = ("3ffe", "1008", "0", "ff")

    private var bare: Contender { Contender(name: "C loop", command: [limit, Self.all, Self.none]) }
    private var ss: Contender { Contender(name: "ss -tanH", command: ["ss", "-tanH"]) }

    /// With a handful of sockets: what it costs to start.
    var start: [Contender] {
        [
            Contender(name: "ss -tan", command: ["ss", "-tan"]),
            Contender(name: "tcpstates", command: [tool], against: "ss -tan", target: 1.5),
        ]
    }

    /// With many sockets: what each of them costs.
    var many: [Contender] {
        [
            bare,
            Contender(name: "C loop, all extensions", command: [limit, Self.all, Self.everything]),
            Contender(name: "C loop, SYN_RCVD", command: [limit, Self.halfOpen, Self.none]),
            ss,
            Contender(name: "ss -tanieomH", command: ["ss", "-tanieomH"]),
            Contender(
                name: "tcpstates list",
                command: [tool, "list"],
                against: ss.name,
                target: 0.15,
                cpuTarget: 0.22
            ),
            Contender(
                name: "tcpstates list -ieom",
                command: [tool, "list", "-ieom"],
                against: "ss -tanieomH",
                target: 0.25,
                cpuTarget: 0.4
            ),
            Contender(
                name: "tcpstates list --json",
                command: [tool, "list", "--json"],
                against: ss.name,
                target: 0.3,
                cpuTarget: 0.4
            ),
            Contender(
                name: "tcpstates summary",
                command: [tool, "summary"],
                against: bare.name,
                target: 0.12,
                cpuTarget: 0.15
            ),
            Contender(
                name: "tcpstates list --state syn-rcvd",
                command: [tool, "list", "--state", "syn-rcvd"],
                against: "C loop, SYN_RCVD",
                target: 1.1
            ),
            Contender(
                name: "tcpstates list sport = :9000",
                command: [tool, "list", "sport", "=", ":9000"],
                against: ss.name
            ),
        ]
    }

    /// The same beside busy loops, one for each processor: what is read in turn with others.
    var load: [Contender] {
        [
            bare, ss,
            Contender(name: "tcpstates list", command: [tool, "list"], against: ss.name, target: 0.3),
            Contender(
                name: "tcpstates list --json",
                command: [tool, "list", "--json"],
                against: ss.name,
                target: 0.45
            ),
            Contender(name: "tcpstates summary", command: [tool, "summary"], against: bare.name, target: 0.2),
        ]
    }

    /// With owners.
    func owners(withSS: Bool) -> [Contender] {
        let ours = Contender(
            name: "tcpstates list -p",
            command: [tool, "list", "-p"],
            against: withSS ? "ss -tanpH" : "tcpstates list",
            target: withSS ? 0.12 : nil
        )
        let theirs = Contender(name: "ss -tanpH", command: ["ss", "-tanpH"])
        return [Contender(name: "tcpstates list", command: [tool, "list"])] + (withSS ? [theirs, ours] : [ours])
    }
}
