internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPWatch

@Suite("A watcher with its thread", .timeLimit(.minutes(30)))
struct WatcherTests {
    @Test func `First come the sockets that exist, then ready, then every transition`() async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listener = try lab.listener()
        let connection = try lab.server(in: .established, on: listener)
        let watcher = try lab.run { try SocketWatcher(.quick) }
        var events = watcher.makeAsyncIterator()
        var existing: [TCPState] = []
        start: while let event = try await events.next() {
            switch event {
            case .socket(let socket): existing.append(socket.state)
            case .ready: break start
            default: Issue.record("\(event) before ready")
            }
        }
        #expect(existing == [.listen, .established])
        try connection.peer.send(.fin)
        #expect(try await events.transition()?.path == "ESTABLISHED>CLOSE_WAIT")
        listener.close()
        #expect(try await events.transition()?.path == "LISTEN>CLOSED")
        watcher.stop()
        #expect(try await events.next() == nil)
    }

    @Test func `An ordinary user watches too, and a cancelled task leaves no thread and no descriptor behind`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listener = try lab.listener()
        // Whoever runs the tests without being root is an ordinary user.
        let user = Program.isRoot ? Program.asNobody : []
        let program = try lab.run { try Program(user + [Program.probe, "watch"]) }
        #expect(program.readLine() == "socket LISTEN")
        #expect(program.readLine() == "ready")
        let connection = try lab.server(in: .synReceived, on: listener)
        #expect(program.readLine() == "transition CLOSED SYN_RCVD")
        try connection.peer.send(.rst)
        #expect(program.readLine() == "transition SYN_RCVD CLOSED")
        listener.close()
        #expect(program.readLine() == "transition LISTEN CLOSED")
        let rest = program.finish()
        #expect(rest.prefix(2) == ["end", "threads 0 descriptors 0"])
    }

    @Test func `A namespace that ends is reported, the others are watched on, and with the last one the stream ends`()
        async throws
    {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        var doomed: Lab? = try Lab()
        var configuration = SocketWatcher.Configuration.quick
        configuration.namespaces = try [lab, #require(doomed)].map {
            try SockDiag.NetworkNamespace(path: $0.namespace.path)
        }
        let watcher = try SocketWatcher(configuration)
        var events = watcher.makeAsyncIterator()
        while let event = try await events.next() { if case .ready = event { break } }
        try doomed?.listener()
        #expect(try await events.transition()?.namespace == configuration.namespaces.last)
        doomed?.close()
        #expect(try await events.transition()?.path == "LISTEN>CLOSED")
        doomed = nil
        let gap = try await events.gap()
        #expect(gap?.source == .namespace)
        #expect(gap?.namespace == configuration.namespaces.last)
        try lab.listener()
        let transition = try await events.transition()
        #expect(transition?.path == "CLOSED>LISTEN")
        #expect(transition?.namespace == configuration.namespaces.first)
    }

    @Test func `The stream of a single namespace ends with it, and one that has ended already is an error`()
        async throws
    {
        var lab: Lab? = try Lab.orCancel()
        let namespace = try SockDiag.NetworkNamespace(path: #require(lab).namespace.path)
        var configuration = SocketWatcher.Configuration.quick
        configuration.namespaces = [namespace]
        let watcher = try SocketWatcher(configuration)
        var events = watcher.makeAsyncIterator()
        lab?.close()
        lab = nil
        #expect(try await events.gap()?.source == .namespace)
        // A busy machine cannot keep the interval, and that is reported first.
        while let event = try await events.next() {
            guard case .slowed = event else {
                Issue.record("\(event) after the end")
                break
            }
        }
        let error = #expect(throws: KernelError.self) { try SocketWatcher(configuration) }
        #expect(error?.code == .notFound)
    }

    @Test func `An interval that is too short is reported once, with the one that is kept`() async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try lab.flood(4000, on: lab.listener())
        var configuration = SocketWatcher.Configuration()
        configuration.interval = .milliseconds(1)
        configuration.source = .poll
        let watcher = try lab.run { try SocketWatcher(configuration) }
        var slower: [Duration] = []
        var transitions = 0
        // Each listener is shown by another dump, and none of the dumps can be made in time.
        for try await event in watcher {
            if case .slowed(let interval, _) = event {
                slower.append(interval)
                try lab.listener()
            }
            if case .transition(let transition) = event, transition.to == .listen {
                transitions += 1
                if transitions == 5 { break }
                try lab.listener()
            }
        }
        #expect(slower.count == 1)
        #expect(slower.allSatisfy { $0 > .milliseconds(1) })
    }

    @Test(.tags(.slow)) func `A TIME_WAIT ends after the kernel's 60 seconds`() async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watcher = try lab.run { try SocketWatcher(.quick) }
        var events = watcher.makeAsyncIterator()
        while let event = try await events.next() { if case .ready = event { break } }
        try lab.server(in: .timeWait)
        var reported: [Transition] = []
        while let transition = try await events.transition() {
            if transition.from != .listen, transition.to != .listen { reported.append(transition) }
            if transition.from == .timeWait { break }
        }
        #expect(reported.last?.path == "TIME_WAIT>CLOSED")
        #expect(Set(reported.map(\.identity.cookie)).count == 1)
        #expect(reported.last?.timeInState.map { $0 > .seconds(58) } == true)
    }
}

@Suite struct EventBufferTests {
    @Test func `What was lost before passes the bound`() async {
        let buffer = EventBuffer(capacity: 1)
        let gap = Gap(source: .trace, reason: "test", lost: 500, namespace: nil)
        buffer.send([.ready, .ready, .gap(gap), .ready])
        let counts = await buffer.next().map { event -> UInt64? in
            if case .gap(let gap) = event { gap.lost } else { nil }
        }
        #expect(counts == [nil, 500, 2])
    }

    @Test func `What a slow reader misses is counted to the unit, and delivered after what waited`() async {
        let buffer = EventBuffer(capacity: 10)
        let event = SocketEvent.slowed(.zero, at: .now())
        for _ in 0..<5 { buffer.send([event, event, event]) }
        let waited = await buffer.next()
        #expect(waited.count == 11)
        guard case .gap(let gap) = waited.last else {
            Issue.record("no gap")
            return
        }
        #expect(gap.source == .reader)
        #expect(gap.lost == 5)
        buffer.send([event])
        #expect(await buffer.next().count == 1)
        buffer.finish()
        #expect(await buffer.next().isEmpty)
    }
}

extension Tag {
    /// Waits for a timer of the kernel.
    @Tag static var slow: Tag
}

extension SocketWatcher.Configuration {
    /// Fifty polls a second.
    static var quick: Self {
        var configuration = Self()
        configuration.source = .auto
        configuration.interval = .milliseconds(20)
        return configuration
    }
}

extension SocketWatcher.Iterator {
    /// The next transition; nil at the end.
    mutating func transition() async throws -> Transition? {
        while let event = try await next() { if case .transition(let transition) = event { return transition } }
        return nil
    }

    /// The next gap; nil at the end.
    mutating func gap() async throws -> Gap? {
        while let event = try await next() { if case .gap(let gap) = event { return gap } }
        return nil
    }
}
