import ArgumentParser
import Glibc

@main
struct Benchmarks: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Times tcpstates beside ss and beside the kernel's own limit, in one run.",
        discussion: """
            Makes established connections on loopback in a network namespace of its own, then runs every command in \
            turn, and prints the medians as a Markdown table.
            """,
        subcommands: [Run.self, Hold.self, Spin.self, Watching.self, Price.self],
        defaultSubcommand: Run.self
    )
}

/// The part of the processes that the benchmark starts.
struct Hold: ParsableCommand {
    static let configuration = CommandConfiguration(shouldDisplay: false)

    @Argument var connections: Int
    @Argument var index: Int

    func run() throws { try hold(connections: connections, index: index) }
}

/// A busy loop, until it is killed.
struct Spin: ParsableCommand {
    static let configuration = CommandConfiguration(shouldDisplay: false)

    func run() throws {
        var count: UInt64 = 0
        while getppid() != 1 { for _ in 0..<1_000_000 { count = count &* 6_364_136_223_846_793_005 &+ 1 } }
        print(count)
    }
}

struct Run: ParsableCommand {
    @Option(name: .long, help: "The binary to measure.")
    var tool: String

    @Option(name: .long, help: "How many sockets there shall be; repeatable.")
    var sockets: [Int] = [100_000]

    @Option(name: .long, help: "How often each command is timed.")
    var rounds = 5

    @Option(name: .customLong("part"), help: "What is measured, all without it; repeatable.")
    var chosen: [Part] = []

    /// What can be measured.
    enum Part: String, CaseIterable, ExpressibleByArgument { case dumps, owners, watch, serve, churn }

    private var parts: [Part] { chosen.isEmpty ? Part.allCases : chosen }

    @Option(name: .long, help: "How often each exporter is scraped, once a second.")
    var scrapes = 20

    @Option(name: .long, help: "How many scrapes in a row shall make nothing grow.")
    var dayOfScrapes = 100_000

    @Option(name: .long, help: "Above so many sockets `ss -p` is left out: its time grows with their square.")
    var ownersLimit = 100_000

    func validate() throws {
        guard sockets.allSatisfy({ (2...2_000_000).contains($0) }) else {
            throw ValidationError("--sockets must be between 2 and 2000000")
        }
        guard (1...1000).contains(rounds) else { throw ValidationError("--rounds must be between 1 and 1000") }
    }

    func run() throws {
        try enterNetworkNamespace()
        if parts.contains(.dumps) { try runDumps() }
        if parts.contains(.owners) { try runOwners() }
        if parts.contains(.watch) {
            print("### `tcpstates watch --json` as a process\n")
            print(try processTable(tool, rounds: min(rounds, 3)))
        }
        if parts.contains(.serve) { try runServe() }
        // Last, for the TIME_WAITs that it leaves: all namespaces share one table, and every dump walks it.
        if parts.contains(.churn) {
            print("### Connections that come and go\n")
            print(try traceTable(rounds: rounds))
        }
    }

    private func runDumps() throws {
        let suite = Suite(tool: tool, limit: sibling("DumpLimit"))
        print("### Start to end, 10 sockets\n")
        do {
            let holders = try Holders(sockets: 10)
            print(table(try measure(suite.start, rounds: 40 * rounds)))
            withExtendedLifetime(holders) {}
        }
        for count in sockets {
            print("### \(count) sockets\n")
            let holders = try Holders(sockets: count)
            print(table(try measure(suite.many, rounds: rounds)))
            print("### \(count) sockets, beside a busy loop for each processor\n")
            do {
                let busy = try BusyLoops()
                print(table(try measure(suite.load, rounds: rounds)))
                withExtendedLifetime(busy) {}
            }
            print("### Watching \(count) sockets that do nothing\n")
            print(try watchTable(rounds: min(rounds, 3)))
            print(try idleLine())
            fflush(nil)  // The next size takes minutes.
            withExtendedLifetime(holders) {}
        }
    }

    private func runOwners() throws {
        let suite = Suite(tool: tool, limit: sibling("DumpLimit"))
        for count in sockets {
            let holders = try Holders(sockets: count, atLeast: 75)
            print("### Owners: \(count) sockets, \(holders.count) processes\n")
            print(table(try measure(suite.owners(withSS: count <= ownersLimit), rounds: min(rounds, 3))))
        }
    }

    private func runServe() throws {
        for count in sockets {
            print("### Scraping \(count) sockets\n")
            let holders = try Holders(sockets: count)
            print(try scrapeTable(tool, scrapes: scrapes))
            withExtendedLifetime(holders) {}
        }
        print("### What being watched costs\n")
        print(try priceTable(tool, rounds: min(rounds, 3)))
        print("### A day of scrapes\n")
        print(try endurance(tool, scrapes: dayOfScrapes))
    }
}
