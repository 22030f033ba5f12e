internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPWatch

@Suite("With tracepoints, what none of them reports is there too", .timeLimit(.minutes(30)))
struct TraceLifeTests {
    @Test func `A SYN_SENT that times out on an idle machine ends with its cause`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try TraceWatch(lab)
        let client = try lab.client(in: .synSent)
        let cookie = try lab.cookie(of: client)
        // The port was chosen after the transition was reported.
        let first = try watch.pollHandshakes()
        #expect(first.paths == ["CLOSED>SYN_SENT"])
        #expect(first.first?.identity.local == client.local)
        #expect(first.first?.certainty == .exact)
        var timeout: Int32 = 1000
        setsockopt(try #require(client.descriptor), Int32(IPPROTO_TCP), 18, &timeout, 4)  // TCP_USER_TIMEOUT
        let reported = try watch.wait { $0.to == .closed }
        #expect(reported.paths == ["SYN_SENT>CLOSED"])
        #expect(reported.first?.cause == .timeout)
        #expect(reported.first?.certainty == .exact)
        #expect(reported.first?.identity.cookie == cookie)
        #expect(reported.first?.timeInState.map { $0 >= .milliseconds(900) } == true)
    }

    @Test func `A SYN that is sent once more shows its port without a dump`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try TraceWatch(lab)
        let client = try lab.client(in: .synSent)
        let reported = try watch.wait { $0.to == .synSent }
        #expect(reported.paths == ["CLOSED>SYN_SENT"])
        #expect(reported.first?.identity.local == client.local)
        #expect(
            reported.first.map { EventTime.now().monotonicNanoseconds - $0.time.monotonicNanoseconds > 900_000_000 }
                == true
        )
    }

    @Test(arguments: [true, false])
    func `A half-open request is reported by a dump or when it is answered again, and expires with its cause`(
        pollsHandshakes: Bool
    ) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try lab.sysctl("net.ipv4.tcp_synack_retries", 1)
        let listener = try lab.listener()
        let watch = try TraceWatch(lab)
        let request = try lab.server(in: .synReceived, on: listener)
        var reported = pollsHandshakes ? try watch.pollHandshakes() : []
        reported += try watch.wait { $0.to == .closed }
        #expect(reported.paths == ["CLOSED>SYN_RCVD", "SYN_RCVD>CLOSED"])
        #expect(reported.allSatisfy { $0.certainty == .observed && $0.identity.remote == request.remote })
        #expect(reported.map(\.source) == [pollsHandshakes ? .poll : .trace, .poll])
        #expect(reported.last?.cause == .timeout)
        #expect(watch.known.values.map { $0 } == [.listen])
    }

    @Test func `A half-open request becomes a connection under the same cookie`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try TraceWatch(lab)
        let request = try lab.server(in: .synReceived)
        var reported = try watch.pollHandshakes()
        try request.peer.send(.ack)
        reported += watch.receive()
        try request.peer.send(.rst)
        reported += try watch.receive() + watch.poll()
        let life = reported.filter { $0.identity.remote.port != 0 }
        #expect(life.paths == ["CLOSED>SYN_RCVD", "SYN_RCVD>ESTABLISHED", "ESTABLISHED>CLOSED"])
        #expect(Set(life.map(\.identity.cookie)).count == 1)
        #expect(life.map(\.certainty) == [.observed, .exact, .exact])
    }

    @Test func `An orphan in FIN_WAIT_2 is neither lost nor doubled, and ends by its timeout`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try lab.sysctl("net.ipv4.tcp_fin_timeout", 2)
        let connection = try lab.server(in: .established)
        let watch = try TraceWatch(lab)
        connection.close()
        try connection.peer.receive(.fin)
        try connection.peer.send(.ack)
        var reported = try watch.receive() + watch.poll()
        #expect(reported.paths == ["ESTABLISHED>FIN_WAIT_1", "FIN_WAIT_1>FIN_WAIT_2"])
        reported = try watch.wait { $0.to == .closed }
        #expect(reported.paths == ["FIN_WAIT_2>CLOSED"])
        #expect(reported.first?.cause == .timeout)
        #expect(reported.first?.final?.segmentsOut != nil)
    }

    @Test func `The FIN that an orphan waits for takes it to TIME_WAIT within about as long as it waited`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let connection = try lab.server(in: .established)
        let watch = try TraceWatch(lab)
        connection.close()
        try connection.peer.receive(.fin)
        try connection.peer.send(.ack)
        _ = watch.receive()
        try connection.peer.send(.fin)
        let reported = try watch.wait { $0.to == .timeWait }
        #expect(reported.paths == ["FIN_WAIT_2>TIME_WAIT"])
        #expect(reported.first?.certainty == .observed)
        #expect(reported.first?.cause == .receiveFIN)
    }

    @Test func `A TIME_WAIT that a new SYN takes over ends before the new connection begins, with that cause`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try TraceWatch(lab)
        let (old, connection) = try lab.takenOverTimeWait(watch)
        try connection.peer.send(.ack)
        let reported = watch.receive()
        #expect(reported.paths == ["TIME_WAIT>CLOSED", "CLOSED>SYN_RCVD", "SYN_RCVD>ESTABLISHED"])
        #expect(reported.first?.identity.cookie == old)
        #expect(reported.first?.cause == .reuse)
        #expect(Set(reported.dropFirst().map(\.identity.cookie)).count == 1)
        #expect(reported.last?.identity.cookie != old)
        #expect(try watch.poll().isEmpty)
    }

    @Test func `A bound socket that connects is one life between the connection's endpoints`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let socket = try lab.bound()
        let listener = try lab.listener()
        let watch = try TraceWatch(lab)
        listener.local.withSocketAddress { _ = connect(socket.descriptor ?? -1, $0, $1) }
        let cookie = try socket.cookie()
        try socket.shutDown()
        let life = try watch.wait { $0.to == .finWait2 }.filter { $0.identity.cookie == cookie }
        #expect(
            life.paths == ["BOUND>SYN_SENT", "SYN_SENT>ESTABLISHED", "ESTABLISHED>FIN_WAIT_1", "FIN_WAIT_1>FIN_WAIT_2"]
        )
        #expect(life.allSatisfy { $0.identity.remote == listener.local && $0.identity.local == socket.local })
        #expect(try watch.poll().isEmpty)
    }

    @Test func `A listener that the kernel chose the port for is reported with its port`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try TraceWatch(lab)
        let descriptor = lab.run { socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0) }
        defer { close(descriptor) }
        #expect(listen(descriptor, 1) == 0)
        #expect(watch.receive().isEmpty)
        let reported = try watch.pollHandshakes()
        #expect(reported.paths == ["CLOSED>LISTEN"])
        #expect(reported.first?.certainty == .exact)
        #expect(reported.first?.identity.local.port != 0)
        #expect(try watch.poll().isEmpty)
    }

    @Test func `A TIME_WAIT whose place a request has taken was not reset`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try TraceWatch(lab)
        let old = try lab.takenOverTimeWait(watch).old
        let reported = try watch.poll() + watch.wait(within: .seconds(1)) { $0.to == .closed }
        let end = try #require(reported.first { $0.identity.cookie == old })
        #expect(end.path == "TIME_WAIT>CLOSED")
        #expect(end.cause == .reuse)
    }

    @Test func `An error of long ago does not hide the TIME_WAIT`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let connection = try lab.client(in: .established)
        let watch = try TraceWatch(lab)
        var on: Int32 = 1
        setsockopt(connection.descriptor ?? -1, Int32(IPPROTO_IP), IP_RECVERR, &on, 4)
        send(connection.descriptor ?? -1, "data", 4, 0)
        // Refused, once: it stays in the socket, which lives on.
        try connection.peer.refuse(connection.peer.receive([.psh, .ack]))
        try connection.peer.send(.ack)
        try connection.shutDown()
        try connection.peer.receive(.fin)
        try connection.peer.send(.ack)
        try connection.peer.send(.fin)
        let reported = watch.receive()
        #expect(reported.paths == ["ESTABLISHED>FIN_WAIT_1", "FIN_WAIT_1>FIN_WAIT_2", "FIN_WAIT_2>TIME_WAIT"])
        #expect(try watch.poll().isEmpty)
    }

    @Test func `With Fast Open, an answer that is sent again is no second connection`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        // Servers take data from everybody's SYN.
        try lab.sysctl("net.ipv4.tcp_fastopen", 0x203)
        let listener = try lab.listener()
        var length: Int32 = 16
        setsockopt(listener.descriptor ?? -1, Int32(IPPROTO_TCP), TCP_FASTOPEN, &length, 4)
        let watch = try TraceWatch(lab)
        let peer = try lab.peer(of: listener)
        try peer.send(.syn.carrying([1, 2, 3]))
        try peer.receive(.synAck)
        try peer.receive(.synAck)  // A second later: nobody has answered.
        let reported = try watch.receive() + watch.poll() + watch.pollHandshakes()
        #expect(Set(reported.map(\.identity.cookie)).count <= 1, "\(reported.paths)")
    }

    @Test func `Ten thousand half-open requests are each reported once, and each end`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listener = try lab.listenerForFlood()
        let watch = try TraceWatch(lab)
        let requests = try lab.flood(10_000, on: listener)
        let begun = try watch.pollHandshakes()
        #expect(begun.count { $0.path == "CLOSED>SYN_RCVD" } == begun.count)
        for request in requests { try request.peer.send(.rst) }
        let reported = try begun + watch.pollHandshakes()
        let ended = reported.filter { $0.to == .closed }
        #expect(reported.count == 20_000)
        #expect(Set(ended.map(\.identity.cookie)).count == 10_000)
        // Where its SYN+ACK was sent again and nothing was asked since, when its timer would have ended it is not known.
        #expect(ended.allSatisfy { [.receiveRST, .timeout, nil].contains($0.cause) })
    }
}

