internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPWatch

@Suite("A life is reported as one, whatever happens between two dumps")
struct LifeTests {
    @Test func `The whole life of a child bears one cookie, from the half-open request to the end of TIME_WAIT`() throws
    {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try HandWatch(lab)
        let listener = try lab.listener()
        _ = try watch.poll()
        let request = try lab.server(in: .synReceived, on: listener)
        var reported = try watch.poll()
        let cookie = try lab.cookie(of: request)
        try request.peer.send(.ack)
        reported += try watch.poll()
        let child = accept(try #require(listener.descriptor), nil, nil)
        try #require(child >= 0)
        close(child)
        try request.peer.receive(.fin)
        reported += try watch.poll()
        try request.peer.send(.ack)
        reported += try watch.receive() + watch.pollTwice()  // An orphan in FIN_WAIT_2 is a minisocket already.
        try request.peer.send(.fin)
        try request.peer.receive(.ack)
        reported += try watch.poll()
        try request.peer.send(.rst)
        reported += try watch.poll()
        #expect(
            reported.paths == [
                "CLOSED>SYN_RCVD", "SYN_RCVD>ESTABLISHED", "ESTABLISHED>FIN_WAIT_1", "FIN_WAIT_1>FIN_WAIT_2",
                "FIN_WAIT_2>TIME_WAIT", "TIME_WAIT>CLOSED",
            ]
        )
        #expect(reported.allSatisfy { $0.identity.cookie == cookie })
        #expect(reported.dropLast().allSatisfy { $0.final == nil })
        let final = try #require(reported.last?.final)
        #expect(final.duration != nil)
        #expect(final.segmentsOut == 1)  // The FIN: what a request or a minisocket sends is not the socket's.
    }

