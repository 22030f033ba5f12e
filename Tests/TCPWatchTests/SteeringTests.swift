internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import TCPWatch
internal import Testing

@Suite("A watcher is steered while it runs", .timeLimit(.minutes(30)))
struct SteeringTests {
    private static let sources: [SocketWatcher.Source] = [.poll, .trace]

    /// Awaits what exists, as it is reported anew.
    private func existing(_ watch: AwaitedWatch) async throws -> Set<SocketCookie> {
        let before = watch.existing.count
        try await watch.begin()
        return Set(watch.existing[before...].map(\.cookie))
    }

    @Test(arguments: sources)
    func `Another filter reports what it finds, and then its transitions alone`(source: SocketWatcher.Source)
        async throws
    {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let (one, other) = (try lab.listener(port: 7000), try lab.listener(port: 7001))
        // Not a TIME_WAIT: that lasts a minute, and the test may have to wait for its turn as long.
        let halfClosed = try lab.server(in: .closeWait, on: other)
        let watch = try AwaitedWatch(lab, source) { $0.filter = .localPort == 7000 }
        #expect(try await existing(watch) == [try one.cookie()])
        try await watch.watcher.update(filter: .localPort == 7001)
        #expect(try await existing(watch) == [try other.cookie(), try lab.cookie(of: halfClosed)])
        one.close()
        let connection = try lab.server(in: .established, on: other)
        let cookie = try lab.cookie(of: connection)
        try await watch.transition(of: cookie, to: .established)
        #expect(watch.reported.allSatisfy { $0.identity.local.port == 7001 })
        try await watch.watcher.update(filter: nil)
        #expect(try await existing(watch).isSuperset(of: [try other.cookie(), cookie]))
        try connection.peer.send(.fin)
        try await watch.transition(of: cookie, to: .closeWait)
        // No record was read twice, and none was lost, where the programs were exchanged.
        let faults = watch.faults
        #expect(faults.isEmpty)
        #expect(watch.lives(of: cookie).first?.path == [.synReceived, .established, .closeWait])
        #expect(watch.losses.isEmpty)
    }

    @Test(arguments: sources)
    func `Programs are exchanged amid connections, and each has its whole life`(source: SocketWatcher.Source)
        async throws
    {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try AwaitedWatch(lab, source) { $0.filter = .localPort >= 1 }
        try await watch.begin()
        let watcher = watch.watcher
        var cookies: [SocketCookie] = []
        for round in 0..<8 {
            let pair = try lab.loopbackPair()
            cookies.append(try pair.client.cookie())
            // With a port that tracepoints' programs test, and without.
            let port = pair.client.local.port
            try await watcher.update(filter: round % 2 == 0 ? .localPort == port || .remotePort >= 1 : nil)
            pair.client.close()
        }
        for cookie in cookies {
            try await watch.reported("the end of \(cookie)") { all in
                all.contains { $0.identity.cookie == cookie && ($0.to == .finWait2 || $0.to == .timeWait) }
            }
        }
        let faults = watch.faults
        #expect(faults.isEmpty)
    }

    @Test func `The owners that a later filter asks for are found, and an earlier TIME_WAIT keeps its user`()
        async throws
    {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listener = try lab.listener()
        let watch = try AwaitedWatch(lab, .poll)
        try await watch.begin()
        let connection = try lab.server(in: .established, on: listener)
        let cookie = try lab.cookie(of: connection)
        try await watch.transition(of: cookie, to: .established)
        connection.close()
        try connection.peer.receive(.fin)
        try connection.peer.send(.ack)
        try connection.peer.send(.fin)
        try await watch.transition(of: cookie, to: .timeWait)
        try await watch.watcher.update(filter: .uid == getuid())
        #expect(try await existing(watch).isSuperset(of: [cookie, try listener.cookie()]))
        try await watch.watcher.update(filter: .pid(getpid()))
        #expect(try await existing(watch).contains(try listener.cookie()))
        try await watch.watcher.update(filter: .pid(1))
        #expect(try await existing(watch).isEmpty)
    }

