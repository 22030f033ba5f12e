internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import TCPWatch
internal import Testing

/// One socket may be connected, disconnected and connected anew, while the TIME_WAIT of its first connection is still there
/// under the same cookie.
@Suite("A cookie names a socket, not a connection", .timeLimit(.minutes(30)))
struct AliasingTests {
    /// Whether each state is awaited before the next call, or dumps see what is left of all of it.
    enum Pace: Sendable, CaseIterable { case stepByStep, atOnce }

    private static let sources: [SocketWatcher.Source] = [.poll, .trace]

    /// A client whose first connection is in TIME_WAIT, under the socket's cookie, and whose second is ESTABLISHED.
    private struct Reconnected {
        let client, accepted: KernelSocket
        let cookie: SocketCookie
        let server, first, second: SocketEndpoint
    }

    private func reconnect(_ lab: Lab, _ watch: AwaitedWatch, _ pace: Pace = .stepByStep) async throws -> Reconnected {
        let listener = try lab.loopbackListener()
        let client = try lab.unconnected()
        try client.connect(to: listener.local)
        let (cookie, first) = (try client.cookie(), try client.currentLocal())
        let accepted = try lab.accepted(from: listener)
        if pace == .stepByStep { try await watch.transition(of: cookie, to: .established) }
        try client.shutDown()
        if pace == .stepByStep { try await watch.transition(of: cookie, to: .finWait2) }
        accepted.close()
        try client.wait(until: .closed)
        if pace == .stepByStep { try await watch.transition(of: cookie, to: .timeWait) }
        try client.disconnect()
        try client.connect(to: listener.local)
        let second = try client.currentLocal()
        try #require(first != second)
        try await watch.transition("the second connection") {
            $0.identity.cookie == cookie && $0.to == .established && $0.identity.local == second
        }
        return Reconnected(
            client: client,
            accepted: try lab.accepted(from: listener),
            cookie: cookie,
            server: listener.local,
            first: first,
            second: second
        )
    }

    /// The lives of the cookie are so many walks, each between its own endpoints, and nothing else is reported wrongly.
    private func expectWalks(_ watch: AwaitedWatch, of cookie: SocketCookie, between pairs: [[SocketEndpoint]]) {
        let lives = watch.lives(of: cookie)
        #expect(lives.map(\.incarnation) == pairs.indices.map { UInt8($0) }, "\(lives)")
        #expect(lives.map(\.endpoints) == pairs.map { [$0] }, "\(lives)")
        let faults = watch.faults
        #expect(faults.isEmpty)
        #expect(watch.losses.isEmpty)
    }

