import Glibc
import SockDiag
import Testing

@testable import TCPStateLab

extension Lab {
    /// A lab and what a test does with it; closed at the end.
    static func with<Result>(_ body: (Lab) throws -> Result) throws -> Result {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        return try body(lab)
    }

    /// Runs the closure with a client of the lab's namespace, on the lab's thread.
    func withClient<Result>(_ body: (inout SockDiagClient) throws -> Result) throws -> Result {
        try run {
            var client = try SockDiagClient()
            return try body(&client)
        }
    }

    /// What a dump of the namespace yields.
    func dump(_ query: SocketQuery = SocketQuery()) throws -> [InetSocket] { try withClient { try $0.sockets(query) } }

    /// The one row of a dump that is a connection's.
    func row(of connection: Connection, extensions: SocketExtensions = []) throws -> InetSocket {
        let rows = try dump(SocketQuery(extensions: extensions)).filter {
            $0.local.port == connection.local.port && $0.remote.port == connection.remote.port
        }
        #expect(rows.count == 1)
        return try #require(rows.first)
    }

    /// The one row of a dump that has the inode of a socket.
    func row(of socket: KernelSocket, extensions: SocketExtensions = []) throws -> InetSocket {
        let inode = try socket.inode()
        let rows = try dump(SocketQuery(extensions: extensions)).filter { $0.inode.map(UInt64.init) == inode }
        #expect(rows.count == 1)
        return try #require(rows.first)
    }

    /// The socket of an identity as it is now.
    func lookUp(_ identity: SocketIdentity, extensions: SocketExtensions = []) throws -> InetSocket? {
        try withClient { try $0.socket(identity, extensions: extensions) }
    }

    /// A socket bound to an endpoint, with options that must be set before.
    func socket(boundTo endpoint: SocketEndpoint, with options: (Int32) throws -> Void) throws -> KernelSocket {
        let descriptor = try open(endpoint.address.family)
        try options(#require(descriptor.rawValue))
        try descriptor.call("bind \(endpoint)") { descriptor in
            endpoint.withSocketAddress { Glibc.bind(descriptor, $0, $1) }
        }
        return keep(try KernelSocket(descriptor, address: endpoint.address, scope: endpoint.scope))
    }
}

extension LoopbackPair {
    /// Waits until both endpoints have acknowledged all that came: then nothing happens on the connection any more.
    func settle() throws {
        for socket in [client, accepted] {
            var unacknowledged: Int32 = 0
            repeat {
                try socket.call("ioctl(SIOCOUTQ)") { ioctl($0, UInt(TIOCOUTQ), &unacknowledged) }
                sched_yield()
            } while unacknowledged != 0
        }
    }
}
