import Glibc
import SockDiag
import Testing

@testable import TCPStateLab

/// Dumps that take many datagrams: every socket once, and none of another namespace.
struct ManySocketsTests {
    @Test(arguments: [SocketExtensions(), .all]) func `Every one of thousands is yielded once`(
        extensions: SocketExtensions
    )
        throws
    {
        try allowDescriptors(8192)
        try Lab.with { lab in
            var expected: Set<SocketCookie> = []
            var kept: [LoopbackPair] = []
            for number in 0..<400 {
                let pair = try lab.loopbackPair(over: [.ipv4, .ipv6, .ipv4Mapped][number % 3])
                for socket in [pair.client, pair.accepted, pair.listener] { expected.insert(try socket.cookie()) }
                kept.append(pair)
            }
            #expect(expected.count == 1200)
            try lab.withClient { client in
                for _ in 0..<3 {
                    var cookies: [SocketCookie] = []
                    try client.forEach(SocketQuery(extensions: extensions)) { cookies.append($0.cookie) }
                    #expect(cookies.count == 1200)
                    #expect(Set(cookies) == expected)
                }
                let clients = Set(kept.map(\.client.local.port))
                var found = 0
                for port in clients {
                    found += try client.sockets(SocketQuery(states: .established, localPort: port)).count
                }
                #expect(found == 400)
            }
        }
    }

    @Test(arguments: [LabNetwork.ipv4, .ipv6]) func `Every half-open request is yielded once and is found`(
        network: LabNetwork
    )
        throws
    {
        try Lab.with { lab in
            let requests = try lab.flood(1000, over: network)
            let rows = try lab.dump(SocketQuery(states: .synReceived))
            #expect(rows.count == 1000)
            #expect(Set(rows.map(\.cookie)).count == 1000)
            #expect(Set(rows.map(\.remote)) == Set(requests.map(\.remote)))
            let found = try lab.withClient { client in
                try rows.prefix(100).map { try client.socket($0.identity)?.cookie }
            }
            #expect(found == rows.prefix(100).map(\.cookie))
        }
    }

    @Test func `A client sees the namespace it was made in wherever it is used`() throws {
        final class Holder {
            var client: SockDiagClient
            init() throws { client = try SockDiagClient() }
        }
        try Lab.with { lab in
            try Lab.with { other in
                let listener = try lab.listener()
                try other.listener(over: .ipv6)
                try other.listener(over: .ipv6)
                let inside = try lab.run { try Holder() }
                #expect(try inside.client.sockets().map(\.cookie) == [listener.cookie()])
                let count = try other.run { try inside.client.sockets().count }
                #expect(count == 1)
                #expect(try other.dump().count == 2)
                let identity = try #require(try inside.client.sockets().first?.identity)
                #expect(try inside.client.socket(identity) != nil)
                #expect(try other.lookUp(identity) == nil)
            }
        }
    }

    @Test func `The interface is named as in the client's namespace`() throws {
        try Lab.with { lab in
            let row = try lab.row(of: lab.client(over: .linkLocal))
            let scope = try #require(row.local.scope)
            try lab.withClient { client in
                #expect(client.name(of: scope) == "lab0")
                #expect(client.name(of: NetworkInterface(rawValue: 1)) == "lo")
                #expect(client.name(of: NetworkInterface(rawValue: 4711)) == nil)
                #expect(client.name(of: NetworkInterface(rawValue: .max)) == nil)
            }
        }
    }

    @Test func `A socket that is bound to an interface has it and is found by it`() throws {
        try Lab.with { lab in
            let listener = try lab.socket(boundTo: SocketEndpoint(.anyIPv4, port: 80)) {
                try SocketOption.set($0, SOL_SOCKET, SO_BINDTODEVICE, Array("lab0".utf8))
            }
            try listener.call("listen") { listen($0, 1) }
            let row = try lab.row(of: listener)
            let interface = try #require(row.interface)
            let name = try lab.withClient { $0.name(of: interface) }
            #expect(name == "lab0")
            #expect(row.local.scope == nil, "only a link-local address has a scope")
            #expect(try lab.lookUp(row.identity)?.cookie == row.cookie)
        }
    }
}