extension Lab {
    /// Waits until the kernel has dealt with every segment of connections that both sides have closed.
    fileprivate func awaitTimeWaits() throws {
        try run {
            var client = try SockDiagClient()
            let deadline = ContinuousClock.now + .labDeadline
            while try !client.sockets(in: TCPStateSet.all.subtracting([.timeWait, .closed])).isEmpty {
                try #require(.now < deadline, "some connections are not in TIME_WAIT")
                sched_yield()
            }
        }
    }
}

@Suite("With tracepoints, what is lost is found", .timeLimit(.minutes(30)))
struct TraceLossTests {
    @Test func `Records that found no room are counted, and the dump after it shows what they would have`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let pairs = try (0..<100).map { _ in try lab.loopbackPair() }
        let watch = try TraceWatch(lab) { $0.traceBufferSize = 4096 }
        // Each pair takes seven transitions, and each of them is a record. What is received is reported: exact, or
        // derived where the record is the end of a socket that goes on in TIME_WAIT. So the client is not closed before
        // its peer's FIN has come: where the acknowledgement of its own comes late, as on a busy machine, an orphan
        // becomes a minisocket in FIN_WAIT_2, and that record is of no transition.
        for pair in pairs { try pair.closeInOrder() }
        try lab.awaitTimeWaits()
        var reported = watch.receive()
        reported += try watch.poll() + watch.wait(within: .seconds(1)) { _ in false }
        let gap = try #require(watch.gaps.first)
        #expect(gap.source == .trace)
        let received = reported.count { $0.certainty == .exact || $0.certainty == .derived }
        #expect(Int(try #require(gap.lost)) == 700 - received)
        #expect(reported.contains { $0.certainty == .inferred })
        #expect(reported.count { $0.path.hasSuffix(">TIME_WAIT") } == 100)
        #expect(reported.count { $0.from == .listen && $0.to == .closed } == 100)
        #expect(reported.count { $0.to == .closed && $0.from != .listen } == 100)
        #expect(Set(reported.map { "\($0.identity.cookie) \($0.to)" }).count == reported.count)
    }

    #if DEBUG
        @Test func `Records that vanish without a word are found by the next dump, as inferred transitions`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let watch = try TraceWatch(lab) { $0.dropsOneRecordOf = 2 }
            let pairs = try (0..<50).map { _ in try lab.loopbackPair() }
            for pair in pairs { try pair.client.shutDown() }
            let received = try watch.wait(within: .milliseconds(200)) { _ in false }
            let reported = try received + watch.poll() + watch.wait(within: .milliseconds(500)) { _ in false }
            #expect(watch.gaps.isEmpty)
            #expect(reported.contains { $0.certainty == .inferred })
            let kernel = try lab.run {
                var client = try SockDiagClient()
                return try client.sockets()
            }
            #expect(watch.known == Dictionary(kernel.map { ($0.cookie, $0.state) }, uniquingKeysWith: { $1 }))
            // Whatever was dropped, each life is whole: each transition begins where the last ended.
            for (cookie, life) in Dictionary(grouping: reported, by: \.identity.cookie) {
                let froms = life.map { $0.from ?? .bound }
                #expect(froms == [.closed] + life.dropLast().map(\.to), "\(cookie) \(life.paths)")
            }
        }
    #endif
}
