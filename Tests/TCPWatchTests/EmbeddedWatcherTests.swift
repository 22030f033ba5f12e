internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPWatch

@Suite("A watcher that is driven by a loop of the caller's", .timeLimit(.minutes(30)))
struct EmbeddedWatcherTests {
    private static let sources: [SocketWatcher.Source] = [.poll, .trace]

    /// Waits for the descriptor and drains, until the events are enough.
    private func drive(
        _ watcher: EmbeddedSocketWatcher,
        until isEnough: (SocketEvent) throws -> Bool
    ) throws -> [SocketEvent] {
        var events: [SocketEvent] = []
        while true {
            var waited = pollfd(fd: watcher.descriptor, events: Int16(POLLIN), revents: 0)
            try #require(poll(&waited, 1, 30_000) == 1, "the descriptor was not readable within 30 s")
            let new = events.count
            try watcher.drain { events.append($0) }
            if try events[new...].contains(where: isEnough) { return events }
        }
    }

    private func make(
        _ lab: Lab,
        _ source: SocketWatcher.Source,
        _ configure: (inout SocketWatcher.Configuration) -> Void = { _ in }
    ) throws -> EmbeddedSocketWatcher {
        if source == .trace { try TraceWatch.cancelUnlessPermitted() }
        var configuration = SocketWatcher.Configuration.quick
        configuration.source = source
        configure(&configuration)
        let setup = configuration
        return try lab.run { try EmbeddedSocketWatcher(setup) }
    }

    @Test(arguments: sources)
    func `It reports what a thread's does, and starts none`(source: SocketWatcher.Source) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listener = try lab.listener()
        let watcher = try make(lab, source)
        let existing = try drive(watcher) { if case .ready = $0 { true } else { false } }
        let cookies = existing.compactMap { if case .socket(let socket) = $0 { socket.cookie } else { nil } }
        #expect(cookies == [try listener.cookie()])
        let connection = try lab.server(in: .established, on: listener)
        let cookie = try lab.cookie(of: connection)
        func isEntered(_ state: TCPState) -> (SocketEvent) -> Bool {
            { if case .transition(let step) = $0 { step.identity.cookie == cookie && step.to == state } else { false } }
        }
        _ = try drive(watcher, until: isEntered(.established))
        try connection.peer.send(.fin)
        _ = try drive(watcher, until: isEntered(.closeWait))
        try connection.peer.send(.rst)
        _ = try drive(watcher, until: isEntered(.closed))
        #expect(watcher.isTracing == (source == .trace))
        #expect(watcher.metrics.sockets == 1)
        #expect(watcher.metrics.processorTime > .zero)
    }

    @Test func `A dump is read in parts, as short as one datagram`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listeners = try (0..<2000).map { _ in try lab.listener() }
        let watch = try HandWatch(lab)
        var parts = 1
        while case .underWay = watch.watcher.makeDump(.all, until: 0) { parts += 1 }
        // The kernel's datagrams have 32 KiB at most, and a listener some 100 bytes.
        #expect(parts >= 2000 * 72 / 32768)
        #expect(watch.known.count == listeners.count)
    }

    @Test func `It is steered, and what it finds follows`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let (one, other) = (try lab.listener(port: 7000), try lab.listener(port: 7001))
        let watcher = try make(lab, .poll) { $0.filter = .localPort == 7000 }
        func ready() throws -> [SocketCookie] {
            try drive(watcher) { if case .ready = $0 { true } else { false } }
                .compactMap { if case .socket(let socket) = $0 { socket.cookie } else { nil } }
        }
        #expect(try ready() == [try one.cookie()])
        try watcher.update(filter: .localPort == 7001)
        #expect(try ready() == [try other.cookie()])
        watcher.resynchronize()
        #expect(try ready() == [try other.cookie()])
        watcher.update(interval: .milliseconds(10))
        other.close()
        _ = try drive(watcher) { if case .transition(let step) = $0 { step.to == .closed } else { false } }
    }

    @Test func `With the last namespace it is over`() throws {
        var lab: Lab? = try Lab.orCancel()
        let namespace = try NetworkNamespace(path: #require(lab).namespace.path)
        var configuration = SocketWatcher.Configuration.quick
        configuration.namespaces = [namespace]
        let watcher = try EmbeddedSocketWatcher(configuration)
        _ = try drive(watcher) { if case .ready = $0 { true } else { false } }
        lab?.close()
        lab = nil
        _ = try drive(watcher) { if case .gap(let gap) = $0 { gap.source == .namespace } else { false } }
        var isOver = false
        while !isOver { isOver = try !watcher.drain { _ in } }
    }

    @Test func `It has no thread, and leaves no descriptor`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let lines = try lab.run { try Program([Program.probe, "embedded"]).finish() }
        #expect(lines == ["threads 1", "left open 0"])
    }
}
