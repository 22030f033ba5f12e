internal import Glibc
internal import LinuxSystem
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import KernelTrace

/// A record, kept.
struct KeptRecord: Equatable {
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
    let isBelowTimeWaitLimit: Bool?

    init(_ record: borrowing TraceRecord) {
        (event, from, to) = (record.event, record.from, record.to)
        (identity, time, namespace, uid, pid) =
            (record.identity, record.time, record.namespace, record.uid, record.pid)
        (bytesSent, bytesReceived, error) = (record.bytesSent, record.bytesReceived, record.error)
        resetReason = record.resetReason
        (isPeerDone, isOrphan, isBelowTimeWaitLimit) =
            (record.isPeerDone, record.isOrphan, record.isBelowTimeWaitLimit)
    }

    var path: String { "\(from)>\(to)" }
}

extension KernelTrace {
    /// The records until now.
    borrowing func records() -> [KeptRecord] {
        var records: [KeptRecord] = []
        while !read({ records.append(KeptRecord($0)) }) { sched_yield() }
        return records
    }

    /// Waits for a record that fits; all until then.
    borrowing func records(until fits: (KeptRecord) -> Bool) throws -> [KeptRecord] {
        var records: [KeptRecord] = []
        let deadline = ContinuousClock.now + .seconds(10)
        while !records.contains(where: fits), .now < deadline {
            var waited = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            poll(&waited, 1, 1000)
            records += self.records()
        }
        return records
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
    func `Every transition of a connection is reported once, in order, under the cookie that a dump gives it`(
        network: LabNetwork
    ) throws {
        let lab = try lab()
        defer { lab.close() }
        let trace = try KernelTrace(filter(lab))
        let before = SystemClock.monotonic.nanoseconds
        let pair = try lab.loopbackPair(over: network)
        let (clientCookie, serverCookie) = (try pair.client.cookie(), try pair.accepted.cookie())
        let (clientEndpoint, serverEndpoint) = (pair.client.local, pair.accepted.local)
        try pair.send([1, 2, 3], from: .client)
        try pair.receive(3, at: .accepted)
        try pair.send([1, 2, 3, 4, 5], from: .accepted)
        try pair.client.shutDown()
        pair.accepted.close()
        let records = try trace.records { $0.to == .closed && $0.from == .lastAck }.filter { $0.event == .transition }
        let client = records.filter { $0.identity.cookie == clientCookie }
        let server = records.filter { $0.identity.cookie == serverCookie }
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
        #expect(
            client.dropFirst().allSatisfy {
                $0.identity.local == clientEndpoint && $0.identity.remote == serverEndpoint
            }
        )
        #expect(server.allSatisfy { $0.identity.local == serverEndpoint && $0.identity.remote == clientEndpoint })
        #expect(records.allSatisfy { $0.namespace == UInt32(lab.namespace.inode) && $0.uid == getuid() })
        // What a call did has its process: connect, shutdown, close.
        let called = records.filter { [.synSent, .listen, .finWait1, .lastAck].contains($0.to) }
        #expect(called.count == 4)
        #expect(called.allSatisfy { $0.pid == getpid() })
        // What a segment did has none, unless a call held the socket meanwhile; never another process.
        #expect(records.allSatisfy { $0.pid == nil || $0.pid == getpid() })
        // A child that is in nobody's hands yet, and one that waits in no call, are held by none.
        #expect(server.prefix(2).map(\.pid) == [nil, nil])
        #expect(client.last?.bytesSent == 3)
        #expect(client.last?.bytesReceived == 6)  // One is the peer's FIN.
        #expect(client.last?.isPeerDone == true)
        #expect(client.last?.isOrphan == false)
        #expect(client.last?.isBelowTimeWaitLimit == true)
        #expect(server.last?.bytesSent == 5)
        let times = [before] + client.map(\.time) + [SystemClock.monotonic.nanoseconds]
        #expect(times == times.sorted())
    }

    @Test func `Half-open requests and unanswered SYNs are reported when they are sent once more`() throws {
        let lab = try lab()
        defer { lab.close() }
        let trace = try KernelTrace(filter(lab))
        let request = try lab.server(in: .synReceived)
        let client = try lab.client(in: .synSent)
        let cookie = try #require(client.socket).cookie()
        var awaited: Set<TraceRecord.Event> = [.requestRetransmitted, .retransmitted]
        let records = try trace.records { record in
            awaited.remove(record.event)
            return awaited.isEmpty
        }
        let again = try #require(records.first { $0.event == .requestRetransmitted })
        #expect(again.identity.local == request.local)
        #expect(again.identity.remote == request.remote)
        let dumped = try lab.run {
            var client = try SockDiagClient()
            return try client.sockets(in: .synReceived).map(\.cookie)
        }
        #expect(dumped == [again.identity.cookie])
        let syn = try #require(records.first { $0.event == .retransmitted })
        #expect(syn.identity.cookie == cookie)
        #expect(syn.identity.local == client.local)
    }