    @Test(arguments: [true, false])
    func `A connection that begins and ends between two dumps is reported once for each end, with its bytes`(
        clientCloses: Bool
    ) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try HandWatch(lab)
        let pair = try lab.loopbackPair()
        try pair.send([UInt8](repeating: 1, count: 1000), from: .client)
        _ = try pair.receive(1000, at: .accepted)
        try pair.send([UInt8](repeating: 2, count: 300), from: .accepted)
        _ = try pair.receive(300, at: .client)
        let (first, second) = clientCloses ? (pair.client, pair.accepted) : (pair.accepted, pair.client)
        first.close()
        second.close()
        let reported = try watch.receive { $0.to == .closed } + watch.pollTwice()
        let ends = reported.filter { $0.identity.remote.port != 0 }
        #expect(ends.count == 2)
        let timeWait = try #require(ends.first { $0.to == .timeWait })
        let opened = clientCloses ? "SYN_SENT" : "SYN_RCVD"
        #expect(timeWait.path == "CLOSED(\(opened),ESTABLISHED,FIN_WAIT_1,FIN_WAIT_2)>TIME_WAIT")
        let closed = try #require(ends.first { $0.to == .closed })
        #expect(closed.from == nil)
        #expect(closed.final?.bytesSent == (clientCloses ? 300 : 1000))
        #expect(closed.final?.bytesReceived == (clientCloses ? 1000 : 300))
    }

    @Test func `A passive close between two dumps is inferred as such, an abort is not`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let ordinary = try lab.server(in: .established)
        let aborted = try lab.server(in: .established)
        let watch = try HandWatch(lab)
        try ordinary.peer.send(.fin)
        try ordinary.peer.receive(.ack)
        ordinary.close()
        try ordinary.peer.receive(.fin)
        try ordinary.peer.send(.ack)
        #expect(try watch.receive().paths == ["ESTABLISHED(CLOSE_WAIT,LAST_ACK)>CLOSED"])
        try aborted.peer.send(.rst)
        aborted.close()
        let reported = try watch.receive()
        #expect(reported.paths == ["ESTABLISHED>CLOSED"])
        #expect(reported.first?.certainty == .observed)
        #expect(try watch.pollTwice().isEmpty)
    }

    @Test func `A half-open request that expires ends once, and its listener stays`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try lab.sysctl("net.ipv4.tcp_synack_retries", 0)
        let listener = try lab.listener()
        let watch = try HandWatch(lab)
        try lab.server(in: .synReceived, on: listener)
        #expect(try watch.poll().paths == ["CLOSED>SYN_RCVD"])
        var reported: [Transition] = []
        let deadline = ContinuousClock.now + .seconds(30)
        while reported.isEmpty, .now < deadline { reported += try watch.poll() }
        #expect(reported.paths == ["SYN_RCVD>CLOSED"])
        #expect(reported.first?.certainty == .observed)
        #expect(reported.first?.timeInState.map { $0 >= .milliseconds(900) } == true)
    }

    @Test func `Ten thousand half-open requests are each reported once, and each end`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listener = try lab.listenerForFlood()
        let watch = try HandWatch(lab)
        let requests = try lab.flood(10_000, on: listener)
        let begun = try watch.poll()
        #expect(begun.count == 10_000)
        #expect(begun.allSatisfy { $0.path == "CLOSED>SYN_RCVD" })
        #expect(Set(begun.map(\.identity.cookie)).count == 10_000)
        for request in requests { try request.peer.send(.rst) }
        let ended = try watch.pollTwice()
        #expect(ended.allSatisfy { $0.path == "SYN_RCVD>CLOSED" })
        #expect(Set(ended.map(\.identity.cookie)) == Set(begun.map(\.identity.cookie)))
        #expect(ended.count == 10_000)
    }

    @Test func `A TIME_WAIT that a new SYN takes over ends, and the new connection is another one`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try HandWatch(lab)
        let connection = try lab.server(in: .timeWait)
        _ = try watch.receive { $0.to == .timeWait } + watch.poll()
        let old = try lab.cookie(of: connection)
        try connection.peer.send(.syn.shifted(by: 100_000))
        try connection.peer.receive(.synAck)
        let reported = try watch.pollTwice()
        #expect(Set(reported.paths) == ["TIME_WAIT>CLOSED", "CLOSED>SYN_RCVD"])
        #expect(reported.first { $0.to == .closed }?.identity.cookie == old)
        #expect(reported.first { $0.to == .synReceived }?.identity.cookie != old)
    }

    @Test
    func `Messages that were lost are counted to the unit, and what they would have said is learned by dumps`()
        throws
    {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let pairs = try (0..<100).map { _ in try lab.loopbackPair() }
        let watch = try HandWatch(lab) { $0.receiveBufferSize = 4096 }
        for pair in pairs {
            pair.client.close()
            pair.accepted.close()
            pair.listener.close()
        }
        try watch.awaitLoss()
        var reported = try watch.receive()
        let gap = try #require(watch.gaps.first)
        #expect(gap.source == .destroy)
        let lost = Int(try #require(gap.lost))
        #expect(lost > 0)
        reported += try watch.pollTwice() + watch.pollTwice()
        let known = try lab.run {
            var client = try SockDiagClient()
            return try client.sockets().filter(\.isMinisocket).count
        }
        #expect(known == 100)
        #expect(reported.count { $0.path.hasSuffix(">TIME_WAIT") } == 100)
        #expect(reported.count { $0.from == .listen && $0.to == .closed } == 100)
        #expect(reported.count { $0.to == .closed && $0.from != .listen } == 100)
        #expect(Set(reported.map { "\($0.identity.cookie) \($0.to)" }).count == reported.count)
        // A message that is missing is no sign of a reset: it may be among the lost.
        let ends = reported.filter { $0.to == .closed && $0.from == .established }
        #expect(ends.allSatisfy { $0.certainty == .inferred || $0.source == .destroy })
        // Nor is anything made up later: the sockets are remembered for a while, for what may be connected on them.
        for _ in 0..<25 { #expect(try watch.poll().isEmpty) }
        #expect(watch.entryCount <= watch.known.count + 300)
    }

    @Test func `A bound socket that connects has the endpoints of its connection`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try HandWatch(lab)
        let socket = try lab.bound()
        #expect(try watch.poll().paths == ["CLOSED>BOUND"])
        let listener = try lab.listener()
        listener.local.withSocketAddress { _ = connect(socket.descriptor ?? -1, $0, $1) }
        let reported = try watch.poll().filter { $0.identity.cookie == (try? socket.cookie()) }
        #expect(reported.map(\.to) == [.established])
        #expect(reported.first?.from == .bound)
        #expect(reported.first?.identity.remote == listener.local)
    }
}

@Suite("The kernel's messages about destroyed sockets")
struct DestroyMonitorTests {
    @Test func `Received and lost together are what was destroyed, to the unit`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try lab.run {
            var monitor = try DestroyMonitor(receiveBufferSize: 4096)
            for _ in 0..<500 { try lab.bound().close() }
            var received = 0
            var hasLost = false
            // One thread of the kernel's sends the messages of all namespaces: those of other tests come before.
            let deadline = ContinuousClock.now + .seconds(60)
            while received + Int(monitor.lostCount ?? 0) < 500, .now < deadline {
                hasLost = try monitor.receive { _ in received += 1 } || hasLost
            }
            #expect(hasLost)
            #expect(received > 0)
            let lost = monitor.lostCount
            #expect(received + Int(try #require(lost)) == 500)
        }
    }
}
