import Glibc
import SockDiag
import Testing

@testable import TCPStateLab

/// What a program has set on its socket, against what the dump reports of it.
struct SocketOptionTests {
    /// A bound socket, an option set on it, and its row.
    private func row(
        over network: LabNetwork = .ipv4,
        _ level: Int32,
        _ name: Int32,
        _ value: Int32
    ) throws -> InetSocket {
        try Lab.with { lab in
            let socket = try lab.listener(over: network)
            try SocketOption.set(#require(socket.descriptor), level, name, value)
            #expect(try SocketOption.number(#require(socket.descriptor), level, name) == value)
            return try lab.row(of: socket, extensions: .all)
        }
    }

    @Test(arguments: [0, 0x10, 0xb8, 0xfc] as [UInt8]) func `The type of service is the socket's`(value: UInt8) throws {
        let plain = try row(SocketOption.ip, IP_TOS, Int32(value))
        #expect(plain.tos == value && plain.trafficClass == nil)
        let newer = try row(over: .ipv6, SocketOption.ipv6, IPV6_TCLASS, Int32(value))
        #expect(newer.trafficClass == value && newer.tos == 0)
        #expect(try row(over: .ipv4Mapped, SocketOption.ip, IP_TOS, Int32(value)).tos == value)
    }

    @Test(arguments: [1, 0x1234_5678, -1] as [Int32]) func `The mark is the socket's`(value: Int32) throws {
        #expect(try row(SOL_SOCKET, SO_MARK, value).mark == UInt32(bitPattern: value))
    }

    @Test func `The priority is the class where no control group sets one`() throws {
        #expect(try row(SOL_SOCKET, SO_PRIORITY, 5).classID == 5)
    }

    /// Each of the options that the kernel reports as bits, with what the program's own call answers.
    @Test(arguments: [
        (SocketOptions.recverr, SocketOption.ip, IP_RECVERR), (.freebind, SocketOption.ip, IP_FREEBIND),
        (.transparent, SocketOption.ip, IP_TRANSPARENT), (.multicastLoop, SocketOption.ip, IP_MULTICAST_LOOP),
        (.multicastAll, SocketOption.ip, IP_MULTICAST_ALL),
        (.bindAddressNoPort, SocketOption.ip, SocketOption.bindAddressNoPort),
        (.recverrRFC4884, SocketOption.ip, SocketOption.recverrRFC4884),
    ]) func eachOptionIsABitOfItsOwn(option: SocketOptions, level: Int32, name: Int32) throws {
        let off = try #require(try row(level, name, 0).options)
        let on = try #require(try row(level, name, 1).options)
        #expect(on.subtracting(off) == option && off.isSubset(of: on))
        #expect(on.contains(.isConnectionOriented))
    }

    @Test func `A socket that connects with its first data says so`() throws {
        try Lab.with { lab in
            let socket = try lab.socket(boundTo: SocketEndpoint(.loopbackIPv4, port: 4711)) {
                try SocketOption.set($0, SocketOption.tcp, SocketOption.fastOpenConnect, 1)
            }
            #expect(try lab.row(of: socket).options?.contains(.deferConnect) == false)
            let server = SocketEndpoint(.loopbackIPv4, port: 4712)
            try lab.sysctl("net.ipv4.tcp_fastopen", 5)  // the client's side, and without a cookie
            try socket.call("connect") { descriptor in server.withSocketAddress { connect(descriptor, $0, $1) } }
            #expect(try lab.row(of: socket).options?.contains(.deferConnect) == true)
        }
    }

    @Test func `The shut directions are distinguished`() throws {
        try Lab.with { lab in
            let client = try lab.client()
            let descriptor = try #require(client.descriptor)
            #expect(try lab.row(of: client).shutdown == [])
            #expect(shutdown(descriptor, Int32(SHUT_RD)) == 0)
            #expect(try lab.row(of: client).shutdown == .receive)
            #expect(shutdown(descriptor, Int32(SHUT_WR)) == 0)
            #expect(try lab.row(of: client).shutdown == [.receive, .send])
            #expect(try lab.row(of: lab.client(in: .finWait2)).shutdown == .send)
        }
    }

    @Test func `The peer's FIN shuts the receiving direction`() throws {
        let row = try Lab.with { try $0.row(of: $0.client(in: .closeWait)) }
        #expect(row.shutdown == .receive)
    }

    @Test func `A listener that refuses IPv4 says so`() throws {
        try Lab.with { lab in
            for value in [0, 1] as [Int32] {
                let socket = try lab.socket(boundTo: SocketEndpoint(.anyIPv6, port: 0)) {
                    try SocketOption.set($0, SocketOption.ipv6, IPV6_V6ONLY, value)
                }
                #expect(try lab.row(of: socket).isIPv6Only == (value == 1))
            }
            #expect(try lab.row(of: lab.client(over: .ipv6)).isIPv6Only == nil)
        }
    }

    @Test func `The user is the one that opened the socket`() throws {
        try Lab.with { lab in
            let socket = try lab.listener()
            #expect(try lab.row(of: socket).uid == getuid())
            let descriptor = try #require(socket.descriptor)
            guard fchown(descriptor, 4711, gid_t.max) == 0 else {
                try Test.cancel("a socket of another user takes CAP_CHOWN and a user namespace that has one")
            }
            #expect(try lab.row(of: socket).uid == 4711)
        }
    }

    @Test func `The control group is the directory that this process is in`() throws {
        guard let file = contents(ofFile: "/proc/self/cgroup"),
            let line = String(decoding: file, as: UTF8.self).split(separator: "\n").first(where: {
                $0.hasPrefix("0::/")
            })
        else { try Test.cancel("no control groups of version 2") }
        var status = stat()
        guard stat("/sys/fs/cgroup" + line.dropFirst(3), &status) == 0 else {
            try Test.cancel("the tree of control groups is not mounted at /sys/fs/cgroup")
        }
        let id = try Lab.with { try $0.row(of: $0.listener()).cgroupID }
        #expect(id == UInt64(status.st_ino))
        var paths = CgroupPaths()
        #expect(paths.path(of: UInt64(status.st_ino)) == String(line.dropFirst(3)))
        #expect(paths.path(of: .max) == nil)
    }
}
