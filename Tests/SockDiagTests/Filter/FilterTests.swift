import SeededRandom
import Testing

@testable import SockDiag

@Suite("A filter in this process")
struct FilterTests {
    /// The answer to random filters about conditions that no message answers.
    static func answer(_ external: SocketFilter.External) -> Bool { external == .pid(7) }

    static func matches(_ filter: SocketFilter, _ socket: FilterSocket) throws -> Bool {
        try SocketMatcher(filter, FilterBytecodeTests.names).matches(socket.socket, external: answer)
    }

    @Test("and, or and not mean what they say, however deep they are", arguments: 0..<40)
    func structure(seed: UInt64) throws {
        var random = SplitMix64(seed)
        for _ in 0..<100 {
            let filter = SocketFilter.random(terms: .random(in: 1...12, using: &random), &random)
            let made = FilterSocket.random(&random)
            var stack: [Bool] = []
            for node in filter.nodes {
                switch node {
                case .term(let term): stack.append(try Self.matches(SocketFilter(term), made))
                case .not: stack.append(!stack.removeLast())
                case .and, .or:
                    let (right, left) = (stack.removeLast(), stack.removeLast())
                    stack.append(node == .and ? left && right : left || right)
                }
            }
            #expect(try [Self.matches(filter, made)] == stack, "\(filter) of \(made)")
        }
    }

    @Test("Operators and text build the same filter")
    func swiftForm() throws {
        let filters: [(SocketFilter, String)] = [
            (.localPort == 443 && .state(.closeWait), "sport = 443 and state close-wait"),
            (.localPort == 443 || .remotePort > 1024 && .uid != 0, "sport = 443 or dport > 1024 and uid != 0"),
            (!(.receiveQueue >= 4096 || .sendQueue < 1), "not ( recvq >= 4k or sendq < 1 )"),
            (.rtt > .milliseconds(10) && .retransmits > 0, "rtt > 10ms retrans > 0"),
            (!.state(.listen), "exclude listening"),
            (.remote(.loopbackIPv4), "dst 127.0.0.1"),
            (.local(in: try #require(IPNetwork("192.0.2.0/24"))), "src 192.0.2.0/24"),
            (.interface("lo") && .interface(NetworkInterface(rawValue: 2)), "dev lo and dev 2"),
            (.interface("2"), "dev 2"),
            (.mark(1, mask: 3) && .mark(7), "fwmark 1/3 fwmark 7"),
            (.cgroup("/a b") && .process("nginx") && .pid(7), "cgroup '/a b' process nginx pid 7"),
            (.inode(5) && .cookie(SocketCookie(rawValue: 0x1a)) && .autobound, "inode 5 cookie 1a autobound"),
            (.networkNamespace("blue"), "netns = blue"),
            (.all(of: [.uid == 1, .uid == 2, .uid == 3]), "uid 1 uid 2 uid 3"),
            (.any(of: [.uid == 1, .uid == 2, .uid == 3]), "uid 1 or uid 2 or uid 3"),
            (.all(of: []), ""),
            (.any(of: []), "exclude all"),
        ]
        for (filter, text) in filters { #expect(try SocketFilter(text) == filter, "\(text)") }
    }

    @Test("A condition on what a socket does not have is false, and its negation true")
    func absence() throws {
        let timeWait = FilterSocket(state: .timeWait)
        let listener = FilterSocket(state: .listen, info: (rtt: 0, retransmits: 0))
        for filter: SocketFilter in [.uid == 0, .uid <= 1000, .rtt < .seconds(1), .retransmits == 0] {
            #expect(try !Self.matches(filter, timeWait), "\(filter)")
            #expect(try Self.matches(!filter, timeWait), "\(filter)")
        }
        #expect(try Self.matches(.uid != 0, timeWait))
        #expect(try Self.matches(.inode(0), timeWait))
        #expect(try !Self.matches(.rtt < .seconds(1), listener))
        #expect(try !Self.matches(.rtt >= .zero, listener))
    }

    @Test("Bounds are met exactly")
    func bounds() throws {
        let socket = FilterSocket(queues: (receive: 10, send: .max), info: (rtt: 1500, retransmits: 2))
        let found: [SocketFilter] = [
            .localPort >= 40000, .localPort <= 40000, .localPort > 39999, .localPort < 40001, .receiveQueue == 10,
            .sendQueue == .max, .rtt == .microseconds(1500), .rtt > .nanoseconds(1_499_999), .retransmits >= 2,
            .rtt > .seconds(-1), .rtt < .seconds(Int64.max),
        ]
        for filter in found {
            #expect(try Self.matches(filter, socket), "\(filter)")
            #expect(try !Self.matches(!filter, socket), "\(filter)")
        }
        let missed: [SocketFilter] = [
            .localPort > 40000, .localPort < 40000, .receiveQueue > 10, .sendQueue < .max, .rtt > .microseconds(1500),
            .rtt < .nanoseconds(1_500_000), .retransmits < 2, .rtt < .seconds(-1), .localPort < 0,
        ]
        for filter in missed { #expect(try !Self.matches(filter, socket), "\(filter)") }
    }

    @Test("What only the caller knows is asked for no more often than it matters")
    func externals() throws {
        let filter: SocketFilter = .localPort == 1 && .pid(1) || .process("a")
        #expect(filter.externals == [.pid(1), .process("a")])
        var asked: [SocketFilter.External] = []
        let matcher = try SocketMatcher(filter, FilterBytecodeTests.names)
        let found = try matcher.matches(FilterSocket().socket) {
            asked.append($0)
            return $0 == .process("a")
        }
        #expect(found)
        #expect(asked == [.process("a")])
    }

    @Test("A chain of twenty thousand terms needs no deep stack")
    func depth() throws {
        var nodes: [SocketFilter.Node] = []
        let count = 20_000
        for port in 0..<count { nodes.append(.term(.number(.localPort, .equal, UInt64(port % 100)))) }
        for index in 1..<count { nodes += index % 3 == 0 ? [.or, .not] : [.or] }
        let filter = SocketFilter(nodes: nodes)
        _ = try Self.matches(filter, FilterSocket())
        #expect(try SocketFilter(filter.description) == filter)
    }
}
