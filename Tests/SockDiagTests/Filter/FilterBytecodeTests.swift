import SeededRandom
import Testing

@testable import SockDiag

@Suite("The kernel's part of a filter")
struct FilterBytecodeTests {
    static let names = FilterNames(netlinkSocket: -1, ephemeralPorts: 32768...60999)

    static func compile(_ filter: SocketFilter) throws -> [UInt8]? { try SocketMatcher(filter, names).operations }

    @Test(
        "Every operation has the bytes that the kernel's header gives it",
        arguments: [
            ("sport = 443", [7, 12, 16, 0, 0, 0, 0, 0, 0xbb, 1, 0, 0]),
            ("dport != 443", [8, 12, 16, 0, 0, 0, 0, 0, 0xbb, 1, 0, 0, 1, 4, 8, 0]),
            ("sport >= 1024", [2, 8, 12, 0, 0, 0, 0, 4]),
            ("sport < 1024", [3, 8, 12, 0, 0, 0, 0xff, 3]),
            ("dport > 1024", [4, 8, 12, 0, 0, 0, 1, 4]),
            ("dport <= 1024", [5, 8, 12, 0, 0, 0, 0, 4]),
            ("autobound", [2, 8, 20, 0, 0, 0, 0, 0x80, 3, 8, 12, 0, 0, 0, 0x47, 0xee]),
            ("src 192.0.2.0/24", [7, 16, 20, 0, 2, 24, 0, 0, 0xff, 0xff, 0xff, 0xff, 192, 0, 2, 0]),
            (
                "dst [2001:db8::]/32:80",
                [8, 28, 32, 0, 10, 32, 0, 0, 80, 0, 0, 0, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            ),
            ("dev = 7", [9, 8, 12, 0, 7, 0, 0, 0]),
            ("fwmark = 0x1/0xff", [10, 12, 16, 0, 1, 0, 0, 0, 0xff, 0, 0, 0]),
            (
                "sport = 1 and dport = 2",
                [7, 12, 28, 0, 0, 0, 0, 0, 1, 0, 0, 0] + [8, 12, 16, 0, 0, 0, 0, 0, 2, 0, 0, 0]
            ),
            (
                "sport = 1 or dport = 2",
                [7, 12, 16, 0, 0, 0, 0, 0, 1, 0, 0, 0] + [1, 4, 16, 0] + [8, 12, 16, 0, 0, 0, 0, 0, 2, 0, 0, 0]
            ),
        ] as [(String, [UInt8])]
    )
    func fixtures(text: String, expected: [UInt8]) throws {
        #expect(try Self.compile(SocketFilter(text)) == expected)
    }

    @Test(
        "A term that the kernel cannot test does not lose the others",
        arguments: [
            ("sport = 443 and pid = 1", "sport = 443"),
            ("pid = 1 and not ( sport = 443 or process = nginx )", "sport != 443"),
            ("not ( not sport = 443 or recvq > 0 )", "sport = 443"),
            ("( sport = 1 or dport = 2 ) and ( sport = 1 or rtt > 1s )", "sport = 1 or dport = 2"),
            ("state established sport = 443", "sport = 443"),
            ("not ( uid = 1 and sport = 443 )", "state all"),
            ("sport = 443 or inode = 1", "state all"),
            ("src *", "state all"),
            ("sport >= 0 and dport <= 65535", "state all"),
        ]
    )
    func remainder(text: String, kernel: String) throws {
        #expect(try Self.compile(SocketFilter(text)) == Self.compile(SocketFilter(kernel)))
    }

    @Test(
        "What no socket can satisfy is not asked of the kernel",
        arguments: ["sport > 65535", "dport < 0", "not src *"]
    )
    func nothing(text: String) throws {
        #expect(try Self.compile(SocketFilter(text)) == nil)
    }

    @Test("The kernel takes every program and hides no socket that the filter finds", arguments: 0..<40)
    func soundness(seed: UInt64) throws {
        var random = SplitMix64(seed)
        for _ in 0..<100 {
            let filter = SocketFilter.random(terms: .random(in: 1...12, using: &random), &random)
            let matcher = try SocketMatcher(filter, Self.names)
            let machine = matcher.operations.map(BytecodeMachine.init)
            if let machine, !machine.bytes.isEmpty {
                #expect(machine.objection == nil, "\(filter)")
            }
            for _ in 0..<20 {
                let made = FilterSocket.random(&random)
                guard try matcher.matches(made.socket, external: FilterTests.answer) else { continue }
                #expect(machine?.passes(made) == true, "\(filter) hides \(made)")
                #expect(TCPStateSet(rawValue: matcher.reach.states).contains(try made.socket.state), "\(filter)")
                #expect(
                    matcher.reach.families.contains(made.family == .ipv4 ? .ipv4 : .ipv6),
                    "\(filter) hides \(made)"
                )
            }
        }
    }

    @Test("Where the kernel has all terms, it lets nothing through that the filter does not find", arguments: 0..<40)
    func exactness(seed: UInt64) throws {
        var random = SplitMix64(seed)
        for _ in 0..<100 {
            let filter = SocketFilter.random(terms: .random(in: 1...12, using: &random), of: .kernel, &random)
            let matcher = try SocketMatcher(filter, Self.names)
            for _ in 0..<20 {
                let made = FilterSocket.random(&random)
                let passes = matcher.operations.map(BytecodeMachine.init)?.passes(made) ?? false
                #expect(try matcher.matches(made.socket) == passes, "\(filter) of \(made)")
            }
        }
    }

    @Test("Hundreds of terms keep their meaning", arguments: 0..<10)
    func longPrograms(seed: UInt64) throws {
        var random = SplitMix64(seed)
        let filter = SocketFilter.random(terms: 300 + Int(seed) * 40, of: .kernel, &random)
        let matcher = try SocketMatcher(filter, Self.names)
        let operations = try #require(matcher.operations)
        #expect(operations.count > 1000)
        let machine = BytecodeMachine(bytes: operations)
        #expect(machine.objection == nil)
        for _ in 0..<200 {
            let made = FilterSocket.random(&random)
            #expect(try matcher.matches(made.socket) == machine.passes(made), "\(made)")
        }
    }

    @Test("What does not fit into the kernel's limit is left to this side")
    func limit() throws {
        let ports = SocketFilter.any(of: (1...5000).map { .localPort == $0 })
        #expect(try Self.compile(ports) == [])
        #expect(try Self.compile(.remotePort == 443 && ports) == Self.compile(.remotePort == 443))
        let exclusions = SocketFilter.all(of: (1...5000).map { .localPort != $0 })
        let operations = try #require(try Self.compile(exclusions))
        #expect(operations.count <= FilterBytecode.limit)
        #expect(operations.count > FilterBytecode.limit / 2)
        #expect(BytecodeMachine(bytes: operations).objection == nil)
    }
}
