import Glibc
import SockDiag
import Testing

@testable import TCPStateLab

/// A program that lists its own sockets, where it was started and without any privilege.
struct OwnNamespaceTests {
    /// A listener on the loopback device with a client that waits to be accepted.
    private struct Sockets: ~Copyable {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let port: UInt16

        init() throws {
            let (listener, client) = (listener, client)
            try systemCall("bind") {
                SocketEndpoint(.loopbackIPv4, port: 0).withSocketAddress { bind(listener, $0, $1) }
            }
            try systemCall("listen") { listen(listener, 3) }
            let port = try Descriptor(dup(listener)).localPort()
            let endpoint = SocketEndpoint(.loopbackIPv4, port: port)
            try systemCall("connect") { endpoint.withSocketAddress { connect(client, $0, $1) } }
            self.port = port
        }

        deinit {
            close(listener)
            close(client)
        }
    }

    @Test func `A program finds its own sockets and their cookies`() throws {
        let sockets = try Sockets()
        var client = try SockDiagClient()
        let atServer = try client.sockets(SocketQuery(localPort: sockets.port))
        let atClient = try client.sockets(SocketQuery(remotePort: sockets.port))
        #expect(atServer.map(\.state.description).sorted() == ["ESTABLISHED", "LISTEN"])
        #expect(atClient.map(\.state) == [.established])
        for (descriptor, row) in [
            (sockets.listener, atServer.first { $0.state == .listen }), (sockets.client, atClient.first),
        ] {
            let row = try #require(row)
            #expect(try SocketOption.bytes(descriptor, SOL_SOCKET, SO_COOKIE) == Datagram.bytes(row.cookie.rawValue))
            #expect(row.uid == getuid())
            var status = stat()
            #expect(fstat(descriptor, &status) == 0 && row.inode.map(UInt64.init) == UInt64(status.st_ino))
            #expect(try client.socket(row.identity)?.cookie == row.cookie)
        }
    }

    @Test func `A socket that was closed is found no more`() throws {
        var client = try SockDiagClient()
        let port: UInt16
        let identities: [SocketIdentity]
        do {
            let sockets = try Sockets()
            port = sockets.port
            identities = try client.sockets(SocketQuery(localPort: port)).map(\.identity)
            #expect(identities.count == 2)
        }
        for identity in identities { #expect(try client.socket(identity) == nil) }
        #expect(try client.sockets(SocketQuery(states: .listen, localPort: port)).isEmpty)
    }

    @Test func `A client is usable again and again and holds one descriptor`() throws {
        let sockets = try Sockets()
        var client = try SockDiagClient()
        let query = SocketQuery(states: .listen, localPort: sockets.port)
        let cookie = try #require(try client.sockets(query).first?.cookie)
        for _ in 0..<1000 { #expect(try client.sockets(query).first?.cookie == cookie) }
    }
}