    @Test(arguments: sources)
    func `A namespace is added and removed`(source: SocketWatcher.Source) async throws {
        guard Program.isRoot else { try Test.cancel("to enter other namespaces takes root") }
        let labs = [try Lab.orCancel(), try Lab()]
        defer { labs.forEach { $0.close() } }
        let other = try NetworkNamespace(path: labs[1].namespace.path)
        let before = try labs[1].listener()
        let watch = try AwaitedWatch(labs[0], source)
        try await watch.begin()
        try await watch.watcher.add(other)
        while !watch.existing.contains(where: { $0.namespace == other }) { try await watch.next("its listener") }
        #expect(watch.existing.last?.cookie == (try before.cookie()))
        let later = try labs[1].listener()
        #expect(try await watch.transition(of: try later.cookie(), to: .listen).namespace == other)
        let here = try labs[0].listener()
        let hereCookie = try here.cookie()
        try await watch.transition(of: hereCookie, to: .listen)
        #expect(watch.watcher.metrics.namespaces == 2)
        try await watch.watcher.remove(other)
        while watch.gaps.last?.namespace != other { try await watch.next("that it is watched no more") }
        later.close()
        here.close()
        try await watch.transition(of: hereCookie, to: .closed)
        #expect(!watch.reported.contains { $0.namespace == other && $0.to == .closed })
        #expect(watch.watcher.metrics.namespaces == 1)
    }

    @Test func `What cannot be changed is one error, and changes nothing`() async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try AwaitedWatch(lab, .trace)
        try await watch.begin()
        let watcher = watch.watcher
        let error = await #expect(throws: KernelError.self) { try await watcher.update(filter: .receiveQueue > 0) }
        #expect(error?.detail == "dumps alone report what it asks for")
        let listener = try lab.listener()
        try await watch.transition(of: try listener.cookie(), to: .listen)
        watcher.stop()
        // Its thread ends within an interval; until then it takes a change.
        var failure: KernelError?
        while failure == nil {
            do throws(KernelError) { try await watcher.update(filter: nil) } catch { failure = error }
        }
        #expect(failure?.operation == "change a watcher that has ended")
    }

    @Test func `A second reader is an error as long as the first is there, and then has what that has left`()
        async throws
    {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listeners = try (0..<3).map { _ in try lab.listener() }
        let watcher = try lab.run { try SocketWatcher(.quick) }
        var cookies: Set<SocketCookie> = []
        first: do {
            var events = watcher.makeAsyncIterator()
            guard case .socket(let socket)? = try await events.next() else { break first }
            cookies.insert(socket.cookie)
            var second = watcher.makeAsyncIterator()
            let error = await #expect(throws: KernelError.self) { try await second.next() }
            #expect(error?.detail == "another iterator reads them")
            withExtendedLifetime(events) {}
        }
        for try await event in watcher {
            if case .socket(let socket) = event { cookies.insert(socket.cookie) }
            if case .ready = event { break }
        }
        #expect(cookies == Set(try listeners.map { try $0.cookie() }))
    }

    @Test func `A watcher says what it has done`() async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listener = try lab.listener()
        let watch = try AwaitedWatch(lab, .poll)
        try await watch.begin()
        let connection = try lab.server(in: .established, on: listener)
        try await watch.transition(of: try lab.cookie(of: connection), to: .established)
        let metrics = watch.watcher.metrics
        #expect(metrics.events >= 3)
        #expect(metrics.dumps >= 2)
        #expect(metrics.sockets == 2)
        #expect(metrics.namespaces == 1)
        #expect(metrics.processorTime > .zero)
        #expect(metrics.ringFill == nil)
        #expect(metrics.lost.isEmpty)
        #expect(metrics.frequentDumpPeriod == .milliseconds(20))
    }
}
