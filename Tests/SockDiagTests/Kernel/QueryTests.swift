import Glibc
import SockDiag
import Testing

@testable import TCPStateLab

/// What a query leaves out is not there, what it asks for is, and each once.
struct QueryTests {
    /// One socket of every kind, and the states that they are in.
    private func oneOfEach(_ lab: Lab) throws -> [TCPState] {
        try lab.bound()
        for state in StateTests.states { try lab.client(in: state) }
        try lab.server(in: .synReceived)
        let reset = try lab.socket(boundTo: SocketEndpoint(LabNetwork.kernelIPv4, port: 4711)) { _ in }
        let listener = try lab.listener(port: 4712)
        _ = try reset.call("connect") { descriptor in
            listener.local.withSocketAddress { connect(descriptor, $0, $1) < 0 && errno == EINPROGRESS ? 0 : -1 }
        }
        try lab.accept(from: listener, client: reset.local.port, as: listener.local).abort()
        listener.close()
        return StateTests.states + [.bound, .listen, .synReceived, .closed]
    }

    @Test func `Which ports are bound automatically, the namespace says, from wherever it is asked`() throws {
        try Lab.with { lab in
            try lab.sysctl("net.ipv4.ip_local_port_range", "1025 2000")
            for port in [1500, 40000] { try lab.listener(port: UInt16(port)) }
            let query = SocketQuery(filter: .autobound)
            let inside = try lab.dump(query).map(\.local.port)
            #expect(inside == [1500])
            // This thread's own has another range.
            let descriptor = lab.run { open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC) }
            defer { close(descriptor) }
            var client = try SockDiagClient(in: NetworkNamespace(descriptor: descriptor))
            let outside = try client.sockets(query).map(\.local.port)
            #expect(outside == [1500])
        }
    }

    @Test func `Every mask yields the sockets of its states and no other`() throws {
        try Lab.with { lab in
            let states = try oneOfEach(lab)
            func names(_ states: some Sequence<TCPState>) -> [String] { states.map(\.description).sorted() }
            #expect(try names(lab.dump().map(\.state)) == names(states))
            let pairs = TCPState.allCases.flatMap { one in TCPState.allCases.map { [one, $0] } }
            let masks = pairs.map { TCPStateSet($0[0]).union(TCPStateSet($0[1])) }
            let groups: [TCPStateSet] = [
                [], .all, .connected, .synchronized, .bucket, .finWait, .closingStates, .all.subtracting(.closed),
                .all.subtracting(.bound), .all.subtracting([.bound, .closed]), .all.subtracting(.listen),
            ]
            for mask in Set(masks + groups) {
                let expected = states.filter { mask.contains($0) }
                #expect(try names(lab.dump(SocketQuery(states: mask)).map(\.state)) == names(expected), "\(mask)")
                let ofFamily = SocketQuery(family: .ipv4, states: mask)
                #expect(try names(lab.dump(ofFamily).map(\.state)) == names(expected), "\(mask)")
            }
        }
    }

    @Test func `A half-open request is found under either of its numbers`() throws {
        try Lab.with { lab in
            try lab.server(in: .synReceived)
            for states in [TCPStateSet(.synReceived), TCPStateSet(.newSynReceived), .synReceived] {
                #expect(try lab.dump(SocketQuery(states: states)).map(\.state) == [.synReceived])
            }
        }
    }

    @Test func `The family of a query is the socket's, not the addresses'`() throws {
        try Lab.with { lab in
            for network in LabNetwork.allCases { try lab.client(over: network) }
            func dump(_ family: AddressFamily?) throws -> [IPAddress] {
                try lab.dump(SocketQuery(family: family, states: .established)).map(\.remote.address).sorted()
            }
            let addresses = LabNetwork.allCases.map { $0.peerEndpoint(port: 0).address }
            let ofIPv6 = addresses.filter { $0.family == .ipv6 }.sorted()
            #expect(try dump(.ipv4) == [LabNetwork.peerIPv4])
            #expect(try dump(.ipv6) == ofIPv6)
            #expect(try dump(nil) == addresses.sorted())
        }
    }

    @Test(arguments: [AddressFamily?.none, .ipv4]) func `A port leaves out every socket of another`(
        family: AddressFamily?
    )
        throws
    {
        try Lab.with { lab in
            let listener = try lab.listener(port: 80)
            let servers = try (0..<3).map { _ in try lab.server(on: listener) }
            try lab.server(in: .timeWait, on: listener)
            try lab.server(in: .synReceived, on: listener)
            try lab.client()
            try lab.bound(port: 81)
            func count(_ local: UInt16?, _ remote: UInt16?, _ states: TCPStateSet = .all) throws -> Int {
                let query = SocketQuery(family: family, states: states, localPort: local, remotePort: remote)
                let sockets = try lab.dump(query)
                for socket in sockets {
                    #expect(local == nil || socket.local.port == local)
                    #expect(remote == nil || socket.remote.port == remote)
                }
                return sockets.count
            }
            #expect(try count(80, nil) == 6)
            #expect(try count(80, nil, .listen) == 1)
            #expect(try count(80, nil, .connected) == 5)
            #expect(try count(81, nil) == 1)
            #expect(try count(81, nil, .bound) == 1)
            #expect(try count(82, nil) == 0)
            let remote = servers[1].remote.port
            #expect(try count(nil, remote) == 1)
            #expect(try count(80, remote) == 1)
            #expect(try count(81, remote) == 0)
            #expect(try count(nil, nil) == 8)
        }
    }

    @Test func `Nothing is reported that was not asked for but what the kernel always reports`() throws {
        try Lab.with { lab in
            let row = try lab.row(of: lab.client(over: .ipv6), extensions: [])
            #expect(row.tcpInfo == nil && row.memory == nil && row.queueMemory == nil)
            #expect(row.congestion == nil && row.congestionInfo == nil && row.tos == nil && row.trafficClass == nil)
            #expect(row.upperLayerProtocol == nil && row.md5Signatures.isEmpty)
            #expect(row.shutdown == [])
        }
    }

    @Test(arguments: [
        (SocketExtensions.queueMemory, AttributeType.memory), (.info, .info), (.congestionInfo, .bbr),
        (.congestion, .congestion), (.tos, .tos), (.trafficClass, .trafficClass), (.memory, .socketMemory),
        (.shutdown, .shutdown),
    ]) func `Each extension brings its own attribute`(extensions: SocketExtensions, type: AttributeType) throws {
        try Lab.with { lab in
            let client = try lab.client(over: .ipv6)
            let descriptor = try #require(client.descriptor)
            guard setsockopt(descriptor, SocketOption.tcp, TCP_CONGESTION, "bbr", 3) == 0 else {
                try Test.cancel("this kernel has no BBR (CONFIG_TCP_CONG_BBR)")
            }
            func types(_ extensions: SocketExtensions) throws -> Set<AttributeType> {
                var types: Set<AttributeType> = []
                try lab.row(of: client, extensions: extensions).forEachAttribute { type, _ in types.insert(type) }
                return types
            }
            let always = try types([])
            let brought = try types(extensions)
            #expect(brought.contains(type) && brought.isSuperset(of: always))
            let others = brought.subtracting(always).subtracting([type])
            #expect(others.isSubset(of: [.classID]), "the class comes along with the traffic class")
            #expect(try types(.all).isSuperset(of: brought))
        }
    }
}
