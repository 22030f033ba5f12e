import Glibc
import SeededRandom
import Testing

@testable import SockDiag

/// The kernel's messages about UNIX sockets, as bytes and from a kernel that a test plays.
@Suite(.timeLimit(.minutes(30))) struct UnixSocketTests {
    private func socket(_ message: [UInt8]) throws(KernelError) -> UnixSocket {
        try UnixSocket(message: message.span.bytes)
    }

    @Test func `Every field is read from where the kernel writes it`() throws {
        let socket = try socket(UnixMessage.listener + UnixMessage.everything.joined())
        #expect(
            socket
                == UnixSocket(
                    type: .stream,
                    state: .listen,
                    inode: 123_456_789,
                    cookie: SocketCookie(rawValue: 0xf_8765_4321),
                    name: Array("/run/a\u{1b}\\".utf8) + [0xff],
                    file: UnixSocket.File(inode: 10_000, device: 0xc0_0014),
                    peerInode: 12_345,
                    pendingInodes: [1, 2],
                    receiveQueue: 3,
                    sendQueue: 128,
                    memory: socket.memory,
                    shutdown: .receive,
                    uid: 1000
                )
        )
        #expect(socket.memory?.rcvbuf == 2 && socket.memory?.drops == 9)
        #expect(socket.file?.deviceNumbers.major == 12 && socket.file?.deviceNumbers.minor == 20)
        #expect(socket.description == #"LISTEN stream /run/a\x1b\\\xff"#)
    }

    @Test func `What was not sent is nil`() throws {
        let socket = try socket(UnixMessage.datagram)
        #expect(socket == UnixSocket(type: .datagram, state: .closed, inode: 9, cookie: SocketCookie(rawValue: 7)))
        #expect(socket.path == nil && socket.stateName == "UNCONN" && socket.description == "UNCONN dgram *")
    }

    @Test(
        arguments: [
            (Array("/run/x".utf8) + [0], "/run/x"), ([0] + Array("bus".utf8), "@bus"),
            ([0x00, 0x61, 0x00, 0x1b, 0x62], #"@a\x00\x1bb"#), (Array("@bus".utf8) + [0], "@bus"), ([0], "@"),
            (Array("/é\u{202e}".utf8), #"/é\xe2\x80\xae"#),
        ] as [([UInt8], String)]
    )
    func `A name is text that cannot steer a terminal`(name: [UInt8], path: String) throws {
        let socket = try socket(UnixMessage.datagram + UnixMessage.attribute(0, name))
        #expect(socket.path == path)
        #expect(socket.isAbstract == (name[0] == 0))
    }

    @Test func `A message cut at every length is refused or read`() throws {
        let message = UnixMessage.listener + UnixMessage.everything.joined()
        for length in 0...message.count {
            do {
                let socket = try socket(Array(message.prefix(length)))
                #expect(length >= 16 && socket.inode == 123_456_789)
            } catch {
                #expect(error.code == .malformedReply)
                #expect(!error.description.isEmpty)
            }
        }
    }

    @Test func `An attribute cut at every length is read whole or not at all`() throws {
        let whole = try socket(UnixMessage.listener + UnixMessage.everything.joined())
        for attribute in UnixMessage.everything.dropFirst() {
            let (length, type) = (Int(attribute[0]), attribute[2])
            for cut in 4...length {
                let socket = try socket(UnixMessage.listener + UnixMessage.attribute(type, Array(attribute[4..<cut])))
                for (read, expected) in [
                    (socket.peerInode, whole.peerInode), (socket.uid, whole.uid), (socket.sendQueue, whole.sendQueue),
                    (socket.file?.device, whole.file?.device), (socket.memory?.optmem, whole.memory?.optmem),
                ] {
                    #expect(read == nil || read == expected)
                }
            }
        }
    }

    @Test(arguments: [1, 2] as [UInt64]) func `No damage to a message traps`(seed: UInt64) throws {
        var generator = SplitMix64(seed)
        let message = UnixMessage.listener + UnixMessage.everything.joined()
        var (read, refused) = (0, 0)
        for _ in 0..<20_000 {
            var damaged = message
            for _ in 0..<Int.random(in: 1...6, using: &generator) where !damaged.isEmpty {
                let index = Int.random(in: 0..<damaged.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: damaged[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 1: damaged[index] = [0, 1, 4, 0x7f, 0xff].randomElement(using: &generator) ?? 0
                case 2: damaged.remove(at: index)
                default: damaged[index] = .random(in: 0...255, using: &generator)
                }
            }
            do {
                let socket = try socket(damaged)
                read += socket.description.isEmpty ? 0 : 1
                _ = (socket.path, socket.plainPath, socket.pendingInodes, socket.file?.deviceNumbers)
            } catch { refused += 1 }
        }
        #expect(read > 1000 && refused > 1000 && read + refused == 20_000)
    }

    @Test func `The request is laid out as the kernel's header says`() {
        let query = UnixSocketQuery(states: [.listen, .closed], extensions: [.name, .peer, .owner])
        let expected: [UInt8] = [
            40, 0, 0, 0, 20, 0, 0x01, 0x03, 5, 0, 0, 0, 0, 0, 0, 0,  // nlmsghdr
            1, 0, 0, 0,  // sdiag_family: AF_UNIX, sdiag_protocol, pad
            0x80, 0x04, 0, 0,  // udiag_states: bits 7 and 10
            0, 0, 0, 0,  // udiag_ino
            0x45, 0, 0, 0,  // udiag_show
            0, 0, 0, 0, 0, 0, 0, 0,  // udiag_cookie
        ]
        #expect(UnixDumpRequest.bytes(query, sequence: 5) == expected)
    }

    @Test func `A dump is read to its end, and a row that comes again is dropped`() throws {
        let kernel = try FakeKernel { request in
            [
                request.socket(UnixMessage.listener) + request.socket(UnixMessage.datagram),
                request.socket(UnixMessage.listener), request.end(),
            ]
        }
        var client = try kernel.makeClient()
        for _ in 0..<2 { #expect(try client.unixSockets().map(\.inode) == [123_456_789, 9]) }
        #expect(kernel.requests.map(\.sequence) == [1, 2])
    }

    @Test func `A kernel without unix_diag is an error that names what it was built without`() throws {
        let kernel = try FakeKernel { [$0.failure(-ENOENT)] }
        var client = try kernel.makeClient()
        let error = #expect(throws: KernelError.self) { try client.unixSockets() }
        #expect(error?.code == .unsupported)
        #expect(
            error?.description
                == "cannot dump the UNIX sockets: No such file or directory; "
                + "the kernel needs CONFIG_UNIX_DIAG (module unix_diag)"
        )
    }

    @Test func `A message that is no socket's ends the dump with an error, and the next one is answered`() throws {
        let kernel = try FakeKernel { request in
            let message = request.sequence == 1 ? [1, 2, 3] : UnixMessage.datagram
            return [request.socket(message) + request.end()]
        }
        var client = try kernel.makeClient()
        let error = #expect(throws: KernelError.self) { try client.unixSockets() }
        #expect(error?.code == .malformedReply)
        #expect(try client.unixSockets().count == 1)
    }

    @Test(arguments: [
        ("state listening", true), ("state unconn", false), ("exclude listening", false), ("inode = 123456789", true),
        ("cookie = f87654321", true), ("uid = 1000", true), ("not uid = 1000", false),
        ("recvq > 2 and sendq = 128", true),
        ("recvq > 3 or state estab", false),
    ])
    func `A filter on what UNIX sockets have finds them by it`(text: String, isFound: Bool) throws {
        let kernel = try FakeKernel { request in
            [request.socket(UnixMessage.listener + UnixMessage.everything.joined()) + request.end()]
        }
        var client = try kernel.makeClient()
        let query = UnixSocketQuery(extensions: [], filter: try SocketFilter(text))
        #expect(try client.unixSockets(query).count == (isFound ? 1 : 0), "\(text)")
    }

    @Test(arguments: [
        "sport = 80", "dst 192.0.2.1", "rtt > 1ms", "dev = lo", "autobound", "not (uid = 0 or fwmark = 1)",
    ])
    func `A filter on what they do not have is an error that names the term`(text: String) throws {
        var client = try SockDiagClient()
        let query = UnixSocketQuery(filter: try SocketFilter(text))
        let error = #expect(throws: KernelError.self) { try client.unixSockets(query) }
        #expect(error?.code == .invalidRequest)
        #expect(error?.description.hasPrefix("cannot filter UNIX sockets by '") == true)
        #expect(error?.description.hasSuffix("': they have no such thing") == true)
    }

    @Test func `An owner that an old kernel does not send is not taken for root`() throws {
        let matcher = try SocketMatcher(SocketFilter("uid = 0"), FilterNames(netlinkSocket: -1, ephemeralPorts: 1...2))
        #expect(!matcher.matches(UnixSocket(type: .stream, state: .listen, inode: 1)))
        #expect(matcher.matches(UnixSocket(type: .stream, state: .listen, inode: 1, uid: 0)))
    }
}
