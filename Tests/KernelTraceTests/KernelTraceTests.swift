internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import KernelTrace

/// A record, kept.
struct Told: Equatable {
    let event: TraceRecord.Event
    let from, to: TCPState
    let identity: SocketIdentity
    let time: UInt64
    let namespace: UInt32
    let uid: UInt32
    let pid: Int32?
    let bytesSent, bytesReceived: UInt64
    let error: Int32
    let resetReason: UInt32
    let isPeerDone, isOrphan: Bool
    let hasRoomForTimeWait: Bool?

    init(_ record: borrowing TraceRecord) {
        (event, from, to) = (record.event, record.from, record.to)
        (identity, time, namespace, uid, pid) =
            (record.identity, record.time, record.namespace, record.uid, record.pid)
        (bytesSent, bytesReceived, error) = (record.bytesSent, record.bytesReceived, record.error)
        resetReason = record.resetReason
        (isPeerDone, isOrphan, hasRoomForTimeWait) =
            (record.isPeerDone, record.isOrphan, record.hasRoomForTimeWait)
    }

    var path: String { "\(from)>\(to)" }
}

extension KernelTrace {
    /// What has happened until now.
    borrowing func told() -> [Told] {
        var told: [Told] = []
        while !read({ told.append(Told($0)) }) { sched_yield() }
        return told
    }

    /// Waits until something has happened that fits; all until then.
    borrowing func told(until fits: (Told) -> Bool) throws -> [Told] {
        var told: [Told] = []
        let deadline = ContinuousClock.now + .seconds(10)
        while !told.contains(where: fits), .now < deadline {
            var waited = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            poll(&waited, 1, 1000)
            told += self.told()
        }
        return told
    }
}

@Suite struct KernelTraceTests {
    private func filter(_ labs: Lab...) -> TraceFilter {
        var filter = TraceFilter()
        filter.namespaces = labs.map { UInt32($0.namespace.inode) }
        return filter
    }

    private func lab() throws -> Lab {
        try ProgramTests.cancelUnlessPermitted()
        return try Lab.orCancel()
    }

