import ArgumentParser
import Glibc

/// A program that answers scrapes, asked over one connection as Prometheus asks.
final class Exporter {
    let child: Child
    private var connection: Int32 = -1

    /// Starts it, and waits until it answers at the port.
    init(_ command: [String], port: UInt16, path: String) throws {
        child = try Child(command, output: .discardBoth)
        let deadline = now() + 60
        while connection < 0 {
            let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            let isOpen = loopback(port) { connect(socket, $0, $1) == 0 }
            if isOpen, try exchange(socket, path).status == 200 {
                connection = socket
            } else {
                close(socket)
                guard now() < deadline else { throw Failure("\(command[0]) does not answer at port \(port)") }
                usleep(20_000)
            }
        }
    }

    deinit {
        close(connection)
        kill(child.pid, SIGTERM)
        _ = try? child.wait()
    }

    /// Scrapes it; the number of bytes of the answer.
    @discardableResult
    func scrape() throws -> Int {
        let answer = try exchange(connection, "/metrics")
        guard answer.status == 200 else { throw Failure("a scrape ended with status \(answer.status)") }
        return answer.count
    }

    /// Seconds of a processor that it has taken.
    func processorTime() throws -> Double {
        let fields = try text(of: "/proc/\(child.pid)/stat").split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 13, let user = Double(fields[11]), let system = Double(fields[12]) else {
            throw Failure("/proc/\(child.pid)/stat has no times")
        }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// What is resident, and what was at the most, KiB.
    func memory() throws -> (now: Int, peak: Int) {
        let lines = try text(of: "/proc/\(child.pid)/status").split(separator: "\n")
        func value(_ name: String) -> Int {
            lines.first { $0.hasPrefix(name) }?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        }
        return (value("VmRSS:"), value("VmHWM:"))
    }

    /// How many descriptors it has.
    func descriptorCount() -> Int {
        guard let directory = opendir("/proc/\(child.pid)/fd") else { return 0 }
        defer { closedir(directory) }
        var count = -2
        while readdir(directory) != nil { count += 1 }
        return count
    }
}

private func text(of path: String) throws -> String {
    guard let file = fopen(path, "r") else { throw Failure.system("open \(path)") }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
}

private func loopback<Result>(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Result) rethrows
    -> Result
{
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return try withUnsafePointer(to: address) {
        try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            try body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

/// A request and its answer, whose length the answer says, or whose parts do.
private func exchange(_ connection: Int32, _ path: String) throws -> (status: Int, count: Int) {
    let request = "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n"
    guard send(connection, request, request.utf8.count, Int32(MSG_NOSIGNAL)) == request.utf8.count else {
        throw Failure.system("send a request")
    }
    var (bytes, part): ([UInt8], [UInt8]) = ([], [UInt8](repeating: 0, count: 1 << 16))
    var end: Int?
    var isChunked = false
    while true {
        if end == nil, let head = bytes.indices.first(where: { bytes[$0...].starts(with: [13, 10, 13, 10]) }) {
            let lines = String(decoding: bytes[..<head], as: UTF8.self).lowercased().split(separator: "\r\n")
            let length = lines.first { $0.hasPrefix("content-length:") }?.split(separator: " ").last.flatMap { Int($0) }
            isChunked = length == nil
            end = head + 4 + (length ?? 0)
        }
        if let end, isChunked ? bytes.suffix(5).elementsEqual("0\r\n\r\n".utf8) : bytes.count >= end { break }
        let count = recv(connection, &part, part.count, 0)
        guard count > 0 else { throw Failure("the answer ends too soon") }
        bytes += part[..<count]
    }
    let status = String(decoding: bytes.prefix(12).suffix(3), as: UTF8.self)
    return (Int(status) ?? 0, bytes.count)
}

/// What a scrape costs beside node_exporter's collector of states, and what `serve` costs while nobody asks.
func scrapeTable(_ tool: String, scrapes: Int) throws -> String {
    func serve(_ source: String) -> [String] {
        [tool, "serve", "--source", source, "--interval", "1h", "--examine", "1h", "--listen", "127.0.0.1:19291"]
    }
    let other = [
        "prometheus-node-exporter", "--collector.disable-defaults", "--collector.tcpstat",
        "--web.disable-exporter-metrics", "--web.listen-address=127.0.0.1:19294",
    ]
    var table = "|  | CPU a second, with a scrape | ratio | without | answer | most resident | target |\n"
    table += "| --- | ---: | ---: | ---: | ---: | ---: | --- |\n"
    func measure(_ exporter: Exporter) throws -> (scrape: Double, idle: Double, bytes: Int, peak: Int) {
        let start = try exporter.processorTime()
        sleep(UInt32(scrapes))
        let idle = (try exporter.processorTime() - start) / Double(scrapes)
        var bytes = 0
        let before = try exporter.processorTime()
        for _ in 0..<scrapes {
            let begin = now()
            bytes = try exporter.scrape()
            usleep(UInt32(max(0, 1 - (now() - begin)) * 1e6))
        }
        let cost = (try exporter.processorTime() - before) / Double(scrapes)
        return (cost, idle, bytes, try exporter.memory().peak)
    }
    let theirs = try (try? Exporter(other, port: 19294, path: "/")).map(measure)
    func row(_ name: String, _ cost: (scrape: Double, idle: Double, bytes: Int, peak: Int), target: String) {
        let ratio = theirs.map { fixed(cost.scrape / $0.scrape, 2) } ?? ""
        table += "| \(name) | \(fixed(cost.scrape * 1000, 1)) ms | \(ratio) | \(fixed(cost.idle * 1000, 1)) ms "
        table += "| \(cost.bytes / 1024) KiB | \(fixed(Double(cost.peak) / 1024, 1)) MiB | \(target) |\n"
    }
    if let theirs {
        row("node_exporter's `tcpstat`", theirs, target: "")
    } else {
        table += "| node_exporter's `tcpstat`: not installed |  |  |  |  |  |  |\n"
    }
    for (source, target) in [("trace", "≤ 10 ms"), ("poll", "≤ 0.65, a third of the memory")] {
        let cost = try measure(try Exporter(serve(source), port: 19291, path: "/-/ready"))
        row("`tcpstates serve --source \(source)`", cost, target: target)
    }
    return table
}

/// Whether anything grows by as many scrapes as a day has, one each second.
func endurance(_ tool: String, scrapes: Int) throws -> String {
    let port: UInt16 = 19291
    let serve = try Exporter([tool, "serve", "--listen", "127.0.0.1:\(port)"], port: port, path: "/-/ready")
    // What is made once is made.
    for _ in 0..<max(scrapes / 100, 1) { try serve.scrape() }
    let (memory, descriptors, start) = (try serve.memory().now, serve.descriptorCount(), try serve.processorTime())
    for _ in 0..<scrapes { try serve.scrape() }
    let cost = (try serve.processorTime() - start) / Double(scrapes)
    let grown = try serve.memory().now - memory
    let opened = serve.descriptorCount() - descriptors
    return "\(scrapes) scrapes in a row: \(fixed(cost * 1e6, 0)) µs of a processor each, "
        + "\(grown) KiB more resident, \(opened) descriptors more.\n"
}

/// How many connections a second a workload makes at its limit while it is watched: prints that.
struct Price: ParsableCommand {
    static let configuration = CommandConfiguration(shouldDisplay: false)

    @Option var tool: String
    /// What watches meanwhile: subcommands with their options, one after another.
    @Argument var watchers: [String] = []

    func run() throws {
        let children = try watchers.map { words in
            try Child([tool] + words.split(separator: " ").map(String.init), output: .discardBoth)
        }
        sleep(1)
        let workload = try Child([sibling("TraceCost"), "none", "0", "5"], output: .pipe)
        let rate = workload.drain().tail.split { $0 == " " }.first ?? ""
        guard try workload.wait().status == 0 else { throw Failure("TraceCost failed") }
        for child in children { kill(child.pid, SIGTERM) }
        for child in children { _ = try child.wait() }
        print(rate)
    }
}

/// What it costs a workload at its limit to be watched, by one watcher and by two.
func priceTable(_ tool: String, rounds: Int) throws -> String {
    func port(_ number: Int) -> String { "--listen 127.0.0.1:1929\(number)" }
    var ways: [(name: String, watchers: [String])] = [("nobody", [])]
    for source in ["trace", "poll"] {
        let (watch, serve) = ("watch --json --source \(source)", "serve --source \(source)")
        ways += [
            ("`\(watch)`", [watch]), ("`\(serve)`", ["\(serve) \(port(1))"]), ("both", [watch, "\(serve) \(port(1))"]),
        ]
    }
    var rates = [[Double]](repeating: [], count: ways.count)
    for _ in 0..<rounds {
        for (index, way) in ways.enumerated() {
            let command = [CommandLine.arguments[0], "price", "--tool", tool, "--"] + way.watchers
            let child = try Child(isolated(command), output: .pipe)
            guard let rate = Double(child.drain().tail.split(separator: "\n").first ?? ""), try child.wait().status == 0
            else { throw Failure("price failed") }
            rates[index].append(rate)
        }
    }
    var table = "| watched by | connections/s | ratio |\n| --- | ---: | ---: |\n"
    for (index, way) in ways.enumerated() {
        table +=
            "| \(way.name) | \(fixed(rates[index].median, 0)) | \(fixed(rates[index].median / rates[0].median, 2)) |\n"
    }
    return table
}
