import Glibc
import Testing

@testable import SockDiag
@testable import TCPStateLab

/// MPTCP: its own sockets by their own question, and the TCP connections that carry it by what TCP reports of them.
struct MultipathTests {
    /// A connection over the loopback device between two sockets of a protocol; the listener is the third.
    private func connection(_ lab: Lab) throws -> (client: Int32, server: Int32, listener: Int32) {
        func socket() throws -> Int32 {
            let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 262)  // IPPROTO_MPTCP
            guard descriptor >= 0 else { try Test.cancel("this kernel has no MPTCP (CONFIG_MPTCP)") }
            return descriptor
        }
        return try lab.run {
            let (listener, client) = (try socket(), try socket())
            let endpoint = SocketEndpoint(.loopbackIPv4, port: 4711)
            var buffer = [UInt8](repeating: 0, count: 8)
            try systemCall("bind") { endpoint.withSocketAddress { bind(listener, $0, $1) } }
            try systemCall("listen") { listen(listener, 1) }
            try systemCall("connect") { endpoint.withSocketAddress { connect(client, $0, $1) } }
            let server = try systemCall("accept") { accept(listener, nil, nil) }
            try systemCall("send") { send(client, "hello", 5, 0) }
            try systemCall("recv") { recv(server, &buffer, 8, 0) }
            return (client, server, listener)
        }
    }

    @Test func `A query for MPTCP does not fail where there is none`() throws {
        let sockets = try Lab.with { lab in
            try lab.client()
            return try lab.dump(SocketQuery(protocol: .mptcp, extensions: .all))
        }
        #expect(sockets.isEmpty)
    }

    @Test func `MPTCP sockets are listed by their own cookies beside their subflows`() throws {
        try Lab.with { lab in
            let (client, server, listener) = try connection(lab)
            defer { for descriptor in [client, server, listener] { close(descriptor) } }
            let sockets = try lab.dump(SocketQuery(protocol: .mptcp, extensions: .all))
            #expect(sockets.map(\.state.description).sorted() == ["ESTABLISHED", "ESTABLISHED", "LISTEN"])
            let subflows = try lab.dump(SocketQuery(extensions: .info))
            #expect(subflows.count == 3)
            #expect(Set(subflows.map(\.cookie)).isDisjoint(with: sockets.map(\.cookie)))
            for socket in sockets {
                let subflow = subflows.first { $0.local == socket.local && $0.remote == socket.remote }
                #expect(subflow?.inode == socket.inode)
                #expect(try lab.lookUp(socket.identity) == nil, "a lookup is for TCP")
            }
        }
    }

    @Test func `A subflow bears the token of the connection that it carries`() throws {
        try Lab.with { lab in
            let (client, server, listener) = try connection(lab)
            defer { for descriptor in [client, server, listener] { close(descriptor) } }
            let connections = try lab.dump(SocketQuery(protocol: .mptcp, states: .established, extensions: .info))
            let rows = try lab.dump(SocketQuery(states: .established, extensions: .info))
            #expect(connections.count == 2 && rows.count == 2)
            for connection in connections {
                let row = try #require(rows.first { $0.local == connection.local })
                #expect(row.tcpInfo?[.state] == 1)
                let upper = try #require(row.upperLayerProtocol)
                #expect(upper.name == "mptcp" && upper.tls == nil)
                let subflow = try #require(upper.mptcp)
                // struct mptcp_info of <linux/mptcp.h>: mptcpi_token
                let token = connection.withAttribute(.info) { $0.number(at: 12, as: UInt32.self) }
                #expect(subflow.localToken == token && token != 0)
                #expect(connection.tcpInfo == nil, "a connection of MPTCP has measurements of another kind")
                #expect(subflow.localID == 0 && subflow.remoteID == 0)
                #expect(subflow.mapSubflowSequence == 1)
                #expect(subflow.mapLength == (row.local.port == 4711 ? 5 : 0), "the five bytes that the server read")
            }
        }
    }
}
