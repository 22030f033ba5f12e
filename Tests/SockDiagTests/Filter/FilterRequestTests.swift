import Glibc
import Testing

@testable import SockDiag

/// What a filter asks of the kernel, and what becomes of it where the kernel is older or says no.
@Suite(.timeLimit(.minutes(30))) struct FilterRequestTests {
    /// A kernel that has these sockets, and answers otherwise as `refusal` says.
    private func kernel(
        _ sockets: [[UInt8]] = [],
        refusal: @escaping @Sendable (FakeKernel.Request) -> Int32? = { _ in nil }
    ) throws -> FakeKernel {
        try FakeKernel { request in
            if let errno = refusal(request) { return [request.failure(-errno)] }
            return [sockets.flatMap { request.socket($0) } + request.end()]
        }
    }

    @Test func aKernelThatLacksAnOperationIsAskedWithoutAny() throws {
        let kernel = try kernel([Message.establishedIPv4, Message.closeWaitMapped]) {
            $0.operations.isEmpty ? nil : EINVAL
        }
        var client = try kernel.makeClient()
        let found = try client.sockets(SocketQuery(filter: .localPort == 8080))
        #expect(found.map(\.state) == [.closeWait])
        #expect(kernel.requests.last?.operations == [])
        #expect(kernel.requests.contains { !$0.operations.isEmpty })
    }

    @Test func aRefusalOfAnotherKindIsAnError() throws {
        let kernel = try kernel { _ in EPERM }
        var client = try kernel.makeClient()
        let error = #expect(throws: KernelError.self) { try client.sockets(SocketQuery(filter: .localPort == 8080)) }
        #expect(error?.code == .permissionDenied)
        #expect(kernel.requests.count == 1)
    }

    @Test func withoutThePrivilegeToReadMarksAFilterOnThemIsAnErrorAndNeverAnEmptyAnswer() throws {
        let kernel = try kernel { $0.operations.first == 10 ? EPERM : nil }
        var client = try kernel.makeClient()
        for text in ["fwmark = 1", "pid = 4 or not fwmark = 1", "sport = 443 and fwmark 1/3"] {
            let filter = try SocketFilter(text)
            let error = #expect(throws: KernelError.self) {
                try client.sockets(SocketQuery(filter: filter && .uid == 0))
            }
            #expect(error?.code == .missingCapability || text.contains("pid"))
            let other = #expect(throws: KernelError.self) { _ = try client.matcher(for: filter) }
            #expect(
                other?.description == "cannot filter by fwmark: Operation not permitted; it takes CAP_NET_ADMIN: "
                    + "run as root, or give the program this capability"
            )
        }
    }

    @Test func aKernelThatReportsNoMarksSaysSo() throws {
        let kernel = try kernel { $0.operations.isEmpty ? nil : EINVAL }
        var client = try kernel.makeClient()
        let error = #expect(throws: KernelError.self) { try client.sockets(SocketQuery(filter: .mark(1))) }
        #expect(error?.code == .kernelTooOld)
        #expect(error?.description == "cannot filter by fwmark: Invalid argument (it takes Linux 4.9)")
    }

    @Test(arguments: [
        "sport < 0", "state listen and state established", "state listen and retrans > 0 and exclude listen",
        "dst [::1] and not src *", "exclude all", "rtt > 1s and state time-wait",
    ])
    func whatNoSocketCanBeIsNotAskedFor(text: String) throws {
        let kernel = try kernel([Message.establishedIPv4])
        var client = try kernel.makeClient()
        #expect(try client.sockets(SocketQuery(filter: SocketFilter(text))) == [])
        #expect(kernel.requests.isEmpty)
    }

    @Test(
        arguments: [
            ("state established and uid = 0", TCPStateSet.established),
            ("not ( uid = 0 or exclude established )", .established),
            ("state listen or state established sport 22", [.established, .listen]),
            ("state syn-recv", .synReceived),
            ("exclude established or uid = 0", .all),
        ] as [(String, TCPStateSet)]
    )
    func statesAreLeftOutOfTheRequest(text: String, states: TCPStateSet) throws {
        let kernel = try kernel()
        var client = try kernel.makeClient()
        _ = try client.sockets(SocketQuery(family: .ipv4, filter: SocketFilter(text)))
        #expect(kernel.requests.map { TCPStateSet(rawValue: $0.states) } == [states])
    }

    @Test func iPv4IsNotAskedForWhereOnlyIPv6IsMeant() throws {
        let kernel = try kernel()
        var client = try kernel.makeClient()
        _ = try client.sockets(SocketQuery(filter: SocketFilter("dst [2001:db8::]/32 and uid 0")))
        #expect(kernel.requests.map(\.family) == [AddressFamily.ipv6.rawValue])
        #expect(try client.sockets(SocketQuery(family: .ipv4, filter: SocketFilter("dst [::1]"))) == [])
        #expect(kernel.requests.count == 1)
    }

    @Test func whatAFilterReadsIsAskedForByItself() throws {
        let kernel = try kernel([Message.establishedIPv4 + Attribute.info])
        var client = try kernel.makeClient()
        let found = try client.sockets(SocketQuery(family: .ipv4, extensions: .memory, filter: .retransmits > 5))
        #expect(found.count == 1)
        #expect(kernel.requests.map { SocketExtensions(rawValue: $0.bytes[18]) } == [[.memory, .info]])
    }

    @Test func whatOnlyTCPHasIsNotReadFromAnotherProtocol() throws {
        let kernel = try kernel([Message.establishedIPv4 + Attribute.info])
        var client = try kernel.makeClient()
        let query = SocketQuery(protocol: .mptcp, filter: .rtt > .zero)
        let error = #expect(throws: KernelError.self) { try client.sockets(query) }
        #expect(error?.description == "cannot filter MPTCP sockets by 'rtt > 0s': they have no such thing")
    }

    @Test func withoutSomebodyToAskAFilterOnOwnersIsAnError() throws {
        let kernel = try kernel([Message.establishedIPv4, Message.bound])
        var client = try kernel.makeClient()
        let query = SocketQuery(filter: .process("nginx") && .localPort > 0)
        let error = #expect(throws: KernelError.self) { try client.sockets(query) }
        #expect(error?.description.hasPrefix("cannot filter by process: ") == true)
        var found: [TCPState] = []
        try client.forEach(query, external: { $0 == .process("nginx") && $1.inode == 5 }) { found.append($0.state) }
        #expect(found == [.bound])
    }

    @Test func aNameThatIsNotThereIsAnErrorThatNamesIt() throws {
        var client = try SockDiagClient()
        let device = #expect(throws: KernelError.self) {
            try client.sockets(SocketQuery(filter: .interface("no such")))
        }
        #expect(device?.code == .notFound)
        #expect(device?.description == "cannot filter by dev: there is no interface \"no such\"")
        // As an interface is printed whose name is gone.
        #expect(try client.sockets(SocketQuery(filter: SocketFilter("src [::%if4294967295]:22"))).isEmpty)
        #expect(throws: KernelError.self) { try client.sockets(SocketQuery(filter: .interface("if0"))) }
        let group = #expect(throws: KernelError.self) {
            try client.sockets(SocketQuery(filter: .cgroup("/no\nsuch")))
        }
        #expect(group?.description == "cannot filter by cgroup: there is no control group (version 2) \"/no\\nsuch\"")
        let long = String(repeating: "x", count: 1000)
        #expect(throws: KernelError.self) { try client.sockets(SocketQuery(filter: .interface(long))) }
        #expect(throws: KernelError.self) { try client.sockets(SocketQuery(filter: .interface("lo\0x"))) }
    }
}

extension FakeKernel.Request {
    /// The value of the attribute `INET_DIAG_REQ_BYTECODE`, empty where there is none.
    var operations: [UInt8] {
        // struct inet_diag_req and struct inet_diag_req_v2 behind the message's header
        let start = type == 18 ? 16 + 60 : 16 + 56
        return bytes.count > start + 4 && bytes[start + 2] == 1 ? Array(bytes[(start + 4)...]) : []
    }
}
