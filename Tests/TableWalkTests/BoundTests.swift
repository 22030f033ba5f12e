internal import Glibc
internal import LinuxSystem
internal import SockDiag
internal import SocketValues
internal import TCPStateLab
internal import TableWalk
internal import Testing

/// Whether there is a socket without a connection that a dump would show.
@Suite struct BoundTests {
    /// What the search says, and whether a dump shows one.
    private func look(_ lab: Lab) throws -> (found: Bool, dumped: Bool) {
        try lab.run {
            var walker = try TableWalker(Lab.programs.get(), for: .bound)
            var counter = try TableWalker(Lab.programs.get(), for: .counts)
            var client = try SockDiagClient()
            let table = try counter.table()
            let halves = try (0..<2).map { try walker.mayFindBound(table, part: $0, of: 2) }
            let whole = try walker.mayFindBound(table)
            #expect(halves.contains(true) == whole)
            return (
                whole,
                try !client.sockets(SocketQuery(states: [.bound, .closed])).isEmpty
            )
        }
    }

    @Test(.timeLimit(.minutes(30)), arguments: LabNetwork.allCases)
    func `A socket that is bound and no more is found, and connections and listeners are none`(network: LabNetwork)
        throws
    {
        try Lab.walking { lab in
            #expect(try look(lab) == (false, false))
            for state in [TCPState.synSent, .established, .closeWait, .finWait2, .timeWait] {
                try lab.client(in: state, over: network)
            }
            for state in [TCPState.synReceived, .established, .closeWait] { try lab.server(in: state, over: network) }
            #expect(try look(lab) == (false, false))
            let bound = try lab.bound(over: network)
            #expect(try look(lab) == (true, true))
            bound.close()
            #expect(try look(lab) == (false, false))
        }
    }

    @Test(.timeLimit(.minutes(30))) func `One whose connection was reset, and that is still held, is found`() throws {
        try Lab.walking { lab in
            let server = try lab.server(in: .established)
            // An accepted socket holds the port of its listener until it is closed.
            try server.peer.send(.rst)
            try #require(server.socket).wait(until: .closed)
            let (found, dumped) = try look(lab)
            #expect(found == dumped)
        }
    }

    @Test(.timeLimit(.minutes(30)))
    func `One is found behind thousands that hold the same port, and none where there is none`()
        throws
    {
        allowDescriptors()
        try Lab.walking { lab in
            let listener = try lab.loopbackListener(backlog: 64)
            // More than the steps of a call: the accepted all hold the listener's port.
            var held: [KernelSocket] = []
            for _ in 0..<13_000 {
                let client = try lab.run { try lab.unconnected() }
                #expect(try client.connect(to: listener.local) == 0)
                held.append(try lab.accepted(from: listener))
                client.close()
            }
            #expect(try lab.count(SocketQuery(localPort: listener.local.port)).reduce(0, +) == held.count)
            #expect(try look(lab) == (false, false))
            let bound = try lab.bound()
            #expect(try look(lab) == (true, true))
            bound.close()
            #expect(try look(lab) == (false, false))
            withExtendedLifetime(held) {}
        }
    }

    @Test(.timeLimit(.minutes(30))) func `Those of another namespace are none of this one`() throws {
        try Lab.walking { lab in
            let other = try Lab.orCancel()
            defer { other.close() }
            try other.bound()
            #expect(try look(lab) == (false, false))
            #expect(try look(other) == (true, true))
        }
    }
}
