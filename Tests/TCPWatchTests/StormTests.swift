internal import Glibc
internal import LinuxSystem
internal import SockDiag
internal import TCPStateLab
internal import TCPWatch
internal import Testing

@Suite(.timeLimit(.minutes(30)))
struct StormTests {
    /// `TCPSTATES_STORM_SECONDS=60 swift test --filter StormTests` makes the storm a long one, and watches the memory too.
    private static let seconds = getenv("TCPSTATES_STORM_SECONDS").flatMap { Int(String(cString: $0)) }

    @Test(.serialized, arguments: [SocketWatcher.Source.poll, .trace])
    func
        `In a storm every end of every connection is reported once or counted as lost, and the rest is as the kernel has it`(
            source: SocketWatcher.Source
        ) async throws
    {
        if source == .trace { try TraceWatch.cancelUnlessPermitted() }
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try lab.sysctl("net.ipv4.tcp_max_tw_buckets", 2000)
        // Ports are used again while the TIME_WAIT of the last time is there.
        try lab.sysctl("net.ipv4.ip_local_port_range", "20000 24000")
        let listeners = try lab.run { try Storm.listeners() }
        defer { listeners.forEach { close($0) } }
        let ledger = Ledger()
        var configuration = SocketWatcher.Configuration()
        configuration.source = source
        // What a reader misses is not delivered again.
        configuration.bufferCapacity = 1 << 20
        let setup = configuration
        let watcher = try lab.run { try SocketWatcher(setup) }
        let reading = Task { for try await event in watcher { ledger.note(event) } }
        defer { reading.cancel() }
        while !ledger.read(\.isReady) { try await Task.sleep(for: .milliseconds(10)) }

        let storm = Storm(rate: 5000, duration: .seconds(Self.seconds ?? 5))
        let memory = Task { try await Self.residentMemory(during: storm.duration) }
        let made = try await Task.detached { try lab.run { try storm.run(listeners) } }.value
        let (third, fourth) = try await memory.value

        // What is known is as the kernel has it once the last events are read, and TIME_WAITs go on ending. The kernel's
        // messages come from one thread of its own, which a busy machine keeps waiting.
        let deadline = ContinuousClock.now + .seconds(60)
        var isSame = false
        var (ended, alive, lost) = (0, 0, 0)
        while !isSame || ended + alive + lost < 2 * made, .now < deadline {
            try await Task.sleep(for: .milliseconds(100))
            isSame = try Self.sockets(in: lab) == ledger.read(\.states)
            (ended, alive) = ledger.read { ($0.ended, $0.alive) }
            lost = ledger.read(\.gaps).reduce(0) { $0 + Int($1.lost ?? 0) }
        }
        let gaps = ledger.read(\.gaps)
        print(
            "storm: \(made) connections, \(ended) ends reported, \(alive) alive, \(lost) lost, RSS \(third) → \(fourth) KiB"
        )
        #expect(isSame)
        #expect(ledger.read(\.repeated).isEmpty)
        #expect(gaps.allSatisfy { $0.lost != nil })
        // A dump that meets a request while it becomes a socket gives it a cookie that the socket does not get: then the
        // request ends by itself, some once in 100,000 connections.
        #expect(ended + alive - ledger.read(\.endedRequests) <= 2 * made)
        #expect(ended + alive + lost >= 2 * made)
        // Other tests run in the same process unless this one was asked for.
        if Self.seconds != nil { #expect(fourth <= third + 4096, "\(third) KiB, then \(fourth) KiB") }
    }

    /// The kernel's own account of the lab: what has a connection or listens.
    private static func sockets(in lab: Lab) throws -> [SocketCookie: TCPState] {
        let sockets = try lab.run {
            var client = try SockDiagClient()
            return try client.sockets(in: TCPStateSet.all.subtracting([.closed, .bound]))
        }
        return Dictionary(sockets.map { ($0.cookie, $0.state) }, uniquingKeysWith: { $1 })
    }

    /// The process' memory, KiB, in the third quarter of the time and in the fourth: the least of each, because what waits
    /// for a reader comes and goes.
    private static func residentMemory(during duration: Duration) async throws -> (third: Int, fourth: Int) {
        try await Task.sleep(for: duration / 2)
        return (try await leastMemory(during: duration / 4), try await leastMemory(during: duration / 4))
    }

    private static func leastMemory(during duration: Duration) async throws -> Int {
        var least = Int.max
        for _ in 0..<20 {
            try await Task.sleep(for: duration / 20)
            least = min(least, try residentKiB())
        }
        return least
    }

    private static func residentKiB() throws -> Int {
        let pages = try OpenFile.start(of: "/proc/self/statm", limit: 128).split(separator: UInt8(ascii: " "))
        return try #require(Int(String(decoding: pages[1], as: UTF8.self))) * sysconf(Int32(_SC_PAGESIZE)) / 1024
    }
}
