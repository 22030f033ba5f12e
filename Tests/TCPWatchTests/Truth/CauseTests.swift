internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import TCPWatch
internal import Testing

@Suite("What ended a connection has a name of its own, and the program saw the same", .timeLimit(.minutes(30)))
struct CauseTests {
    private func watch(_ lab: Lab) async throws -> AwaitedWatch {
        let watch = try AwaitedWatch(lab, .trace)
        try await watch.begin()
        return watch
    }

    /// The last transition of a socket from a state.
    private func end(_ watch: AwaitedWatch, of cookie: SocketCookie, from state: TCPState) async throws -> Transition {
        try await watch.transition("the end of \(cookie)") {
            $0.identity.cookie == cookie && $0.from == state && $0.to == .closed
        }
    }

    @Test func `A connect that finds no port is told as that, and one that is given up as a close`() async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listener = try lab.loopbackListener()
        try lab.sysctl("net.ipv4.ip_local_port_range", "40000 40001")
        let watch = try await watch(lab)
        let others = try (0..<2).map { _ in
            let socket = try lab.unconnected()
            #expect(try socket.connect(to: listener.local) == 0)
            return socket
        }
        let failed = try lab.unconnected()
        let cookie = try failed.cookie()
        #expect(try failed.connect(to: listener.local) == EADDRNOTAVAIL)
        let refused = try await end(watch, of: cookie, from: .synSent)
        #expect(refused.cause == .noPort)
        #expect(refused.pid == getpid())
        #expect(refused.identity.local.port == 0)
        // The same socket again, when there is one: its port is no witness of the connect before.
        others[0].abort()
        #expect(try failed.connect(to: listener.local) == 0)
        failed.close()
        others[1].close()
        let unanswered = try lab.client(in: .synSent)
        let other = try #require(unanswered.socket).cookie()
        unanswered.close()
        let closed = try await end(watch, of: other, from: .synSent)
        #expect(closed.cause == .close)
        #expect(closed.pid == getpid())
    }

    @Test func `Clients that wait for a listener that closes are told as its doing, those it has accepted are not`()
        async throws
    {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try await watch(lab)
        let listener = try lab.loopbackListener()
        let accepting = try lab.unconnected()
        #expect(try accepting.connect(to: listener.local) == 0)
        let accepted = try lab.accepted(from: listener)
        let (served, client) = (try accepted.cookie(), try lab.unconnected())
        #expect(try client.connect(to: listener.local) == 0)
        let waiting = try await watch.transition("the client that waits") {
            $0.to == .established && $0.openedBy == .passive && $0.identity.cookie != served
        }
        listener.close()
        let end = try await end(watch, of: waiting.identity.cookie, from: .established)
        #expect(end.cause == .listenerClosed)
        #expect(end.resetReason == nil || end.resetReason == .state)
        #expect(try client.takeError() == ECONNRESET)
        accepted.abort()
        let aborted = try await self.end(watch, of: served, from: .established)
        #expect(aborted.cause == .abort)
        #expect(try accepting.takeError() == ECONNRESET)
    }

    @Test func `A client that closes first, and its listener then, is told as the listener's doing too`() async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try await watch(lab)
        let listener = try lab.loopbackListener()
        let client = try lab.unconnected()
        #expect(try client.connect(to: listener.local) == 0)
        client.close()
        let waiting = try await watch.transition("the client that has closed") { $0.to == .closeWait }
        listener.close()
        let end = try await end(watch, of: waiting.identity.cookie, from: .closeWait)
        #expect(end.cause == .listenerClosed)
    }

    @Test func `What a connect was refused by is what the program is told`() async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try await watch(lab)
        let (refused, rejected) = (try lab.client(in: .synSent), try lab.client(in: .synSent))
        try refused.peer.send(.rst)
        try rejected.peer.refuse(rejected.peer.receive(.syn))
        for (connection, cause) in [(refused, TCPStep.Trigger.receiveRST), (rejected, .unreachable)] {
            let socket = try #require(connection.socket)
            #expect(try await end(watch, of: socket.cookie(), from: .synSent).cause == cause)
            // ICMP says that the port cannot be reached.
            #expect(try socket.takeError() == ECONNREFUSED)
        }
    }

    @Test func `A firewall on this host that rejects a connect is told as that, also where the program closes`()
        async throws
    {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let rules = [
            "add table ip f", "add chain ip f o { type filter hook output priority 0; }",
            "add rule ip f o tcp dport 85 reject with icmp type admin-prohibited",
        ]
        let places: [String] = ["/usr/sbin/nft", "/sbin/nft"]
        guard let nft = places.first(where: { path in access(path, X_OK) == 0 }) else {
            try Test.cancel("there is no nft here, by which a firewall is set up")
        }
        for rule in rules { _ = try lab.run { try Program([nft, rule]).finish() } }
        let watch = try await watch(lab)
        let socket = try lab.unconnected()
        let cookie = try socket.cookie()
        #expect(fcntl(try #require(socket.descriptor), F_SETFL, O_NONBLOCK) == 0)
        #expect(try socket.connect(to: SocketEndpoint(.loopbackIPv4, port: 85)) == EINPROGRESS)
        socket.close()
        #expect(try await end(watch, of: cookie, from: .synSent).cause == .unreachable)
    }
}