    @Test(arguments: sources, Pace.allCases)
    func `A socket that is disconnected and connected anew has two lives, and nothing is reported of them afterwards`(
        source: SocketWatcher.Source,
        pace: Pace
    ) async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try AwaitedWatch(lab, source)
        try await watch.begin()
        let socket = try await reconnect(lab, watch, pace)
        // Without tracepoints TIME_WAITs are dumped less often than what changes.
        try await watch.reported("TIME_WAIT of the first connection") { reported in
            reported.contains { $0.identity.cookie == socket.cookie && $0.to == .timeWait }
        }
        try await watch.passDumps(2, in: lab)
        let count = watch.reported.count { $0.identity.cookie == socket.cookie }
        try await watch.passDumps(5, in: lab)
        #expect(watch.reported.count { $0.identity.cookie == socket.cookie } == count)
        // One dump shows both, in the order of a hash table: then the first that is known may be the second that was.
        let isFirstKnownFirst = watch.lives(of: socket.cookie).first?.endpoints == [[socket.first, socket.server]]
        let isInOrder = isFirstKnownFirst || pace == .stepByStep || source == .trace
        let pairs = [[socket.first, socket.server], [socket.second, socket.server]]
        expectWalks(watch, of: socket.cookie, between: isInOrder ? pairs : pairs.reversed())
        let lives = watch.lives(of: socket.cookie)
        let last: [TCPState] = [.timeWait, .established]
        #expect(lives.map(\.path.last) == (isInOrder ? last : last.reversed()))
        // Whose socket it is was seen in the first life, or is in the second.
        if pace == .stepByStep { #expect(lives.flatMap(\.transitions).allSatisfy { $0.uid == geteuid() }) }
        guard source == .trace else { return }
        #expect(
            lives.map(\.path) == [
                [.synSent, .established, .finWait1, .finWait2, .timeWait], [.synSent, .established],
            ]
        )
        #expect(lives.flatMap(\.transitions).allSatisfy { $0.via.isEmpty })
    }

    /// The abort leaves its error in the socket (`tcp_disconnect()`).
    @Test(arguments: sources)
    func `A socket that was connected and aborted, and listens, ends as a listener that is closed`(
        source: SocketWatcher.Source
    ) async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try AwaitedWatch(lab, source)
        try await watch.begin()
        let listener = try lab.loopbackListener()
        let client = try lab.unconnected()
        try client.connect(to: listener.local)
        let cookie = try client.cookie()
        try await watch.transition(of: cookie, to: .established)
        try client.disconnect()
        try client.listen()
        try await watch.transition(of: cookie, to: .listen)
        client.close()
        try await watch.reported("the end of the listener") { reported in
            reported.contains { $0.identity.cookie == cookie && $0.from == .listen && $0.to == .closed }
        }
        #expect(watch.lives(of: cookie).last?.transitions.last?.cause == .close)
        let faults = watch.faults
        #expect(faults.isEmpty)
    }

    /// How the second connection ends.
    enum SecondEnd: Sendable, CaseIterable { case closesFirst, closesSecond, aborts }

    @Test(arguments: sources, SecondEnd.allCases)
    func `The end of the second connection is its own, whose TIME_WAIT the first still has`(
        source: SocketWatcher.Source,
        end: SecondEnd
    ) async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try AwaitedWatch(lab, source)
        try await watch.begin()
        let socket = try await reconnect(lab, watch)
        var last = TCPState.closed
        switch end {
        case .closesFirst:
            last = .timeWait
            try socket.client.shutDown()
            try await watch.transition(of: socket.cookie, to: .finWait2)
            socket.accepted.close()
            try socket.client.wait(until: .closed)
            socket.client.close()
        case .closesSecond:
            socket.accepted.close()
            try await watch.transition(of: socket.cookie, to: .closeWait)
            socket.client.close()
        case .aborts: socket.client.abort()
        }
        try await watch.transition("the second connection's \(last)") {
            $0.identity.cookie == socket.cookie && $0.to == last && $0.identity.local == socket.second
        }
        try await watch.passDumps(5, in: lab)
        expectWalks(
            watch,
            of: socket.cookie,
            between: [[socket.first, socket.server], [socket.second, socket.server]]
        )
        #expect(watch.lives(of: socket.cookie).map(\.path.last) == [.timeWait, last])
        // It is the kernel that says that the first is still there.
        let kernel = try lab.run {
            var client = try SockDiagClient()
            return try client.sockets(in: .timeWait).filter { $0.cookie == socket.cookie }.map(\.local)
        }
        #expect(Set(kernel) == (last == .timeWait ? [socket.first, socket.second] : [socket.first]))
    }

    @Test(.tags(.slow), arguments: sources)
    func `Two TIME_WAITs of one socket end once each, after 60 seconds`(source: SocketWatcher.Source) async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try AwaitedWatch(lab, source, limit: .seconds(120))
        try await watch.begin()
        let socket = try await reconnect(lab, watch)
        try socket.client.shutDown()
        socket.accepted.close()
        try await watch.transition("the second TIME_WAIT") {
            $0.identity.cookie == socket.cookie && $0.to == .timeWait && $0.identity.local == socket.second
        }
        socket.client.close()
        try await watch.reported("the end of both") { reported in
            reported.count { $0.identity.cookie == socket.cookie && $0.from == .timeWait } >= 2
        }
        try await watch.passDumps(2, in: lab)
        expectWalks(
            watch,
            of: socket.cookie,
            between: [[socket.first, socket.server], [socket.second, socket.server]]
        )
        let lives = watch.lives(of: socket.cookie)
        #expect(lives.map(\.path.last) == [.closed, .closed])
        #expect(lives.allSatisfy { $0.transitions.last?.timeInState.map { $0 > .seconds(58) } == true }, "\(lives)")
    }

    @Test func `A connect that is refused and tried again on the same socket is two lives`() async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try AwaitedWatch(lab, .trace)
        try await watch.begin()
        let (nobody, listener) = (try lab.loopbackListener(backlog: nil), try lab.loopbackListener())
        let client = try lab.unconnected()
        try #require(try client.connect(to: nobody.local) == ECONNREFUSED)
        let cookie = try client.cookie()
        try client.connect(to: listener.local)
        try await watch.transition(of: cookie, to: .established)
        try await watch.passDumps(5, in: lab)
        let lives = watch.lives(of: cookie)
        #expect(lives.map(\.incarnation) == [0, 1])
        #expect(lives.map(\.path) == [[.synSent, .closed], [.synSent, .established]])
        // The kernel may have taken back the first port by the time that it says anything.
        #expect(lives.first?.transitions.allSatisfy { $0.identity.remote == nobody.local } == true, "\(lives)")
        #expect(lives.first?.transitions.last?.cause == .receiveRST)
        #expect(lives.last?.endpoints == [[try client.currentLocal(), listener.local]], "\(lives)")
        let faults = watch.faults
        #expect(faults.isEmpty)
    }

    @Test(arguments: sources)
    func `A socket that is disconnected twice has three lives`(source: SocketWatcher.Source) async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try AwaitedWatch(lab, source)
        try await watch.begin()
        let listener = try lab.loopbackListener()
        let client = try lab.unconnected()
        let cookie = try client.cookie()
        var pairs: [[SocketEndpoint]] = []
        for life in 0..<3 {
            if life > 0 { try client.disconnect() }
            try client.connect(to: listener.local)
            let local = try client.currentLocal()
            pairs.append([local, listener.local])
            _ = try lab.accepted(from: listener)
            try await watch.transition("connection \(life)") {
                $0.identity.cookie == cookie && $0.to == .established && $0.identity.local == local
            }
        }
        try await watch.passDumps(5, in: lab)
        expectWalks(watch, of: cookie, between: pairs)
        let lives = watch.lives(of: cookie)
        #expect(lives.map(\.path.last) == [.closed, .closed, .established])
        guard source == .trace else { return }
        let ended: [TCPState] = [.synSent, .established, .closed]
        #expect(lives.map(\.path) == [ended, ended, [.synSent, .established]])
        #expect(
            lives.prefix(2).allSatisfy { $0.transitions.last?.cause == .abort && $0.transitions.last?.pid == getpid() }
        )
    }
}
