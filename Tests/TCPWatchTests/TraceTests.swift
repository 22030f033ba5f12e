internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPWatch

@Suite("With tracepoints, a life is reported as the kernel makes its transitions", .timeLimit(.minutes(30)))
struct TraceTests {
    @Test(arguments: [LabNetwork.ipv4, .ipv6, .ipv4Mapped])
    func `Both sides of a connection are whole and exact, from the request to TIME_WAIT`(network: LabNetwork) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try TraceWatch(lab)
        let pair = try lab.loopbackPair(over: network)
        let (clientCookie, serverCookie) = (try pair.client.cookie(), try pair.accepted.cookie())
        let (clientEnd, serverEnd) = (pair.client.local, pair.accepted.local)
        try pair.send([1, 2, 3], from: .client)
        try pair.receive(3, at: .accepted)
        try pair.send([1, 2, 3, 4, 5], from: .accepted)
        try pair.receive(5, at: .client)
        try pair.client.shutDown()
        pair.accepted.close()
        let reported = try watch.wait { $0.from == .lastAck }
        let client = reported.filter { $0.identity.cookie == clientCookie }
        let server = reported.filter { $0.identity.cookie == serverCookie }
        #expect(
            client.paths == [
                "CLOSED>SYN_SENT", "SYN_SENT>ESTABLISHED", "ESTABLISHED>FIN_WAIT_1", "FIN_WAIT_1>FIN_WAIT_2",
                "FIN_WAIT_2>TIME_WAIT",
            ]
        )
        #expect(
            server.paths == [
                "CLOSED>SYN_RCVD", "SYN_RCVD>ESTABLISHED", "ESTABLISHED>CLOSE_WAIT", "CLOSE_WAIT>LAST_ACK",
                "LAST_ACK>CLOSED",
            ]
        )
        #expect(client.map(\.cause) == [.connect, .receiveSYNACK, .close, .receiveACK, .receiveFIN])
        #expect(server.map(\.cause) == [.receiveSYN, .receiveACK, .receiveFIN, .close, .receiveACK])
        #expect(reported.allSatisfy { $0.source == .trace })
        // The request and the TIME_WAIT are in no report of their own.
        let derived: [TCPState] = [.synReceived, .timeWait]
        #expect(reported.allSatisfy { $0.certainty == (derived.contains($0.to) ? .derived : .exact) })
        #expect(client.allSatisfy { $0.identity.local == clientEnd && $0.identity.remote == serverEnd })
        #expect(server.allSatisfy { $0.identity.local == serverEnd && $0.identity.remote == clientEnd })
        for life in [client, server] {
            let times = life.map { Int64($0.time.monotonicNanoseconds) }
            #expect(times == times.sorted())
            #expect(life.dropFirst().map(\.timeInState) == zip(times, times.dropFirst()).map { .nanoseconds($1 - $0) })
        }
        #expect(client.first?.pid == getpid())
        let final = try #require(server.last?.final)
        #expect(final.bytesSent == 5)
        #expect(final.bytesReceived == 3)
        #expect(final.duration != nil)
        #expect(try watch.poll().isEmpty)
        #expect(watch.known.values.sorted { $0.rawValue < $1.rawValue } == [.timeWait, .listen])
    }

    @Test func `What existed is reported once, and its later transitions are exact`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let pair = try lab.loopbackPair()
        let watch = try TraceWatch(lab)
        #expect(watch.existing.count == 3)
        try pair.client.shutDown()
        let reported = try watch.wait { $0.to == .finWait2 }
        #expect(reported.paths == ["ESTABLISHED>FIN_WAIT_1", "ESTABLISHED>CLOSE_WAIT", "FIN_WAIT_1>FIN_WAIT_2"])
        #expect(reported.allSatisfy { $0.certainty == .exact })
        #expect(try watch.poll().isEmpty)
    }

    @Test(arguments: Script.steps.filter { $0.expected.firstRange(of: "TIME_WAIT") == nil })
    func `Every transition by a segment or a call is reported once, exactly, and by no dump again`(
        script: Script
    ) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let connection = try script.connect(lab, over: .ipv4)
        let watch = try TraceWatch(lab)
        let cookie = try lab.cookie(of: connection)
        try script.act(connection)
        let reported = watch.receive()
        #expect(reported.paths == [script.expected])
        #expect(reported.first?.identity.cookie == cookie)
        #expect(reported.first?.certainty == .exact)
        #expect(try watch.poll().isEmpty)
        #expect(try watch.poll().isEmpty)
    }

    @Test(arguments: Script.ends)
    func `A reset in each state is reported once, with its cause, and nothing after it`(script: Script) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try TraceWatch(lab)
        let connection = try script.connect(lab, over: .ipv4)
        var before = try watch.receive() + watch.pollHandshakes()
        // A minisocket's are not traced: the first lookup shows what became of it.
        if script.from == .timeWait, !before.contains(where: { $0.to == .timeWait }) {
            before += try watch.wait { $0.to == .timeWait }
        }
        let cookie = try lab.cookie(of: connection)
        try script.act(connection)
        var reported = watch.receive()
        let isTraced = !reported.isEmpty
        if reported.isEmpty { reported = try watch.pollHandshakes() + watch.poll() }
        let ends = reported.filter { $0.identity.cookie == cookie }
        #expect(ends.paths == [script.expected])
        #expect(ends.first?.certainty == (isTraced ? .exact : .observed))
        let isAcknowledged = script.from == .lastAck && script.testDescription.hasSuffix("ACK)")
        if !isAcknowledged, script.from != .lastAck { #expect(ends.first?.cause == .receiveRST) }
        connection.close()
        #expect(try (watch.receive() + watch.poll() + watch.poll()).filter { $0.identity.cookie == cookie }.isEmpty)
    }
}
