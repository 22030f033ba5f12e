import Glibc
import Testing

@testable import SockDiag

/// What the client asks, how often, and what it makes of answers that a real kernel gives seldom or never.
@Suite(.timeLimit(.minutes(30))) struct ClientTests {
    private let interrupted = Datagram.multi | Datagram.interrupted

    @Test func `A dump that the kernel marks as inconsistent is begun anew, and its rows are forgotten`() throws {
        let kernel = try FakeKernel { [interrupted] request in
            request.sequence < 4
                ? [request.socket(Message.bound, flags: interrupted), request.end()]
                : [request.socket(Message.closed) + request.end()]
        }
        var client = try kernel.makeClient()
        #expect(try client.sockets().map(\.cookie.rawValue) == [0x1004])
        #expect(kernel.requests.map(\.sequence) == [1, 2, 3, 4])
    }

    @Test func `A dump that is never consistent is given up after four attempts`() throws {
        let kernel = try FakeKernel { [interrupted] request in
            [request.socket(Message.bound), request.end(flags: interrupted)]
        }
        var client = try kernel.makeClient()
        let error = #expect(throws: KernelError.self) { try client.sockets() }
        #expect(error?.code == .inconsistentDump)
        #expect(
            error?.description
                == "cannot dump the TCP sockets: the sockets changed meanwhile; "
                + "try again when fewer sockets come and go"
        )
        #expect(kernel.requests.count == 4)
    }

    @Test func `forEach says that a dump is inconsistent after its last socket, and does not repeat it`() throws {
        let kernel = try FakeKernel { [interrupted] request in
            [request.socket(Message.bound, flags: interrupted), request.socket(Message.closed), request.end()]
        }
        var client = try kernel.makeClient()
        var cookies: [UInt64] = []
        let error = #expect(throws: KernelError.self) { try client.forEach { cookies.append($0.cookie.rawValue) } }
        #expect(error?.code == .inconsistentDump)
        #expect(cookies == [0x1003, 0x1004])
        #expect(kernel.requests.count == 1)
    }

    @Test func `What a body throws ends the walk, and the client can be used again`() throws {
        struct Enough: Error, Equatable {}
        let kernel = try FakeKernel { request in
            [request.socket(Message.bound) + request.socket(Message.closed), request.end()]
        }
        var client = try kernel.makeClient()
        var count = 0
        #expect(throws: Enough()) {
            try client.forEach { _ in
                count += 1
                throw Enough()
            }
        }
        #expect(count == 1)
        #expect(try client.sockets().count == 2)
    }

    @Test(arguments: [ENOENT, EOPNOTSUPP, EINVAL])
    func `A kernel without the older request is asked for one family after the other`(refusal: Int32) throws {
        let kernel = try FakeKernel { request in
            switch (request.type, request.family) {
            case (20, 2): [request.socket(Message.bound), request.end()]
            case (20, 10): [request.socket(Message.listenLinkLocal) + request.end()]
            default: [request.failure(-refusal)]
            }
        }
        var client = try kernel.makeClient()
        #expect(try client.sockets().map(\.cookie.rawValue) == [0x1003, 7])
        #expect(kernel.requests.map(\.type) == [18, 20, 20])
    }

    @Test func `A refusal for want of permission is not asked again`() throws {
        let kernel = try FakeKernel { [$0.failure(-EPERM)] }
        var client = try kernel.makeClient()
        let error = #expect(throws: KernelError.self) { try client.sockets() }
        #expect(error?.code == .permissionDenied)
        #expect(kernel.requests.count == 1)
    }

    @Test func `A row that the walk repeats is dropped but not the minisocket beside its closed socket`() throws {
        let kernel = try FakeKernel { request in
            var closed = Message.closed
            closed[44] = Message.timeWait[44]  // idiag_cookie
            let rows = [
                Message.bound, closed, Message.timeWait, Message.bound, Message.timeWait, closed, Message.request,
            ]
            return rows.map { request.socket($0) } + [request.end()]
        }
        var client = try kernel.makeClient()
        let sockets = try client.sockets()
        #expect(sockets.map(\.cookie.rawValue) == [0x1003, 0x1002, 0x1002, 0x1001])
        #expect(sockets.map(\.isMinisocket) == [false, false, true, false])
        #expect(try client.sockets().count == 4, "the next dump begins with nothing remembered")
    }

    @Test func `Rows without a cookie are all kept`() throws {
        let kernel = try FakeKernel { request in
            var row = Message.bound
            row.replaceSubrange(44..<52, with: [UInt8](repeating: 0, count: 8))  // idiag_cookie
            return [request.socket(row) + request.socket(row) + request.end()]
        }
        var client = try kernel.makeClient()
        #expect(try client.sockets().count == 2)
    }

    @Test func `Of the two kinds without a connection, only the one that was asked for is yielded`() throws {
        let kernel = try FakeKernel { [$0.socket(Message.bound) + $0.socket(Message.closed) + $0.end()] }
        var client = try kernel.makeClient()
        let family = AddressFamily.ipv4
        #expect(try client.sockets(SocketQuery(family: family, states: .closed)).map(\.state) == [.closed])
        #expect(try client.sockets(SocketQuery(family: family, states: .bound)).map(\.state) == [.bound])
        #expect(try client.sockets(SocketQuery(family: family, states: [.bound, .closed])).count == 2)
        #expect(Set(kernel.requests.map(\.states)) == [1 << 7 | 1 << 13], "the kernel walks both by the newer bit")
        #expect(try client.sockets(SocketQuery(family: family, states: .listen)).count == 2)
        #expect(kernel.requests.last?.states == 1 << 10, "and what was not asked for is not asked of it")
    }

    @Test func `What the kernel answers under another number is not lost beside the unconnected ones`() throws {
        let kernel = try FakeKernel { [$0.socket(Message.request) + $0.socket(Message.bound) + $0.end()] }
        var client = try kernel.makeClient()
        let states = TCPStateSet(.newSynReceived).union(.closed)  // the request says SYN_RCVD of itself
        #expect(try client.sockets(in: states).map(\.state) == [.synReceived])
    }
}
