import CLab
import Glibc
import Testing

@testable import SockDiag
@testable import TCPStateLab

/// What the kernel refuses, and the line that a person reads then.
@Suite(.timeLimit(.minutes(30))) struct RefusalTests {
    private static let needs =
        "; the kernel needs CONFIG_INET_DIAG and CONFIG_INET_TCP_DIAG "
        + "(modules inet_diag and tcp_diag: modprobe tcp_diag)"

    @Test(arguments: [
        (
            SocketQuery(family: AddressFamily(rawValue: 99)), KernelError.Code.invalidRequest, EINVAL,
            "cannot dump the family_99 TCP sockets: Invalid argument"
        ),
        (
            SocketQuery(family: AddressFamily(rawValue: 44)), .unsupported, ENOENT,
            "cannot dump the family_44 TCP sockets: No such file or directory" + needs
        ),
        (
            SocketQuery(protocol: SocketProtocol(rawValue: 99)), .unsupported, ENOENT,
            "cannot dump the ipv4 protocol 99 sockets: No such file or directory" + needs
        ),
        (
            SocketQuery(protocol: SocketProtocol(rawValue: 999)), .unsupported, ENOENT,
            "cannot dump the ipv4 protocol 999 sockets: No such file or directory" + needs
        ),
    ])
    func whatTheKernelDoesNotHaveIsAnErrorThatNamesIt(
        query: SocketQuery,
        code: KernelError.Code,
        errno: Int32,
        description: String
    ) throws {
        var client = try SockDiagClient()
        for _ in 0..<2 {  // the second time, too: nothing of the first answer is left
            let error = #expect(throws: KernelError.self) { try client.sockets(query) }
            #expect(error?.code == code)
            #expect(error?.errno == errno)
            #expect(error?.description == description)
            #expect(throws: Never.self) { try client.sockets(in: .listen) }
        }
    }

    @Test(arguments: [EPERM, EACCES, EAFNOSUPPORT])
    func `What a sandbox forbids is an error that names the sandbox`(errno: Int32) throws {
        // A filter is the thread's, and stays: so the thread is one of its own.
        let result = try runInThread { () -> Result<Void, KernelError>? in
            guard clab_deny_netlink(errno) == 0 else { return nil }
            return Result { () throws(KernelError) in _ = try SockDiagClient() }
        }
        guard let result else { try Test.cancel("this kernel has no seccomp filters") }
        let error = #expect(throws: KernelError.self) { try result.get() }
        #expect(error?.errno == errno)
        #expect(error?.operation == "open a netlink socket")
        #expect(error?.code == .permissionDenied)
        if errno == EPERM {
            #expect(
                error?.description
                    == "cannot open a netlink socket: Operation not permitted; a seccomp profile, SELinux, a sandbox or "
                    + "systemd's RestrictAddressFamilies= denies AF_NETLINK: allow it for this process"
            )
        }
    }

    @Test func `Without a descriptor left, the error says so`() async {
        await #expect(processExitsWith: .success) {
            var limit = rlimit(rlim_cur: 0, rlim_max: 0)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            let error = #expect(throws: KernelError.self) { _ = try SockDiagClient() }
            #expect(error?.code == .system)
            #expect(error?.errno == EMFILE)
            #expect(error?.description == "cannot open a netlink socket: Too many open files")
        }
    }

    @Test func `What a stranger sends is passed over`() throws {
        try Lab.with { lab in
            try lab.run {
                let socket = try NetlinkSocket()
                var address = sockaddr_nl()
                var size = socklen_t(MemoryLayout<sockaddr_nl>.size)
                _ = withUnsafeMutablePointer(to: &address) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        getsockname(socket.descriptor, $0, &size)
                    }
                }
                let stranger = try NetlinkSocket()
                let lie = Datagram.message(Datagram.socketType, sequence: 1, Message.establishedIPv4)
                let sent = withUnsafeMutablePointer(to: &address) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        sendto(stranger.descriptor, lie, lie.count, 0, $0, size)
                    }
                }
                try #require(sent == lie.count)
                var identity = try InetSocket(message: Message.timeWait).identity
                identity.cookie.rawValue = 1
                let request = DumpRequest(identity, extensions: [], sequence: 1)
                try socket.send(request.bytes, operation: "ask")
                let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
                defer { buffer.deallocate() }
                let count = try #require(try socket.receive(into: buffer, operation: "ask"))
                #expect(
                    count >= 36 && buffer.load(fromByteOffset: 4, as: UInt16.self) == 2,
                    "NLMSG_ERROR of the kernel"
                )
                #expect(try socket.receive(into: buffer, flags: Int32(MSG_DONTWAIT), operation: "ask") == nil)
            }
        }
    }
}