    @Test func `A reset and a timeout leave their error`() throws {
        let lab = try lab()
        defer { lab.close() }
        let trace = try KernelTrace(filter(lab))
        let reset = try lab.client(in: .established)
        try reset.peer.send(.rst)
        #expect(trace.records().last?.error == ECONNRESET)
        try lab.sysctl("net.ipv4.tcp_syn_retries", 1)
        let refused = try lab.client(in: .synSent)
        try refused.peer.send(.rst)
        #expect(trace.records().last?.error == ECONNREFUSED)
    }

    @Test func `A RST that is sent has its reason, by the kernel's own name`() throws {
        let lab = try lab()
        defer { lab.close() }
        let trace = try KernelTrace(filter(lab))
        let missing = trace.missing[.resetSent]
        if let missing { try Test.cancel("this kernel gives no reason for a RST: \(missing)") }
        let connection = try lab.server(in: .established)
        let cookie = try #require(connection.socket).cookie()
        try connection.peer.send(.data([1]))
        connection.close()
        let records = trace.records().filter { $0.identity.cookie == cookie }
        #expect(records.map(\.event) == [.transition, .transition, .resetSent, .destroyed])
        // The transition comes before the RST, for which the socket is in CLOSED.
        #expect(records.prefix(3).map(\.path) == ["SYN_RCVD>ESTABLISHED", "ESTABLISHED>CLOSED", "CLOSED>CLOSED"])
        let reason = records.dropLast().last.flatMap { trace.resetReasons[$0.resetReason] }
        #expect(reason == "TCP_ABORT_ON_CLOSE")
    }

    @Test func `A RST that comes is reported for a SYN alone, and the end of a socket where its program closes it`()
        throws
    {
        let lab = try lab()
        defer { lab.close() }
        let trace = try KernelTrace(filter(lab))
        let clients = try [TCPState.synSent, .established].map { try lab.client(in: $0) }
        for client in clients { try client.peer.send(.rst) }
        #expect(trace.records().filter { $0.event != .transition }.map(\.event) == [.resetReceived])
        // One that was bound and no more; one whose connection has ended.
        let bound = try lab.bound()
        let cookies = try [bound.cookie(), #require(clients[1].socket).cookie()]
        bound.close()
        clients[1].close()
        let records = trace.records()
        #expect(records.map(\.event) == [.destroyed, .destroyed])
        #expect(records.map(\.identity.cookie) == cookies)
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
        #expect(here.records().allSatisfy { $0.namespace == UInt32(lab.namespace.inode) })
        #expect(Set(both.records().map(\.namespace)).count == 2)
        #expect(Set(sixth.records().map(\.identity.family)) == [.ipv6])
        let served = ports.records().filter { $0.event == .transition }
        #expect(served.count == 6)
        #expect(served.allSatisfy { $0.namespace == UInt32(lab.namespace.inode) })
    }

    @Test func `What does not fit into the ring is counted to the unit`() throws {
        let lab = try lab()
        defer { lab.close() }
        let trace = try KernelTrace(filter(lab), ringSize: 4096)
        for _ in 0..<100 { try lab.listener().close() }
        let count = trace.records().count { $0.event == .transition }
        #expect(count > 0)
        let lost = trace.lostCount(of: .transition)
        #expect(count + Int(lost) == 200)
        // What comes later fits again.
        try lab.listener().close()
        #expect(trace.records().map(\.path) == ["CLOSED>LISTEN", "LISTEN>CLOSED", "CLOSED>CLOSED"])
    }

    #if DEBUG
        @Test func `A program that shall drop records drops some, and counts none`() throws {
            let lab = try lab()
            defer { lab.close() }
            var lossy = filter(lab)
            lossy.dropsOneOf = 2
            let trace = try KernelTrace(lossy)
            for _ in 0..<50 { try lab.listener().close() }
            let count = trace.records().count
            #expect(count > 0)
            #expect(count < 100)
            #expect(trace.lostCount(of: .transition) == 0)
        }
    #endif
}
