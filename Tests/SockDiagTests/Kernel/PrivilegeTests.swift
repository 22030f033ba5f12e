import CLab
import Glibc
import SockDiag
import Testing

@testable import TCPStateLab

/// What a process without CAP_NET_ADMIN receives: everything but what the kernel keeps from it.
struct PrivilegeTests {
    /// What a dump of the lab's namespace yields to a thread without any capability.
    private func dumpWithoutCapabilities(_ lab: Lab, _ query: SocketQuery) throws -> [InetSocket] {
        let result = try lab.run {
            // Capabilities are the thread's, and so is the namespace, which a new one inherits.
            try runInThread { () -> Result<[InetSocket], KernelError>? in
                guard clab_drop_capabilities() == 0 else { return nil }
                return Result { () throws(KernelError) in
                    var client = try SockDiagClient()
                    return try client.sockets(query)
                }
            }
        }
        return try #require(result).get()
    }

    @Test func `Every state and every measurement is reported to everybody`() throws {
        try Lab.with { lab in
            for state in StateTests.states { try lab.client(in: state, over: .ipv6) }
            try lab.server(in: .synReceived)
            try lab.bound()
            let query = SocketQuery(extensions: .all)
            let (all, received) = (try lab.dump(query), try dumpWithoutCapabilities(lab, query))
            #expect(all.count == StateTests.states.count + 3)
            #expect(received.map(\.cookie) == all.map(\.cookie))
            #expect(received.map(\.state) == all.map(\.state))
            #expect(received.map(\.inode) == all.map(\.inode))
            #expect(received.map(\.uid) == all.map(\.uid))
            #expect(received.map(\.memory) == all.map(\.memory))
            #expect(received.map(\.congestion) == all.map(\.congestion))
            #expect(received.map(\.cgroupID) == all.map(\.cgroupID))
            let (receivedSizes, allSizes) = (received.map { $0.tcpInfo?[.advmss] }, all.map { $0.tcpInfo?[.advmss] })
            #expect(receivedSizes == allSizes)
        }
    }

    @Test func `Marks are nil rather than zero to who may not read them`() throws {
        try Lab.with { lab in
            let listener = try lab.listener()
            try SocketOption.set(#require(listener.descriptor), SOL_SOCKET, SO_MARK, 7)
            try lab.server(in: .synReceived, on: listener)
            let query = SocketQuery(extensions: .all)
            #expect(try lab.dump(query).map(\.mark) == [7, 7])
            #expect(try dumpWithoutCapabilities(lab, query).map(\.mark) == [nil, nil])
        }
    }
}
