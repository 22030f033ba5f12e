/// A command that is measured, and what it is held against.
struct Contender {
    let name: String
    let command: [String]
    /// The name of the contender whose time is 1; none for those that set the measure.
    var against: String?
    /// The ratio that it shall not pass.
    var target: Double?
    /// The same of the processor time.
    var cpuTarget: Double?
}

/// What a contender's runs took.
struct Measurement {
    let contender: Contender
    var walls: [Double] = []
    var cpus: [Double] = []
    var peakKiB = 0
    var bytes = 0
}

/// Runs the contenders in turn, round after round, so that what disturbs the machine disturbs them alike.
func measure(_ contenders: [Contender], rounds: Int) throws -> [Measurement] {
    let peakMemory = sibling("PeakMemory")
    var measurements = contenders.map { Measurement(contender: $0) }
    for index in measurements.indices {
        let child = try Child([peakMemory] + measurements[index].contender.command, output: .pipe)
        let (count, tail) = child.drain()
        _ = try child.wait()
        let line = tail.split(separator: "\n").last.map(String.init) ?? ""
        measurements[index].bytes = count - line.utf8.count - 2
        measurements[index].peakKiB = Int(line) ?? 0
    }
    for _ in 0..<rounds {
        for index in measurements.indices {
            let command = measurements[index].contender.command
            let cost = try Child(command).wait()
            guard cost.status == 0 else {
                throw Failure("\(command.joined(separator: " ")) ended with status \(cost.status)")
            }
            measurements[index].walls.append(cost.wall)
            measurements[index].cpus.append(cost.cpu)
        }
    }
    return measurements
}

/// An executable beside this one.
func sibling(_ name: String) -> String {
    CommandLine.arguments[0].split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        + "/\(name)"
}

/// The table, as Markdown.
func table(_ measurements: [Measurement]) -> String {
    var rows = [["", "median", "CPU", "peak memory", "output", "ratio", "target", "CPU ratio", "target"]]
    for measurement in measurements {
        let median = measurement.walls.median
        let base = measurements.first { $0.contender.name == measurement.contender.against }
        rows.append([
            "`\(measurement.contender.name)`", milliseconds(median), milliseconds(measurement.cpus.median),
            "\(fixed(Double(measurement.peakKiB) / 1024, 1)) MiB", "\(fixed(Double(measurement.bytes) / 1e6, 1)) MB",
            base.map { "\(fixed(median / $0.walls.median, 2)) of `\($0.contender.name)`" } ?? "",
            measurement.contender.target.map { "≤ \($0)" } ?? "",
            base.map { fixed(measurement.cpus.median / $0.cpus.median, 2) } ?? "",
            measurement.contender.cpuTarget.map { "≤ \($0)" } ?? "",
        ])
    }
    let header =
        "| " + rows[0].joined(separator: " | ") + " |\n| --- | ---: | ---: | ---: | ---: | --- | --- | ---: | --- |\n"
    return header + rows.dropFirst().map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
}

private func milliseconds(_ seconds: Double) -> String { fixed(seconds * 1000, seconds < 0.1 ? 2 : 0) + " ms" }

/// A number with so many decimal places.
func fixed(_ number: Double, _ places: Int) -> String {
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let scaled = Int((number * scale).rounded())
    guard places > 0 else { return "\(scaled)" }
    let fraction = "\(abs(scaled) % Int(scale))"
    return "\(scaled / Int(scale))." + String(repeating: "0", count: places - fraction.count) + fraction
}

/// What WatchCost says of each way to watch, as Markdown: processor time for a poll, memory for a socket.
func watchTable(rounds: Int) throws -> String {
    let ways = [("dump", "a bare dump"), ("watch", "`SocketWatcher`"), ("dictionary", "a dictionary of structs")]
    var times = [[Double]](repeating: [], count: ways.count)
    var bytes = [[Double]](repeating: [], count: ways.count)
    for _ in 0..<rounds {
        for (index, way) in ways.enumerated() {
            let child = try Child([sibling("WatchCost"), way.0, "3"], output: .pipe)
            let numbers = child.drain().tail.split { $0 == " " || $0 == "\n" }.compactMap { Double($0) }
            guard try child.wait().status == 0, numbers.count == 2 else { throw Failure("WatchCost \(way.0) failed") }
            times[index].append(numbers[0])
            bytes[index].append(numbers[1])
        }
    }
    var table = "|  | CPU a poll | ratio | memory a socket |\n| --- | ---: | ---: | ---: |\n"
    for index in ways.indices {
        let ratio = fixed(times[index].median / times[0].median, 2)
        table += "| \(ways[index].1) | \(fixed(times[index].median, 1)) ms | \(ratio) | "
        table += "\(fixed(bytes[index].median, 0)) bytes |\n"
    }
    return table
}

/// The numbers that TraceCost answers with.
private func traceCost(_ arguments: String..., isIsolated: Bool = false) throws -> [Double] {
    let command = [sibling("TraceCost")] + arguments
    let child = try Child(isIsolated ? isolated(command) : command, output: .pipe)
    let numbers = child.drain().tail.split { $0 == " " || $0 == "\n" }.compactMap { Double($0) }
    guard try child.wait().status == 0, numbers.count == (arguments[0] == "idle" ? 2 : 6) else {
        throw Failure("TraceCost \(arguments[0]) failed")
    }
    return numbers
}

/// What tracing takes where nothing happens.
func idleLine() throws -> String {
    let numbers = try traceCost("idle", "30")
    return "Tracing: \(fixed(numbers[0], 2)) % of a processor, \(fixed(numbers[1], 0)) bytes a socket.\n"
}

/// What watching costs who is watched, and the watcher: as many connections as can be, and 5,000 a second; those also where
/// as many TIME_WAITs are as the kernel keeps, which each of its dumps has to pass.
func traceTable(rounds: Int) throws -> String {
    var table = "|  | connections/s | ratio | workload's CPU a connection | watcher's a transition | in all | lost |\n"
    table += "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
    let loads = [
        ("all that it can", "0", true), ("5,000/s", "5000", true), ("5,000/s among TIME_WAITs", "5000", false),
    ]
    for (name, rate, isIsolated) in loads {
        let sources = ["none", "poll", "trace"]
        var answers = [[[Double]]](repeating: [], count: sources.count)
        if !isIsolated { _ = try traceCost("none", "0", "10") }
        for _ in 0..<rounds {
            for (index, source) in sources.enumerated() {
                answers[index].append(try traceCost(source, rate, "3", isIsolated: isIsolated))
            }
        }
        for (index, source) in sources.enumerated() {
            func median(_ column: Int, of index: Int) -> Double { answers[index].map { $0[column] }.median }
            let ratio = fixed(median(0, of: index) / median(0, of: 0), 2)
            table += "| \(name), `\(source)` | \(fixed(median(0, of: index), 0)) | \(ratio) "
            table += "| \(fixed(median(1, of: index), 1)) µs "
            if source == "none" {
                table += "| | | |\n"
                continue
            }
            table += "| \(fixed(median(2, of: index), 2)) µs "
            table += "| \(fixed(median(3, of: index), 1)) % | \(fixed(median(5, of: index), 0)) |\n"
        }
    }
    return table
}
