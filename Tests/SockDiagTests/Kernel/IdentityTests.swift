import Glibc
import SockDiag
import Testing

@testable import TCPStateLab

/// One connection is one cookie from its first SYN to the end of its TIME_WAIT, and a lookup finds it or nothing.
struct IdentityTests {
    @Test(arguments: LabNetwork.allCases)
    func `A server's connection keeps its cookie from the request to the end of TIME_WAIT`(network: LabNetwork) throws {
        try Lab.with { lab in
            let request = try lab.server(in: .synReceived, over: network)
            let first = try lab.row(of: request)
            #expect(first.state == .synReceived)

            func expect(_ state: TCPState) throws {
                let row = try lab.row(of: request)
                #expect(row.state == state && row.cookie == first.cookie)
                #expect(row.local == first.local && row.remote == first.remote && row.family == first.family)
                #expect(try lab.lookUp(first.identity)?.state == state)
            }
            try expect(.synReceived)
            try request.peer.send(.ack)
            try expect(.established)
            let accepted = try #require(try request.listener?.call("accept") { accept($0, nil, nil) })
            let cookie = try SocketOption.bytes(accepted, SOL_SOCKET, SO_COOKIE)
            #expect(cookie == Datagram.bytes(first.cookie.rawValue))
            #expect(shutdown(accepted, Int32(SHUT_WR)) == 0)
            try expect(.finWait1)
            try request.peer.send(.ack)
            try expect(.finWait2)
            #expect(close(accepted) == 0)
            try expect(.finWait2)
            try request.peer.send(.fin)
            try expect(.timeWait)
        }
    }

    @Test(arguments: LabNetwork.allCases)
    func `A client's connection keeps its cookie to the end of TIME_WAIT`(network: LabNetwork) throws {
        try Lab.with { lab in
            let client = try lab.client(in: .synSent, over: network)
            let first = try lab.row(of: client)
            try client.peer.send(.synAck)
            #expect(try lab.lookUp(first.identity)?.state == .established)
            try client.shutDown()
            try client.peer.send(.fin.acknowledging(.nothingNew))
            #expect(try lab.lookUp(first.identity)?.state == .closing)
            try client.peer.send(.ack)
            let last = try #require(try lab.lookUp(first.identity))
            #expect(last.state == .timeWait && last.isMinisocket && last.cookie == first.cookie)
        }
    }

    @Test func `A closed socket with a descriptor and its minisocket are two rows of one cookie`() throws {
        try Lab.with { lab in
            let (client, server) = try lab.connectionFromABoundPort()
            let cookie = try client.cookie()
            try end(client, server)
            func rows() throws -> [InetSocket] { try lab.dump().filter { $0.local.port == client.local.port } }
            let both = try rows()
            #expect(both.map(\.state.description).sorted() == ["CLOSED", "TIME_WAIT"])
            #expect(Set(both.map(\.cookie)) == [cookie] && Set(both.map(\.remote)).count == 1)
            #expect(both.map(\.isMinisocket).contains(true) && both.map(\.isMinisocket).contains(false))
            let found = try lab.lookUp(both[0].identity)
            #expect(found?.state == .timeWait, "a lookup finds what still has a place in the table of connections")
            client.close()
            #expect(try rows().map(\.state) == [.timeWait])
        }
    }

