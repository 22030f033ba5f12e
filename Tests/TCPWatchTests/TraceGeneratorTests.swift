internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import TCPWatch
internal import Testing

@Suite("With tracepoints, a watcher knows what a generator of connections knows", .timeLimit(.minutes(30)))
struct TraceGeneratorTests {
    /// `TCPSTATES_TRACE_SECONDS=20 swift test -c release …` makes 10,000 connections a second for so long.
    private static let seconds = getenv("TCPSTATES_TRACE_SECONDS").flatMap { Int(String(cString: $0)) }

    /// Watches while the generator runs, until all that it has done is reported.
    private func watch(
        port: UInt16 = 7000,
        _ run: @escaping @Sendable (inout TraceGenerator) throws -> Void
    ) async throws -> (reported: LifeBook, done: TraceGenerator) {
        try TraceWatch.cancelUnlessPermitted()
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try lab.sysctl("net.ipv4.ip_local_port_range", "1024 65000")
        let reported = LifeBook()
        var configuration = SocketWatcher.Configuration()
        // A debug build reads slowly, and nothing may be lost here.
        configuration.traceBufferSize = 16 << 20
        configuration.source = .trace
        configuration.bufferCapacity = 1 << 20
        let setup = configuration
        let watcher = try lab.run { try SocketWatcher(setup) }
        let reading = Task { for try await event in watcher { reported.note(event) } }
        defer { reading.cancel() }
        while !reported.read(\.isReady) { try await Task.sleep(for: .milliseconds(10)) }
        let done = try await Task.detached {
            try lab.run {
                var generator = try TraceGenerator(port: port)
                try run(&generator)
                close(generator.listener)
                return generator
            }
        }.value
        let deadline = ContinuousClock.now + .seconds(60)
        while .now < deadline,
            !reported.read({ page in
                done.book.keys.allSatisfy { [.timeWait, .closed].contains(page.lives[$0]?.path.last) }
            })
        { try await Task.sleep(for: .milliseconds(50)) }
        return (reported, done)
    }

    @Test func `Every transition of every connection is reported once, in order, under its cookie, with its counters`()
        async throws
    {
        let (rate, count) = Self.seconds.map { (10_000, 10_000 * $0) } ?? (1000, 2000)
        let begin = ContinuousClock.now
        let (reported, done) = try await watch { try $0.run(count, rate: rate) }
        print("generator: \(count) connections, \(ContinuousClock.now - begin) until all was reported")
        #expect(reported.read(\.losses).isEmpty)
        #expect(done.book.count == 2 * count)
        let lives = reported.read(\.connections)
        #expect(lives.count == done.book.count)
        var wrong: [String] = []
        for (cookie, side) in done.book {
            guard let life = lives[cookie] else {
                wrong.append("\(cookie) is missing")
                continue
            }
            // A TIME_WAIT may have given way to a later connection.
            let path = life.path.last == .closed && side.path.last == .timeWait ? life.path.dropLast() : life.path[...]
            if Array(path) != side.path || !life.isInOrder || !life.isExact {
                wrong.append("\(cookie) \(life.path) is not \(side.path), or not exact and in order")
            }
            guard let final = life.final else { continue }
            if final.bytesSent != side.sent || final.bytesReceived != side.received {
                wrong.append("\(cookie) sent \(final.bytesSent ?? 0) and received \(final.bytesReceived ?? 0)")
            }
        }
        let first = wrong.prefix(5).joined(separator: "\n")
        #expect(wrong.count <= reported.read(\.passedOver), "\(wrong.count) of \(done.book.count):\n\(first)")
    }

    @Test func `An independent witness has counted as many transitions of each kind`() async throws {
        let port: UInt16 = 7077
        guard access("/usr/bin/bpftrace", X_OK) == 0, Program.isRoot else {
            try Test.cancel("bpftrace is not installed (apt-get install bpftrace), or this is not root")
        }
        let script = """
            tracepoint:sock:inet_sock_set_state /args->sport == \(port) || args->dport == \(port)/ \
            { @[args->oldstate, args->newstate] = count(); } interval:ms:100 { printf("tick\\n"); }
            """
        let mount = "mount -t tracefs t /sys/kernel/tracing; mount -t debugfs d /sys/kernel/debug"
        let shell = "\(mount); exec 2>&1 bpftrace -B line -e '\(script)'"
        let witness = try Program(["/usr/bin/unshare", "-m", "/bin/sh", "-c", shell])
        var line = witness.readLine()
        while let said = line, said != "tick" { line = witness.readLine() }
        guard line != nil else { try Test.cancel("bpftrace does not run here") }
        let count = 400
        let (reported, _) = try await watch(port: port) { try $0.run(count, endings: [.clientCloses]) }
        kill(witness.pid, SIGINT)
        var seen: [String: Int] = [:]
        for line in witness.finish() where line.hasPrefix("@[") {
            let parts = line.dropFirst(2).split(separator: "]: ")
            seen[String(parts[0])] = parts.count > 1 ? Int(parts[1]) : nil
        }
        var counted: [String: Int] = [:]
        for life in reported.read(\.connections).values {
            for (from, to) in zip([.closed] + life.path, life.path) {
                // What the tracepoint calls a child's first transition and a TIME_WAIT's.
                let before: TCPState = from == .closed && to == .synReceived ? .listen : from
                let after: TCPState = to == .timeWait ? .closed : to
                counted["\(before.rawValue), \(after.rawValue)", default: 0] += 1
            }
        }
        seen["7, 10"] = nil  // the listener's
        seen["10, 7"] = nil
        #expect(counted.values.reduce(0, +) == 10 * count)
        #expect(seen == counted)
    }

    @Test func `Ten thousand lives between the same two endpoints are never mixed`() async throws {
        let count = 10_000
        let (reported, done) = try await watch {
            try $0.run(count, endings: [.serverCloses, .clientAborts, .serverAborts, .serverCloses], port: 6000)
        }
        #expect(reported.read(\.losses).isEmpty)
        #expect(done.book.count == 2 * count)
        let lives = reported.read(\.connections)
        #expect(lives.count == done.book.count)
        var wrong: [String] = []
        var otherCauses: [String] = []
        var reused = 0
        for (cookie, side) in done.book {
            guard let life = lives[cookie] else {
                wrong.append("\(cookie) is missing")
                continue
            }
            var path = side.path
            if path.last == .timeWait, life.path.last == .closed {
                path.append(.closed)
                reused += 1
                if life.lastCause != .reuse { otherCauses.append("\(cookie) \(life.lastCause?.rawValue ?? "none")") }
            }
            if life.path != path || !life.isInOrder || life.endpoints.count != 2 {
                wrong.append("\(cookie) \(life.path) is not \(path), at \(life.endpoints)")
            }
        }
        let first = wrong.prefix(5).joined(separator: "\n")
        #expect(wrong.count <= reported.read(\.passedOver), "\(wrong.count) of \(done.book.count):\n\(first)")
        #expect(reused >= count / 2 - 1)
        #expect(otherCauses.count <= reported.read(\.passedOver))
    }
}