    @Test(arguments: [LabNetwork.ipv4, .ipv6, .ipv4Mapped])
    func `Every step of a connection is told once, in order, under the cookie that a dump gives it`(
        network: LabNetwork
    ) throws {
        let lab = try lab()
        defer { lab.close() }
        let trace = try KernelTrace(filter(lab))
        let before = EventTime.monotonic
        let pair = try lab.loopbackPair(over: network)
        let (clientCookie, serverCookie) = (try pair.client.cookie(), try pair.accepted.cookie())
        let (clientEnd, serverEnd) = (pair.client.local, pair.accepted.local)
        try pair.send([1, 2, 3], from: .client)
        try pair.receive(3, at: .accepted)
        try pair.send([1, 2, 3, 4, 5], from: .accepted)
        try pair.client.shutDown()
        pair.accepted.close()
        let told = try trace.told { $0.to == .closed && $0.from == .lastAck }.filter { $0.event == .step }
        let client = told.filter { $0.identity.cookie == clientCookie }
        let server = told.filter { $0.identity.cookie == serverCookie }
        #expect(
            client.map(\.path) == [
                "CLOSED>SYN_SENT", "SYN_SENT>ESTABLISHED", "ESTABLISHED>FIN_WAIT_1", "FIN_WAIT_1>FIN_WAIT_2",
                "FIN_WAIT_2>CLOSED",
            ]
        )
        #expect(
            server.map(\.path) == [
                "SYN_RCVD>ESTABLISHED", "ESTABLISHED>CLOSE_WAIT", "CLOSE_WAIT>LAST_ACK", "LAST_ACK>CLOSED",
            ]
        )
        #expect(client.dropFirst().allSatisfy { $0.identity.local == clientEnd && $0.identity.remote == serverEnd })
        #expect(server.allSatisfy { $0.identity.local == serverEnd && $0.identity.remote == clientEnd })
        #expect(told.allSatisfy { $0.namespace == UInt32(lab.namespace.inode) && $0.uid == getuid() })
        // What a call did has its process: connect, shutdown, close.
        let called = told.filter { [.synSent, .listen, .finWait1, .lastAck].contains($0.to) }
        #expect(called.count == 4)
        #expect(called.allSatisfy { $0.pid == getpid() })
        // What a segment did has none, unless a call held the socket meanwhile; never another process.
        #expect(told.allSatisfy { $0.pid == nil || $0.pid == getpid() })
        // A child that is in nobody's hands yet, and one that waits in no call, are held by none.
        #expect(server.prefix(2).map(\.pid) == [nil, nil])
        #expect(client.last?.bytesSent == 3)
        #expect(client.last?.bytesReceived == 6)  // One is the peer's FIN.
        #expect(client.last?.isPeerDone == true)
        #expect(client.last?.isOrphan == false)
        #expect(client.last?.hasRoomForTimeWait == true)
        #expect(server.last?.bytesSent == 5)
        let times = [before] + client.map(\.time) + [EventTime.monotonic]
        #expect(times == times.sorted())
    }

    @Test func `Half-open requests and unanswered SYNs are told when they are sent once more`() throws {
        let lab = try lab()
        defer { lab.close() }
        let trace = try KernelTrace(filter(lab))
        let request = try lab.server(in: .synReceived)
        let client = try lab.client(in: .synSent)
        let cookie = try #require(client.socket).cookie()
        var awaited: Set<TraceRecord.Event> = [.requestRetransmitted, .synRetransmitted]
        let told = try trace.told { record in
            awaited.remove(record.event)
            return awaited.isEmpty
        }
        let again = try #require(told.first { $0.event == .requestRetransmitted })
        #expect(again.identity.local == request.local)
        #expect(again.identity.remote == request.remote)
        let dumped = try lab.run {
            var client = try SockDiagClient()
            return try client.sockets(in: .synReceived).map(\.cookie)
        }
        #expect(dumped == [again.identity.cookie])
        let syn = try #require(told.first { $0.event == .synRetransmitted })
        #expect(syn.identity.cookie == cookie)
        #expect(syn.identity.local == client.local)
    }

    @Test func `A reset and a timeout leave their error`() throws {
        let lab = try lab()
        defer { lab.close() }
        let trace = try KernelTrace(filter(lab))
        let reset = try lab.client(in: .established)
        try reset.peer.send(.rst)
        #expect(trace.told().last?.error == ECONNRESET)
        try lab.sysctl("net.ipv4.tcp_syn_retries", 1)
        let refused = try lab.client(in: .synSent)
        try refused.peer.send(.rst)
        #expect(trace.told().last?.error == ECONNREFUSED)
    }

    @Test func `A RST that is sent tells its reason, by the kernel's own name`() throws {
        let lab = try lab()
        defer { lab.close() }
        let trace = try KernelTrace(filter(lab))
        let missing = trace.missing[.resetSent]
        if let missing { try Test.cancel("this kernel gives no reason for a RST: \(missing)") }
        let connection = try lab.server(in: .established)
        let cookie = try #require(connection.socket).cookie()
        try connection.peer.send(.data([1]))
        connection.close()
        let told = trace.told().filter { $0.identity.cookie == cookie }
        #expect(told.map(\.event) == [.step, .step, .resetSent, .destroyed])
        // The step comes before the RST, for which the socket is in CLOSED.
        #expect(told.prefix(3).map(\.path) == ["SYN_RCVD>ESTABLISHED", "ESTABLISHED>CLOSED", "CLOSED>CLOSED"])
        let reason = told.dropLast().last.flatMap { trace.resetReasons[$0.resetReason] }
        #expect(reason == "TCP_ABORT_ON_CLOSE")
    }

    @Test func `A RST that comes is told for a SYN alone, and the end of a socket where its program closes it`() throws
    {
        let lab = try lab()
        defer { lab.close() }
        let trace = try KernelTrace(filter(lab))
        let clients = try [TCPState.synSent, .established].map { try lab.client(in: $0) }
        for client in clients { try client.peer.send(.rst) }
        #expect(trace.told().filter { $0.event != .step }.map(\.event) == [.resetReceived])
        // One that was bound and no more; one whose connection has ended.
        let bound = try lab.bound()
        let cookies = try [bound.cookie(), #require(clients[1].socket).cookie()]
        bound.close()
        clients[1].close()
        let told = trace.told()
        #expect(told.map(\.event) == [.destroyed, .destroyed])
        #expect(told.map(\.identity.cookie) == cookies)
    }

    @Test func `The programs pass over what is not asked for`() throws {
        let lab = try lab()
        defer { lab.close() }
        let other = try Lab()
        defer { other.close() }
        let here = try KernelTrace(filter(lab))
        let both = try KernelTrace(filter(lab, other))
        var narrow = filter(lab, other)
        narrow.family = .ipv6
        let sixth = try KernelTrace(narrow)
        let first = try lab.loopbackPair()
        let second = try other.loopbackPair(over: .ipv6)
        narrow = filter(lab, other)
        narrow.localPorts = [first.listener.local.port]
        narrow.remotePorts = [first.listener.local.port]
        let ports = try KernelTrace(narrow)
        for pair in [first, second] {
            pair.client.close()
            pair.accepted.close()
        }
        #expect(here.told().allSatisfy { $0.namespace == UInt32(lab.namespace.inode) })
        #expect(Set(both.told().map(\.namespace)).count == 2)
        #expect(Set(sixth.told().map(\.identity.family)) == [.ipv6])
        let served = ports.told().filter { $0.event == .step }
        #expect(served.count == 6)
        #expect(served.allSatisfy { $0.namespace == UInt32(lab.namespace.inode) })
    }

    @Test func `What finds no room is counted to the unit`() throws {
        let lab = try lab()
        defer { lab.close() }
        let trace = try KernelTrace(filter(lab), ringSize: 4096)
        for _ in 0..<100 { try lab.listener().close() }
        let told = trace.told().count { $0.event == .step }
        #expect(told > 0)
        let lost = trace.lostCount(of: .step)
        #expect(told + Int(lost) == 200)
        // What comes later finds room again.
        try lab.listener().close()
        #expect(trace.told().map(\.path) == ["CLOSED>LISTEN", "LISTEN>CLOSED", "CLOSED>CLOSED"])
    }

    #if DEBUG
        @Test func `A program that is told to drop records drops some, and counts none`() throws {
            let lab = try lab()
            defer { lab.close() }
            var lossy = filter(lab)
            lossy.dropsOneOf = 2
            let trace = try KernelTrace(lossy)
            for _ in 0..<50 { try lab.listener().close() }
            let told = trace.told().count
            #expect(told > 0)
            #expect(told < 100)
            #expect(trace.lostCount == 0)
        }
    #endif
}

enum EventTime {
    static var monotonic: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
