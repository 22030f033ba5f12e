import Glibc
import Testing

@testable import SockDiag

/// Answers that are no answers: the client says what is wrong, and the next question is answered as if nothing had been.
@Suite(.timeLimit(.minutes(30))) struct ClientFailureTests {
    private func identity(_ message: [UInt8]) throws -> SocketIdentity { try InetSocket(message: message).identity }

    @Test func `A datagram longer than the buffer is an error that says so`() throws {
        let kernel = try FakeKernel { request in
            let filler = [UInt8](repeating: 0, count: 4) + [UInt8](repeating: 0xaa, count: 32 * 1024 - 88)
            return [request.socket(Message.bound + filler)]
        }
        var client = try kernel.makeClient()
        let error = #expect(throws: KernelError.self) { try client.sockets() }
        #expect(error?.code == .malformedReply)
        #expect(
            error?.description
                == "cannot dump the TCP sockets: a datagram of 32772 bytes does not fit the buffer of 32768"
        )
    }

    @Test func `The longest datagram that fits is read`() throws {
        let kernel = try FakeKernel { request in
            let attribute: [UInt8] = [0xa8, 0x7f, 0xa0, 0x0f]  // 32,680 bytes of type 4000
            let value = [UInt8](repeating: 0xaa, count: 32_676)
            return [request.socket(Message.bound + attribute + value), request.end()]
        }
        var client = try kernel.makeClient()
        let socket = try #require(try client.sockets().first)
        #expect(socket.attribute(AttributeType(rawValue: 4000))?.count == 32_676)
    }

    @Test func `The rest of a dump that went wrong is read away`() throws {
        let kernel = try FakeKernel { request in
            guard request.sequence > 1 else { return [] }
            return [request.socket(Message.closed) + request.end()]
        }
        var client = try kernel.makeClient()
        let first = FakeKernel.Request(bytes: Datagram.message(18, sequence: 1, []))
        try kernel.queue([
            first.socket(Message.bound), Datagram.message(99, sequence: 1, []), first.socket(Message.timeWait),
            first.end(),
        ])
        var cookies: [UInt64] = []
        let error = #expect(throws: KernelError.self) { try client.forEach { cookies.append($0.cookie.rawValue) } }
        #expect(error?.description == "cannot dump the TCP sockets: a message of type 99")
        #expect(cookies == [0x1003], "what was read until then is true")
        var left: Int32 = -1
        #expect(ioctl(kernel.descriptor, UInt(FIONREAD), &left) == 0 && left == 0)
        #expect(try client.sockets().map(\.cookie.rawValue) == [0x1004])
    }

    @Test(arguments: [ENOENT, ESTALE]) func `A lookup of a socket that is gone is nil`(code: Int32) throws {
        let kernel = try FakeKernel { [$0.failure(-code)] }
        var client = try kernel.makeClient()
        #expect(try client.socket(identity(Message.timeWait)) == nil)
    }

    @Test func `A lookup that the kernel refuses is an error that names the socket`() throws {
        let kernel = try FakeKernel { [$0.failure(-EPERM)] }
        var client = try kernel.makeClient()
        let error = #expect(throws: KernelError.self) { try client.socket(identity(Message.timeWait)) }
        #expect(error?.code == .permissionDenied)
        #expect(error?.operation == "look up the socket 1002")
    }

    @Test func `A lookup that is answered with another socket is nil`() throws {
        let kernel = try FakeKernel { [$0.socket(Message.listenLinkLocal, flags: 0)] }
        var client = try kernel.makeClient()
        #expect(try client.socket(identity(Message.timeWait)) == nil)
        #expect(try client.socket(identity(Message.listenLinkLocal))?.state == .listen)
    }

    @Test func `Of several listeners on one port, those that a lookup does not find are still there`() throws {
        let kernel = try FakeKernel { request in
            guard request.bytes[7] == 3 else { return [request.failure(-ESTALE)] }  // not NLM_F_DUMP
            var other = Message.listenLinkLocal
            other[44] = 99  // idiag_cookie
            return [request.socket(other) + request.socket(Message.listenLinkLocal) + request.end()]
        }
        var client = try kernel.makeClient()
        let identity = try identity(Message.listenLinkLocal)
        #expect(try client.socket(identity)?.cookie == identity.cookie)
        #expect(kernel.requests.map(\.states) == [TCPStateSet.all.rawValue, TCPStateSet.listen.rawValue])
        #expect(try client.socket(self.identity(Message.timeWait)) == nil)
        #expect(kernel.requests.count == 3, "a connection is not searched for among the listeners")
    }

    @Test func `An answer that came too late is not taken for the next one`() throws {
        let kernel = try FakeKernel { request in
            [
                Datagram.message(20, flags: 0, sequence: request.sequence &- 1, Message.timeWait),
                request.failure(-ENOENT),
            ]
        }
        var client = try kernel.makeClient()
        #expect(try client.socket(identity(Message.timeWait)) == nil)
    }

    @Test func `A signal while the client waits is no failure`() throws {
        try WaitingThread.withCurrent { waiter in
            let before = WaitingThread.interruptions
            let kernel = try FakeKernel { request in
                for _ in 0..<3 { waiter.interrupt() }
                return [request.socket(Message.bound) + request.end()]
            }
            var client = try kernel.makeClient()
            #expect(try client.sockets().map(\.cookie.rawValue) == [0x1003])
            #expect(WaitingThread.interruptions == before + 3)
        }
    }
}
