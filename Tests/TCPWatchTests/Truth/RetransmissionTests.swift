internal import SockDiag
internal import TCPStateLab
internal import TCPWatch
internal import Testing

@Suite("What is sent again is reported, each with its kind", .timeLimit(.minutes(30)))
struct RetransmissionTests {
    private func watch(
        _ lab: Lab,
        _ configure: (inout SocketWatcher.Configuration) -> Void = { _ in }
    ) async throws -> AwaitedWatch {
        let watch = try AwaitedWatch(lab, .trace) {
            $0.reportsRetransmissions = true
            $0.resolvesOwners = true
            configure(&$0)
        }
        try await watch.begin()
        return watch
    }

    private func next(_ watch: AwaitedWatch, of cookie: SocketCookie? = nil) async throws -> Retransmission {
        while true {
            guard case .retransmission(let again) = try await watch.next("a retransmission") else { continue }
            if cookie == nil || again.identity.cookie == cookie { return again }
        }
    }

    @Test func `A SYN without an answer, a SYN+ACK without one`() async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try await watch(lab)
        let client = try lab.client(in: .synSent)
        let syn = try await next(watch)
        #expect(syn.kind == .syn)
        #expect(syn.state == .synSent)
        #expect(syn.identity.local == client.local && syn.identity.remote == client.remote)
        #expect(syn.identity.cookie == (try #require(client.socket).cookie()))
        #expect(syn.owners.first?.name != nil)
        client.close()
        let server = try lab.server(in: .synReceived)
        let synAck = try await next(watch)
        #expect(synAck.kind == .synAck)
        #expect(synAck.state == .synReceived)
        #expect(synAck.identity.local == server.local && synAck.identity.remote == server.remote)
        #expect(synAck.uid == nil)
        // Its transition was reported before.
        #expect(watch.reported.contains { $0.identity.cookie == synAck.identity.cookie && $0.to == .synReceived })
    }

    @Test func `Data without an ACK: with SACK first as a probe, without by the timer alone`() async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let watch = try await watch(lab)
        for (options, kinds) in [
            ([.sackPermitted], [.tailLossProbe, .data, .data]), ([], [.data, .data]),
        ] as [([SegmentOption], [Retransmission.Kind])] {
            let connection = try lab.client(in: .established, offering: options)
            let socket = try #require(connection.socket)
            let cookie = try socket.cookie()
            try socket.send(10)
            var found: [Retransmission] = []
            for _ in kinds { found.append(try await next(watch, of: cookie)) }
            #expect(found.map(\.kind) == kinds)
            #expect(found.allSatisfy { $0.state == .established && $0.uid != nil })
            #expect(found.map(\.time.monotonicNanoseconds) == found.map(\.time.monotonicNanoseconds).sorted())
            socket.abort()
        }
    }

    @Test func `A filter, and whoever does not ask, get no other's`() async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let asked = try await watch(lab) { $0.filter = .localPort == 9 }
        let silent = try AwaitedWatch(lab, .trace)
        let witness = try await watch(lab)
        try await silent.begin()
        let connection = try lab.client(in: .established)
        let socket = try #require(connection.socket)
        try socket.send(10)
        for _ in 0..<2 { #expect(try await next(witness, of: socket.cookie()).kind == .data) }
        // What comes later is reported: all that was before it has been.
        let listener = try lab.listener(port: 9)
        for watch in [silent, asked] {
            while true {
                let event = try await watch.next("the listener")
                if case .retransmission(let again) = event { Issue.record("\(again)") }
                if case .transition(let transition) = event, transition.to == .listen { break }
            }
        }
        listener.close()
    }

    @Test func `Dumps do not show what is sent again, and say so`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        var configuration = SocketWatcher.Configuration()
        configuration.reportsRetransmissions = true
        let asked = configuration
        let error = #expect(throws: KernelError.self) { try lab.run { _ = try SocketWatcher(asked) } }
        #expect(error?.code == .invalidRequest)
    }
}
