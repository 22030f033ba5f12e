import Glibc
import Testing

@testable import SockDiag
@testable import TCPStateLab

/// UDP and UNIX sockets that a test has opened, as the kernel's dumps describe them.
@Suite(.timeLimit(.minutes(30))) struct FamilyTests {
    @Test func `UDP sockets are listed with their protocol, endpoints and states`() throws {
        try Lab.with { lab in
            try lab.loopbackPair()
            let sockets = try FamilySockets(in: lab)
            let rows = try lab.dump(SocketQuery(protocol: .udp, extensions: .all))
            #expect(rows.count == 6)
            for (network, unconnected, connected) in sockets.datagrams {
                let first = try #require(rows.first { $0.inode.map(UInt64.init) == (try? unconnected.inode()) })
                let second = try #require(rows.first { $0.inode.map(UInt64.init) == (try? connected.inode()) })
                #expect(first.local == unconnected.local && first.remote.port == 0)
                #expect(first.state == .closed && first.stateName == "UNCONN")
                #expect(second.local == connected.local && second.remote == unconnected.local)
                #expect(second.state == .established && second.stateName == "ESTABLISHED")
                #expect(try first.cookie == unconnected.cookie())
                #expect(first.family == (network == .ipv4 ? .ipv4 : .ipv6))
                #expect(first.uid == geteuid() && first.memory != nil && first.tcpInfo == nil)
            }
            #expect(rows.allSatisfy { $0.protocol == .udp })
            #expect(try lab.dump().allSatisfy { $0.protocol == .tcp })
            let unconnected = try lab.dump(SocketQuery(protocol: .udp, states: .closed))
            #expect(unconnected.count == 3)
            let port = sockets.datagrams[0].unconnected.local.port
            let found = try lab.dump(SocketQuery(protocol: .udp, filter: .remotePort == port))
            #expect(found.map(\.local) == [sockets.datagrams[0].connected.local])
            #expect(try lab.dump(SocketQuery(family: .ipv4, protocol: .udp, filter: .state(.closed))).count == 1)
        }
    }

    @Test func `UNIX sockets are listed with names, types, states, peers and queues`() throws {
        try Lab.with { lab in
            let sockets = try FamilySockets(in: lab)
            let rows = try lab.withClient { try $0.unixSockets(UnixSocketQuery(extensions: .all)) }
            func row(_ kind: FamilySockets.Kind) throws -> UnixSocket {
                try #require(rows.first { $0.inode != nil && $0.inode == sockets.unix[kind] }, "\(kind)")
            }
            // Not the end that waits to be accepted: it has no inode yet.
            #expect(rows.count == FamilySockets.Kind.allCases.count)
            #expect(rows.allSatisfy { $0.uid == geteuid() && $0.memory != nil && $0.shutdown == [] })
            let listener = try row(.listener)
            #expect(listener.type == .stream && listener.state == .listen && listener.name == sockets.path)
            #expect(listener.path?.hasSuffix(#"/a b\\\x1b[31m\xff"#) == true)
            #expect(listener.receiveQueue == 1 && listener.sendQueue == 7, "one waits of at most seven")
            #expect(listener.pendingInodes == [try #require(sockets.unix[.waiting])])
            var status = stat()
            #expect(stat(String(listener.path?.split(separator: "/a b").first ?? ""), &status) == 0)
            #expect(listener.file.map { $0.deviceNumbers.minor } == UInt32(status.st_dev & 0xff))
            let (client, accepted) = try (row(.client), row(.accepted))
            #expect(client.state == .established && client.name == nil && client.peerInode == accepted.inode)
            #expect(accepted.name == sockets.path && accepted.peerInode == client.inode)
            #expect(try row(.waiting).peerInode == nil && row(.waiting).state == .established)
            let abstract = try row(.abstractListener)
            #expect(abstract.type == .sequencedPackets && abstract.isAbstract && abstract.name == sockets.abstractName)
            #expect(abstract.path == "@tcpstates\\x07\(getpid())\\x00x" && abstract.file == nil)
            #expect(try row(.packets).peerInode == row(.packetsPeer).inode)
            #expect(try row(.datagram).type == .datagram && row(.datagram).peerInode == nil)
            #expect(try row(.idleDatagram).type == .datagram && row(.idleDatagram).stateName == "UNCONN")
            #expect(try row(.datagramSender).peerInode == row(.datagram).inode)
            #expect(try row(.unused).name == nil && row(.unused).state == .closed)
            #expect(Set(rows.map(\.cookie)).count == rows.count)
        }
    }

    @Test func `A query for UNIX sockets yields what it asks for and no more`() throws {
        try Lab.with { lab in
            let sockets = try FamilySockets(in: lab)
            let listeners = try lab.withClient {
                try $0.unixSockets(UnixSocketQuery(states: .listen, extensions: .name))
            }
            #expect(Set(listeners.map(\.name)) == [sockets.path, sockets.abstractName])
            #expect(listeners.allSatisfy { $0.receiveQueue == nil && $0.uid == nil && $0.memory == nil })
            let inode = try #require(sockets.unix[.unused])
            let text = "inode = \(inode) and pid = 1"
            let query = UnixSocketQuery(filter: try SocketFilter(text))
            var asked: [SocketFilter.External] = []
            try lab.withClient { client in
                func holds(_ condition: SocketFilter.External, _ socket: UnixSocket) -> Bool {
                    asked.append(condition)
                    return true
                }
                var inodes: [UInt32?] = []
                try client.forEachUnixSocket(query, external: holds) { inodes.append($0.inode) }
                #expect(inodes == [inode])
            }
            #expect(asked == [.pid(1)])
            #expect(throws: KernelError.self) { try lab.withClient { try $0.unixSockets(query) } }
        }
    }

    @Test(arguments: [
        (SocketProtocol.udp, "UDP", "CONFIG_INET_DIAG and CONFIG_INET_UDP_DIAG (modules inet_diag and udp_diag)"),
        (.mptcp, "MPTCP", "CONFIG_MPTCP and CONFIG_INET_MPTCP_DIAG (Linux 5.9, module mptcp_diag)"),
        (.raw, "RAW", "CONFIG_INET_DIAG and CONFIG_INET_RAW_DIAG (modules inet_diag and raw_diag)"),
    ])
    func `A kernel without a protocol's diagnostics is an error that names the option`(
        transport: SocketProtocol,
        name: String,
        option: String
    ) throws {
        let kernel = try FakeKernel { [$0.end(-ENOENT)] }
        var client = try kernel.makeClient()
        let error = #expect(throws: KernelError.self) {
            try client.sockets(SocketQuery(family: .ipv4, protocol: transport))
        }
        #expect(error?.code == .unsupported)
        #expect(
            error?.description
                == "cannot dump the ipv4 \(name) sockets: No such file or directory; the kernel needs \(option)"
        )
        // The kernel that runs now: it has them, or it says the same.
        let answer = try Lab.with { lab in Result { try lab.dump(SocketQuery(protocol: transport)) } }
        switch answer {
        case .success(let sockets): #expect(sockets.isEmpty)
        case .failure(let error):
            let refusal = error as? KernelError
            #expect(refusal?.code == .unsupported && refusal?.remedy == "the kernel needs \(option)")
        }
    }
}
