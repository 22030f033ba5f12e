internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import TCPWatch
internal import Testing

@Suite("Several namespaces are watched as what they are", .timeLimit(.minutes(30)))
struct NamespaceTruthTests {
    private static let sources: [SocketWatcher.Source] = [.poll, .trace]

    @Test(arguments: sources)
    func `A namespace that is named twice is watched once`(source: SocketWatcher.Source) async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let program = try lab.run { try Program(["/bin/cat"]) }
        try program.waitForEcho()
        // By its file and by a process in it.
        let named = try [NetworkNamespace(path: lab.namespace.path), NetworkNamespace(pid: program.pid)]
        try #require(named[0] == named[1])
        let existing = try lab.listener()
        let watch = try AwaitedWatch(lab, source) { $0.namespaces = named + named }
        try await watch.begin()
        #expect(watch.existing.map(\.cookie) == [try existing.cookie()])
        let connection = try lab.server(in: .established)
        let cookie = try lab.cookie(of: connection)
        try await watch.transition(of: cookie, to: .established)
        try connection.peer.send(.fin)
        try await watch.transition(of: cookie, to: .closeWait)
        connection.close()
        try await watch.transition(of: cookie, to: .lastAck)
        try connection.peer.receive(.fin)
        try connection.peer.send(.ack)
        try await watch.transition(of: cookie, to: .closed)
        try await watch.passDumps(5, in: lab)
        let life = try #require(watch.lives(of: cookie).first)
        let states: [TCPState] = [.synReceived, .established, .closeWait, .lastAck, .closed]
        #expect(life.path == states, "\(life)")
        let faults = watch.faults
        #expect(faults.isEmpty)
        #expect(watch.reported.allSatisfy { $0.namespace == named[0] })
        let transitions = watch.reported.map { "\($0.identity.cookie) \($0.path)" }
        #expect(Set(transitions).count == transitions.count)
        #expect(watch.losses.isEmpty)
    }

    @Test(arguments: sources)
    func `Connections with the same endpoints in two namespaces stay apart to the end of TIME_WAIT`(
        source: SocketWatcher.Source
    ) async throws {
        let labs = [try Lab.orCancel(), try Lab()]
        defer { labs.forEach { $0.close() } }
        let named = try labs.map { try NetworkNamespace(path: $0.namespace.path) }
        let watch = try AwaitedWatch(labs[0], source) { $0.namespaces = named }
        try await watch.begin()
        // Each lab's first peer has the same port, and each listener is made to have the same.
        let connections = try labs.map { try $0.server(in: .timeWait, on: $0.listener(port: 7000)) }
        try #require(connections[0].local == connections[1].local && connections[0].remote == connections[1].remote)
        var cookies: [SocketCookie] = []
        for (lab, connection) in zip(labs, connections) { cookies.append(try lab.cookie(of: connection)) }
        var awaited = Set(cookies)
        while !awaited.isEmpty {
            awaited.remove(try await watch.transition("both TIME_WAITs") { $0.to == .timeWait }.identity.cookie)
        }
        // One ends, by a RST, and the other does not.
        try connections[0].peer.send(.rst)
        try await watch.transition(of: cookies[0], to: .closed)
        for lab in labs { try await watch.passDumps(3, in: lab) }
        #expect(watch.lives(of: cookies[1]).first?.path.last == .timeWait)
        // A SYN takes the other's place: a new connection between the same endpoints, in the second namespace alone.
        try connections[1].peer.send(.syn.shifted(by: 100_000))
        try connections[1].peer.receive(.synAck)
        func isNew(_ transition: Transition) -> Bool {
            transition.to == .synReceived && transition.identity.remote == connections[1].remote
                && !cookies.contains(transition.identity.cookie)
        }
        try await watch.reported("the request in the other's place, and its end") { reported in
            reported.contains(where: isNew)
                && reported.contains { $0.identity.cookie == cookies[1] && $0.to == .closed }
        }
        let request = watch.reported.filter(isNew)
        #expect(request.map(\.namespace) == [named[1]])
        for lab in labs { try await watch.passDumps(3, in: lab) }
        let path: [TCPState] = [.synReceived, .established, .finWait1, .finWait2, .timeWait, .closed]
        for (index, cookie) in cookies.enumerated() {
            let lives = watch.lives(of: cookie)
            #expect(lives.map(\.path) == [path], "\(lives)")
            #expect(lives.flatMap(\.transitions).allSatisfy { $0.namespace == named[index] })
            #expect(lives.flatMap(\.endpoints) == [[connections[index].local, connections[index].remote]])
        }
        let faults = watch.faults
        #expect(faults.isEmpty)
        #expect(watch.losses.isEmpty)
    }

    @Test func `The namespaces are an array that a program may build as it likes`() {
        var configuration = SocketWatcher.Configuration()
        let none: [NetworkNamespace] = configuration.namespaces
        #expect(none.isEmpty)
        #expect(!configuration.followsAllNamespaces)
        configuration.followsAllNamespaces = true
        #expect(configuration.namespaces.isEmpty)
    }

    /// Of the listeners that are asked for.
    private static let port: UInt16 = 47_011

    /// How a namespace is held that comes while it is watched.
    enum Holder: Sendable, CaseIterable { case process, name }

    @Test(arguments: sources, Holder.allCases)
    func `A namespace that comes later is watched, its sockets first, until it goes`(
        source: SocketWatcher.Source,
        holder: Holder
    ) async throws {
        guard Program.isRoot else { try Test.cancel("to enter other namespaces takes root") }
        let lab = try Lab.orCancel()
        defer { lab.close() }
        // Other tests run in other namespaces: what they do is watched too, and not asked for.
        let filter = try SocketFilter("sport = \(Self.port)")
        let own = try NetworkNamespace(path: lab.namespace.path)
        let watch = try AwaitedWatch(lab, source) { configuration in
            // The lab's, which a thread alone is in, nobody finds to whom it is not named.
            configuration.namespaces = [own]
            configuration.followsAllNamespaces = true
            configuration.filter = filter
        }
        try await watch.begin()
        let (namespace, release) = try come(holder)
        let listener = try namespace.run { () throws(KernelError) in OpenListener(Self.port) }
        let begin = ContinuousClock.now
        // It is reported as one that existed, or by its transition where that was reported.
        var isReported = false
        while !isReported {
            switch try await watch.next("the listener in \(namespace)") {
            case .socket(let socket): isReported = socket.namespace == namespace && socket.cookie == listener.cookie
            case .transition(let transition):
                isReported = transition.namespace == namespace && transition.identity.cookie == listener.cookie
            default: break
            }
        }
        let delay = ContinuousClock.now - begin
        // About two seconds, but where other tests keep the machine busy.
        #expect(delay < .seconds(8))
        listener.close()
        let end = try await watch.transition("the listener's end in \(namespace)") {
            $0.identity.cookie == listener.cookie
        }
        #expect(end.path == "LISTEN>CLOSED")
        #expect(end.namespace == namespace)
        try release()
        var gap: Gap?
        while gap?.namespace != namespace {
            if case .gap(let found) = try await watch.next("the gap of \(namespace)") { gap = found }
        }
        #expect(gap?.source == .namespace)
        // The others are watched on.
        let other = try lab.listener(port: Self.port)
        let transition = try await watch.transition(of: other.cookie(), to: .listen)
        #expect(transition.namespace == own)
        #expect(watch.gaps.count { $0.namespace == namespace } == 1)
    }

    /// A new namespace, and what lets go of it.
    private func come(_ holder: Holder) throws -> (NetworkNamespace, () throws -> Void) {
        switch holder {
        case .process:
            let program = try Program(["/usr/bin/unshare", "-n", "cat"])
            try program.waitForEcho()
            return (try NetworkNamespace(pid: program.pid), { _ = program.finish() })
        case .name:
            let name = "tcpstates-\(getpid())-\(UInt32.random(in: 0 ... .max))"
            let said = try Program.shell("exec ip netns add \(name)")
            if !said.isEmpty { try Test.cancel("`ip netns add` says: \(said.joined(separator: "; "))") }
            return (try NetworkNamespace(named: name), { _ = try Program.shell("exec ip netns delete \(name)") })
        }
    }
}

/// A listening socket of the namespace that it was made in.
private final class OpenListener: Sendable {
    private let descriptor: Int32
    let cookie: SocketCookie

    init(_ port: UInt16) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let end = SocketEndpoint(.anyIPv4, port: port)
        end.withSocketAddress { [descriptor] in _ = bind(descriptor, $0, $1) }
        listen(descriptor, 1)
        var number: UInt64 = 0
        var size = socklen_t(8)
        getsockopt(descriptor, SOL_SOCKET, SO_COOKIE, &number, &size)
        cookie = SocketCookie(rawValue: number)
    }

    func close() { Glibc.close(descriptor) }
}
