internal import Glibc
internal import SockDiag
internal import SocketValues
internal import TCPStateLab
internal import TableWalk
internal import Testing

/// A walk shows what the kernel's dump shows.
@Suite struct AgreementTests {
    /// A socket in every state that the table holds, with each timer, and bytes in the queues.
    private func populate(_ lab: Lab, over network: LabNetwork) throws {
        let states: [TCPState] = [
            .synSent, .synReceived, .established, .finWait1, .finWait2, .timeWait, .closeWait, .lastAck, .closing,
        ]
        for state in states { try lab.client(in: state, over: network) }
        for state in states where state != .synSent { try lab.server(in: state, over: network) }
        try lab.server(in: .established, over: network, accepted: false)
        try lab.bound(over: network)
        let orphan = try lab.client(in: .finWait2, over: network)
        orphan.close()
        let probing = try lab.client(over: network)
        try probing.peer.send(.ack.window(0))
        #expect(send(try #require(probing.descriptor), "held", 4, 0) == 4)
        let kept = try lab.client(over: network)
        var on: Int32 = 1
        #expect(setsockopt(try #require(kept.descriptor), SOL_SOCKET, SO_KEEPALIVE, &on, 4) == 0)
        let unread = try lab.server(over: network)
        try unread.peer.send(.data([1, 2, 3]))
        let sending = try lab.client(over: network)
        #expect(send(try #require(sending.descriptor), "unacknowledged", 14, 0) == 14)
        if network != .linkLocal { try lab.loopbackPair(over: network).send([1, 2, 3, 4], from: .client) }
    }

    @Test(.timeLimit(.minutes(30)), arguments: LabNetwork.allCases)
    func `Each socket is shown as the dump shows it, field by field and in the same order`(network: LabNetwork) throws {
        try Lab.walking { lab in
            try populate(lab, over: network)
            let before = try lab.dump()
            let walked = try lab.walk()
            let after = try lab.dump()
            #expect(before == after)
            #expect(walked == before)
            #expect(walked.count >= 20)
            for (row, (first, last)) in zip(walked, zip(before, after)) where first.retransmits == last.retransmits {
                #expect(row.retransmits == first.retransmits)
                // A timer that was not set anew meanwhile has less and less time.
                if first.expires >= last.expires { #expect((last.expires...first.expires).contains(row.expires)) }
            }
        }
    }

    @Test(.timeLimit(.minutes(30)))
    func `What nobody has asked about before differs by its name alone, which is not given by looking`()
        throws
    {
        try Lab.walking { lab in
            try populate(lab, over: .ipv4)
            try populate(lab, over: .ipv6)
            let walked = try lab.walk()
            let dumped = try lab.dump()
            #expect(walked.map(\.withoutCookie) == dumped.map(\.withoutCookie))
            #expect(!dumped.contains { $0.cookie.rawValue == 0 })
            // Whoever traces this machine asks about each.
            for (row, named) in zip(walked, dumped) { #expect(row.cookie.rawValue == 0 || row.cookie == named.cookie) }
            #expect(try lab.walk() == dumped)
        }
    }

    @Test(.timeLimit(.minutes(30))) func `States, families and ports are tested in the kernel, as the dump does`()
        throws
    {
        try Lab.walking { lab in
            for network in LabNetwork.allCases { try populate(lab, over: network) }
            let all = try lab.dump()
            var queries: [SocketQuery] = TCPState.allCases.map { SocketQuery(states: TCPStateSet($0)) }
            queries += [.ipv4, .ipv6].map { SocketQuery(family: $0) }
            queries.append(SocketQuery(family: .ipv6, states: [.timeWait, .finWait2, .synReceived]))
            let rows = try lab.run {
                var client = try SockDiagClient()
                return try client.sockets(SocketQuery(states: .connected))
            }
            for row in rows {
                queries.append(SocketQuery(localPort: row.local.port))
                queries.append(SocketQuery(remotePort: row.remote.port))
                queries.append(SocketQuery(localPort: row.local.port, remotePort: row.remote.port))
            }
            for query in queries {
                let dumped = try lab.dump(query)
                #expect(try lab.walk(query) == dumped, "\(query)")
                #expect(try lab.count(query).reduce(0, +) == dumped.count, "\(query)")
            }
            #expect(all.count > 60)
        }
    }

    @Test(.timeLimit(.minutes(30)))
    func `The counts of the kernel's are those of the rows, and parts come to the whole`() throws {
        try Lab.walking { lab in
            for network in [LabNetwork.ipv4, .ipv6] { try populate(lab, over: network) }
            let sockets = try lab.run {
                var client = try SockDiagClient()
                return try client.sockets(SocketQuery(states: .connected))
            }
            var expected = [Int](repeating: 0, count: 16)
            for socket in sockets { expected[Int(socket.state.rawValue)] += 1 }
            #expect(try lab.count() == expected)
            let whole = try lab.walk()
            for parts in [2, 3, 7, 1000] as [UInt64] { #expect(try lab.walk(parts: parts) == whole) }
        }
    }

    @Test(.timeLimit(.minutes(30)))
    func `A walk shows one namespace, though all share a table, from wherever it is made`() throws {
        try Lab.walking { lab in
            let other = try Lab.orCancel()
            defer { other.close() }
            try populate(lab, over: .ipv4)
            let pair = try other.loopbackPair()
            let (mine, foreign) = (try lab.dump(), try other.dump())
            #expect(try lab.walk() == mine)
            #expect(try other.walk() == foreign)
            #expect(foreign.count == 2)
            // The table is found by a thread of the namespace, and walked by any.
            var walker = try TableWalker(Lab.programs.get(), for: .rows)
            let table = try NetworkNamespace(path: other.namespace.path).run { () throws(KernelError) in
                var finder = try TableWalker(Lab.programs.get(), for: .counts)
                return try finder.table()
            }
            var walk = TableWalk(table, SocketQuery())
            var rows: [Row] = []
            while try walker.advance(&walk, { rows.append(Row($0)) }) {}
            #expect(rows == foreign)
            withExtendedLifetime(pair) {}
        }
    }
}