    /// Ends a connection, the client first. Under load the kernel delivers a segment after the call that sent it.
    private func end(_ client: KernelSocket, _ server: KernelSocket) throws {
        func wait(for event: Int32, on socket: KernelSocket) throws {
            var entry = pollfd(fd: try #require(socket.descriptor), events: Int16(event), revents: 0)
            #expect(poll(&entry, 1, 10_000) == 1)
        }
        try client.shutDown()
        try wait(for: POLLIN, on: server)
        server.close()
        try wait(for: POLLHUP, on: client)
    }

    @Test func `A cookie that nobody asked for before is not passed on to the minisocket`() throws {
        try Lab.with { lab in
            let (client, server) = try lab.connectionFromABoundPort()
            try end(client, server)
            let rows = try lab.dump().filter { $0.local.port == client.local.port }
            #expect(rows.count == 2 && Set(rows.map(\.cookie)).count == 2)
        }
    }

    @Test func `A reset connection is closed and not bound while its descriptor is open`() throws {
        try Lab.with { lab in
            let (client, server) = try lab.connectionFromABoundPort()
            let before = try #require(try lab.dump().first { $0.local.port == client.local.port })
            server.abort()
            let after = try #require(try lab.dump().first { $0.local.port == client.local.port })
            #expect(before.state == .established && after.state == .closed)
            #expect(after.identity == before.identity)
            #expect(try lab.lookUp(after.identity) == nil)
            #expect(try lab.dump(SocketQuery(states: .bound)).isEmpty)
        }
    }

    @Test(arguments: LabNetwork.allCases)
    func `A connection that is gone is not found, and never is its listener`(network: LabNetwork) throws {
        try Lab.with { lab in
            let listener = try lab.listener(over: network)
            for state in [TCPState.synReceived, .established, .closeWait, .timeWait] {
                let server = try lab.server(in: state, over: network, on: listener)
                let identity = try lab.row(of: server).identity
                #expect(try lab.lookUp(identity)?.state == state)
                try server.peer.send(.rst)
                server.close()
                #expect(try lab.lookUp(identity) == nil, "\(state)")

                var withoutCookie = identity
                // INET_DIAG_NOCOOKIE: the kernel answers with the listener.
                withoutCookie.cookie = SocketCookie(rawValue: .max)
                #expect(try lab.lookUp(withoutCookie) == nil)
            }
            let row = try #require(try lab.dump(SocketQuery(states: .listen)).first)
            #expect(try lab.lookUp(row.identity)?.state == .listen)
            var wrong = row.identity
            wrong.cookie.rawValue &+= 1
            #expect(try lab.lookUp(wrong) == nil)
            // Not close() alone: whoever reads /proc/PID/fd at that moment keeps the socket for as long as that takes.
            try listener.call("shutdown") { shutdown($0, Int32(SHUT_RDWR)) }
            listener.close()
            #expect(try lab.lookUp(row.identity) == nil)
        }
    }

    @Test func `A new connection out of TIME_WAIT is another socket`() throws {
        try Lab.with { lab in
            let server = try lab.server(in: .timeWait)
            let old = try lab.row(of: server)
            try server.peer.send(.syn.shifted(by: 100_000))
            let new = try lab.row(of: server)
            #expect(new.state == .synReceived && new.cookie != old.cookie)
            #expect(new.local == old.local && new.remote == old.remote)
            #expect(try lab.lookUp(old.identity) == nil)
            #expect(try lab.lookUp(new.identity)?.cookie == new.cookie)
        }
    }

    @Test(arguments: [LabNetwork.ipv4, .ipv6])
    func `Every listener of a group on one port is found`(network: LabNetwork) throws {
        try Lab.with { lab in
            var endpoint = network.kernelEndpoint(port: 0)
            var listeners: [KernelSocket] = []
            for _ in 0..<8 {
                let listener = try lab.socket(boundTo: endpoint) {
                    try SocketOption.set($0, SOL_SOCKET, SO_REUSEPORT, 1)
                }
                try listener.call("listen") { listen($0, 1) }
                endpoint = listener.local
                listeners.append(listener)
            }
            let rows = try lab.dump(SocketQuery(states: .listen))
            #expect(rows.count == 8)
            for row in rows { #expect(try lab.lookUp(row.identity, extensions: .info)?.cookie == row.cookie) }
            let closed = listeners[3]
            let cookie = try closed.cookie()
            closed.close()
            for row in rows { #expect((try lab.lookUp(row.identity) == nil) == (row.cookie == cookie)) }
        }
    }

    @Test func `A bound and a reset socket are in dumps alone`() throws {
        try Lab.with { lab in
            try lab.bound()
            let bound = try #require(try lab.dump().first)
            #expect(bound.state == .bound)
            #expect(try lab.lookUp(bound.identity) == nil)
        }
    }
}

extension Lab {
    /// A connection over the loopback device whose client has chosen its port: such a port keeps a closed socket listed.
    fileprivate func connectionFromABoundPort() throws -> (client: KernelSocket, server: KernelSocket) {
        let server = SocketEndpoint(.loopbackIPv4, port: 0)
        let listener = try socket(boundTo: server) { _ in }
        try listener.call("listen") { listen($0, 1) }
        let client = try socket(boundTo: SocketEndpoint(.loopbackIPv4, port: 4711)) { _ in }
        try client.call("fcntl") { fcntl($0, F_SETFL, 0) }
        try client.call("connect") { descriptor in
            listener.local.withSocketAddress { connect(descriptor, $0, $1) }
        }
        let accepted = try accept(from: listener, client: client.local.port, as: listener.local)
        listener.close()
        return (client, accepted)
    }
}
