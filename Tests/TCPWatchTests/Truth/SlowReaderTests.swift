internal import SockDiag
internal import TCPStateLab
internal import TCPWatch
internal import Testing

/// What a reader has missed cannot be delivered again, but the state as it is now can.
@Suite("A reader that was too slow knows the state again", .timeLimit(.minutes(30)))
struct SlowReaderTests {
    private static let sources: [SocketWatcher.Source] = [.poll, .trace]
    private static let capacity = 64

    /// What any agent keeps that counts sockets: their states, which a loss of its own makes void.
    private struct Gauges {
        var states: [SocketCookie: TCPState] = [:]

        mutating func note(_ event: SocketEvent) {
            switch event {
            case .socket(let socket): states[socket.cookie] = socket.state
            case .transition(let transition) where transition.to == .closed: states[transition.identity.cookie] = nil
            case .transition(let transition): states[transition.identity.cookie] = transition.to
            case .gap(let gap) where gap.source == .reader: states = [:]
            default: break
            }
        }
    }

    /// The kernel's own account.
    private func kernel(_ lab: Lab) throws -> [SocketCookie: TCPState] {
        let sockets = try lab.run {
            var client = try SockDiagClient()
            return try client.sockets(in: TCPStateSet.all.subtracting([.closed, .bound]))
        }
        return Dictionary(sockets.map { ($0.cookie, $0.state) }, uniquingKeysWith: { $1 })
    }

    /// Reads until the gauges are as the kernel has it.
    private func read(
        _ watch: AwaitedWatch,
        _ gauges: inout Gauges,
        until kernel: [SocketCookie: TCPState]
    ) async throws {
        while gauges.states != kernel {
            let wrong = Set(gauges.states.keys).symmetricDifference(kernel.keys).count
            gauges.note(try await watch.next("the kernel's table, where \(wrong) of \(kernel.count) are amiss,"))
        }
    }

    /// Opens connections, and awaits that a reader who keeps up has received them all.
    private func open(_ count: Int, _ lab: Lab, _ witness: AwaitedWatch) async throws -> [KernelSocket] {
        let listener = try lab.loopbackListener()
        var sockets: [KernelSocket] = []
        var awaited: Set<SocketCookie> = []
        for _ in 0..<count {
            let client = try lab.unconnected()
            try client.connect(to: listener.local)
            sockets += [client, try lab.accepted(from: listener)]
            awaited.formUnion([try client.cookie(), try sockets[sockets.count - 1].cookie()])
        }
        while !awaited.isEmpty {
            awaited.remove(try await witness.transition("ESTABLISHED") { $0.to == .established }.identity.cookie)
        }
        return sockets
    }

    @Test(arguments: sources)
    func `After its gap come the sockets and ready, and its table is the kernel's`(
        source: SocketWatcher.Source
    ) async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try AwaitedWatch(lab, source) {
            $0.bufferCapacity = Self.capacity
            $0.family = .ipv4
        }
        let witness = try AwaitedWatch(lab, source)
        var gauges = Gauges()
        try await watch.begin()
        try await witness.begin()
        let count = 300
        let sockets = try await open(count, lab, witness)
        // One watcher is as far as the other, or nearly: some dumps later it surely is. What shows them is of IPv6.
        try await witness.passDumps(5, in: lab, over: .ipv6)

        // Until here nobody has read. What was kept comes first.
        var gap: Gap?
        while gap == nil {
            let event = try await watch.next("the reader's gap")
            gauges.note(event)
            if case .gap(let found) = event, found.source == .reader { gap = found }
        }
        #expect(watch.reported.count <= Self.capacity)
        let lost = try #require(gap?.lost)
        // What the watcher was late to find out may follow, until it reads the state anew. Then nothing comes between the
        // sockets.
        var isReady = false
        var isListing = false
        var between: [String] = []
        while !isReady {
            let event = try await watch.next("ready after the gap")
            gauges.note(event)
            switch event {
            case .ready: isReady = true
            case .socket: isListing = true
            case .transition(let transition): if isListing { between.append(transition.path) }
            default: break
            }
        }
        #expect(between.isEmpty)
        // All that the kernel has reported is delivered or counted: the listener's transition, and two at each
        // end of each connection.
        let isExact = source == .trace && watch.gaps.count == 1
        if isExact { #expect(watch.reported.count + Int(lost) == 1 + 4 * count) } else { #expect(lost > 0) }
        let cookies = watch.existing.map(\.cookie)
        #expect(cookies.count == 1 + 2 * count)
        #expect(Set(cookies).count == cookies.count)
        try await read(watch, &gauges, until: kernel(lab))

        // From then on it is a reader like any other.
        for socket in sockets.prefix(20) { socket.close() }
        let open = try kernel(lab).filter { $0.value == .established }.count
        #expect(open == 2 * count - 20)
        try await read(watch, &gauges, until: kernel(lab))
        #expect(watch.losses.count == 1)
    }

    /// Makes the kernel drop what it has to report, until a reader who keeps up has received so many losses.
    private func lose(_ times: Int, _ lab: Lab, _ witness: AwaitedWatch) async throws {
        for _ in 0..<times {
            let count = witness.gaps.count
            while witness.gaps.count == count {
                for _ in 0..<200 {
                    let socket = try lab.bound()
                    // Of one that nobody has asked for, and that has no cookie, nothing is reported.
                    _ = try socket.cookie()
                    socket.close()
                }
                // What no message reported a dump shows, and with it the loss is reported.
                try await witness.passDumps(1, in: lab)
            }
        }
    }

    @Test(arguments: sources)
    func `Losses that nobody reads of are one gap, and what waits is bounded`(
        source: SocketWatcher.Source
    ) async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let capacity = 16
        let configure = { (configuration: inout SocketWatcher.Configuration) in
            configuration.receiveBufferSize = 4096
            configuration.traceBufferSize = 4096
        }
        let watch = try AwaitedWatch(lab, source, limit: .seconds(90)) {
            configure(&$0)
            $0.bufferCapacity = capacity
        }
        let witness = try AwaitedWatch(lab, source, limit: .seconds(90), configure)
        try await watch.begin()
        try await witness.begin()
        let losses = 24
        try await lose(losses, lab, witness)
        var events = 0
        while watch.gaps.last?.source != .reader {
            _ = try await watch.next("the reader's gap")
            events += 1
        }
        // One gap of each source, and the reader's own.
        #expect(events <= capacity + 4, "\(watch.gaps.count) gaps of \(losses) losses wait")
        let waiting = watch.gaps.filter { $0.source != .reader }
        #expect(waiting.count >= 1)
        #expect(Set(waiting.map(\.source)).count == waiting.count)
        // Merged, not dropped: what each has lost is in the sum.
        let lost = waiting.reduce(0) { $0 + ($1.lost ?? 0) }
        #expect(lost > losses)
        while true { if case .ready = try await watch.next("ready after the gap") { break } }
    }
}
