import ArgumentParser
import Glibc

/// `tcpstates watch --json` as a whole process, while something happens or nothing does: prints the seconds of processor time
/// that it took, the most that was resident and what was at the end (KiB), and how many TIME_WAITs there were then.
struct Watching: ParsableCommand {
    static let configuration = CommandConfiguration(shouldDisplay: false)

    @Option var tool: String
    @Option var source: String
    @Option var journal: String?
    /// For how long something happens.
    @Option var seconds: Int
    /// The number of workloads then, and of connections a second that each makes; 0 for all that it can.
    @Option var workloads = 0
    @Option var rate = 0

    func run() throws {
        // Until all is set up, while something happens, and until all is quiet.
        var command = [tool, "watch", "--json", "--source", source, "--duration", "\(seconds + 3)s"]
        if let journal { command += ["--journal", journal] }
        let child = try Child(command, output: .discardBoth)
        sleep(1)
        let running = try (0..<workloads).map { _ in
            try Child([sibling("TraceCost"), "none", "\(rate)", "\(seconds)"])
        }
        for workload in running {
            guard try workload.wait().status == 0 else { throw Failure("TraceCost failed") }
        }
        if workloads == 0 { sleep(UInt32(seconds)) }
        sleep(1)
        let status = try lines(of: "/proc/\(child.pid)/status")
        let (peak, rest) = (number(after: "VmHWM:", in: status), number(after: "VmRSS:", in: status))
        let timeWaits = number(after: "tw", in: try lines(of: "/proc/net/sockstat"))
        let cost = try child.wait()
        guard cost.status == 0 else { throw Failure("\(tool) watch ended with status \(cost.status)") }
        print(cost.cpu, peak, rest, timeWaits)
    }

    private func lines(of path: String) throws -> [Substring] {
        guard let file = fopen(path, "r") else { throw Failure.system("open \(path)") }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n")
    }

    /// The number after the first such word.
    private func number(after name: String, in lines: [Substring]) -> Int {
        for words in lines.map({ $0.split { $0 == " " || $0 == "\t" } }) {
            if let index = words.firstIndex(of: Substring(name)), index + 1 < words.count {
                return Int(words[index + 1]) ?? 0
            }
        }
        return 0
    }
}

/// What watching nothing takes, what the journal adds, and what a storm leaves: each in a network namespace of its own.
func processTable(_ tool: String, rounds: Int) throws -> String {
    let journal = "/tmp/tcpstates-bench-\(getpid()).journal"
    defer { unlink(journal) }
    func run(_ arguments: [String]) throws -> [Double] {
        let child = try Child(
            isolated([CommandLine.arguments[0], "watching", "--tool", tool] + arguments),
            output: .pipe
        )
        let numbers = child.drain().tail.split { $0 == " " || $0 == "\n" }.compactMap { Double($0) }
        guard try child.wait().status == 0, numbers.count == 4 else { throw Failure("watching failed") }
        return numbers
    }
    var table = "|  | CPU | ratio | most resident | at the end | TIME_WAITs | target |\n"
    table += "| --- | ---: | ---: | ---: | ---: | ---: | --- |\n"
    func addRow(_ name: String, _ runs: [[Double]], beside base: [[Double]]? = nil, target: String = "") {
        func median(_ column: Int, of runs: [[Double]]) -> Double { runs.map { $0[column] }.median }
        let ratio = base.map { fixed(median(0, of: runs) / median(0, of: $0), 2) } ?? ""
        table += "| \(name) | \(fixed(median(0, of: runs), 2)) s | \(ratio) "
        table += "| \(fixed(median(1, of: runs) / 1024, 1)) MiB | \(fixed(median(2, of: runs) / 1024, 1)) MiB "
        table += "| \(fixed(median(3, of: runs), 0)) | \(target) |\n"
    }
    for source in ["trace", "poll"] {
        let target = source == "trace" ? "16 MiB resident, beside the ring" : ""
        addRow(
            "nothing happens for 5 s, `\(source)`",
            [try run(["--source", source, "--seconds", "5"])],
            target: target
        )
    }
    for source in ["trace", "poll"] {
        let load = ["--seconds", "4", "--workloads", "1", "--rate", "5000"]
        var (plain, written): ([[Double]], [[Double]]) = ([], [])
        for _ in 0..<rounds {
            plain.append(try run(["--source", source] + load))
            written.append(try run(["--source", source, "--journal", journal] + load))
        }
        addRow("5,000/s for 4 s, `\(source)`", plain)
        addRow("the same with `--journal`", written, beside: plain, target: "≤ 1.1")
    }
    for source in ["trace", "poll"] {
        let storm = try run(["--source", source, "--seconds", "8", "--workloads", "2"])
        addRow("two at full speed for 8 s, `\(source)`", [storm])
    }
    return table
}
