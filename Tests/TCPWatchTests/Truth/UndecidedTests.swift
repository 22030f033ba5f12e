internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import TCPWatch
internal import Testing

/// Of a connect that is refused at once a polling watcher has one message, which lacks ports and owner.
@Suite("What a filter cannot decide is delivered, with the terms", .timeLimit(.minutes(30)))
struct UndecidedTests {
    private static let nobody = SocketEndpoint(IPAddress("127.0.0.1") ?? .anyIPv4, port: 6379)

    /// What is delivered of a connect that nobody accepts: until its end is delivered, or until listeners have come and gone
    /// that the filter finds as well.
    private func ends(_ filter: String, isDelivered: Bool = true) async throws -> [Transition] {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let filter = try SocketFilter("(\(filter)) or sport = 7000")
        let watch = try AwaitedWatch(lab, .poll) { $0.filter = filter }
        try await watch.begin()
        let client = try lab.unconnected()
        #expect(try client.connect(to: Self.nobody) == ECONNREFUSED)
        client.close()
        if isDelivered { return [try await watch.transition("the end") { $0.to == .closed }] }
        for _ in 0..<3 {
            let listener = try lab.listener(port: 7000)
            let cookie = try listener.cookie()
            try await watch.transition(of: cookie, to: .listen)
            listener.close()
            try await watch.transition(of: cookie, to: .closed)
        }
        return watch.reported.filter { $0.identity.local.port != 7000 }
    }

    @Test(arguments: [
        ("dport = 6379", ["dport = 6379"]),
        ("dport = 6379 and dst 127.0.0.1", ["dport = 6379"]),
        ("dst 127.0.0.1:6379", ["dst 127.0.0.1:6379"]),
        ("not src 10.0.0.0/8", ["src 10.0.0.0/8"]),
        ("uid = \(getuid()) and dport = 6379", ["uid = \(getuid())", "dport = 6379"]),
        ("rtt > 1ms", ["rtt > 1ms"]),
        ("inode = 77", ["inode = 77"]),
        ("process = nginx", ["process = nginx"]),
    ])
    func `A term that reads what the message has lost is not answered`(filter: String, terms: [String]) async throws {
        let ends = try await ends(filter)
        #expect(ends.map(\.path) == ["?>CLOSED"])
        #expect(ends.first?.undecided == terms)
    }

    @Test(arguments: ["dst 127.0.0.1", "state closed", "dport = 1 or dst 127.0.0.0/8", "not dst 10.0.0.0/8"])
    func `What the rest of the message answers is found`(filter: String) async throws {
        let ends = try await ends(filter)
        #expect(ends.map(\.path) == ["?>CLOSED"])
        #expect(ends.allSatisfy { $0.undecided.isEmpty })
    }

    @Test(arguments: [
        "dst 127.0.0.2", "dst 127.0.0.2:6379", "dport = 6379 and state listen", "dport = 6379 and dst ::1",
    ])
    func `What the rest of the message rules out is not delivered`(filter: String) async throws {
        #expect(try await ends(filter, isDelivered: false).isEmpty)
    }
}
