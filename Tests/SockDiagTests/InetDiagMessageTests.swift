import SockDiag
import Testing

/// The fixed fields of a socket's message, each at its own offset and in its own byte order.
struct InetDiagMessageTests {
    @Test func `Every field of an IPv4 connection is read from its own bytes`() throws {
        let socket = try InetSocket(message: Message.establishedIPv4)
        #expect(socket.family == .ipv4)
        #expect(socket.state == .established)
        #expect(socket.local == SocketEndpoint(IPAddress(ipv4: 0xc000_0201), port: 443))
        #expect(socket.remote == SocketEndpoint(IPAddress(ipv4: 0xc633_6407), port: 52718))
        #expect(socket.interface == NetworkInterface(rawValue: 3))
        #expect(socket.cookie == SocketCookie(rawValue: 0xf_8765_4321))
        #expect(socket.timer == SocketTimer(kind: .keepalive, milliseconds: 10000, retransmits: 5))
        #expect(socket.retransmits == 5)
        #expect(socket.receiveQueue == 273)
        #expect(socket.sendQueue == 66082)
        #expect(socket.uid == 1000)
        #expect(socket.inode == 123_456_789)
        #expect(!socket.isMinisocket)
        #expect(socket.description == "ESTABLISHED 192.0.2.1:443 198.51.100.7:52718")
    }

    @Test func `All sixteen bytes of an IPv6 address are read`() throws {
        let socket = try InetSocket(message: Message.synSentIPv6)
        #expect(socket.family == .ipv6)
        #expect(socket.state == .synSent)
        #expect(socket.local == SocketEndpoint(IPAddress(ipv6: 0x2001_0db8_0000_0000, 1), port: 52718))
        #expect(socket.remote.address == IPAddress(ipv6: 0x2001_0db8_0001_0002, 0x0003_0004_0005_0006))
        #expect(socket.remote.port == 443)
        #expect(socket.interface == nil)
        #expect(socket.cookie == SocketCookie(rawValue: 0x7fff_fffe_ffff_ffff))
        #expect(socket.timer == SocketTimer(kind: .retransmission, milliseconds: 3000, retransmits: 3))
        #expect(socket.uid == .max)
        #expect(socket.description == "SYN_SENT [2001:db8::1]:52718 [2001:db8:1:2:3:4:5:6]:443")
    }

    @Test func `An IPv4 peer of an IPv6 socket keeps the family and the mapped form`() throws {
        let socket = try InetSocket(message: Message.closeWaitMapped)
        #expect(socket.family == .ipv6)
        #expect(socket.state == .closeWait)
        #expect(socket.remote.address.isIPv4Mapped)
        #expect(socket.remote.address.unmapped == IPAddress(ipv4: 0x7f00_0002))
        #expect(socket.identity.family == .ipv6)
        #expect(socket.timer == nil)
        #expect(socket.uid == 0, "root's own socket is root's")
        #expect(socket.description == "CLOSE_WAIT [::ffff:127.0.0.1]:8080 [::ffff:127.0.0.2]:50000")
    }

    @Test func `A link-local address bears its scope and an unspecified one does not`() throws {
        let socket = try InetSocket(message: Message.listenLinkLocal)
        #expect(socket.state == .listen)
        #expect(socket.local.scope == NetworkInterface(rawValue: 0x0102_0304))
        #expect(socket.remote.scope == nil)
        #expect(socket.remote == SocketEndpoint(.anyIPv6, port: 0))
        #expect(socket.receiveQueue == 2)
        #expect(socket.sendQueue == 128)
        #expect(socket.description == "LISTEN [fe80::2fc:ff:fe00:1%16909060]:22 [::]:*")
    }

    @Test(arguments: [(Message.request, TCPState.synReceived), (Message.timeWait, .timeWait)])
    func `A small entry has no owner rather than root`(message: [UInt8], state: TCPState) throws {
        let socket = try InetSocket(message: message)
        #expect(socket.state == state)
        #expect(socket.uid == nil)
        #expect(socket.inode == nil)
        #expect(socket.isMinisocket == (state == .timeWait))
        #expect(socket.tcpInfo == nil)
    }

    @Test func `The timer of a minisocket says when TIME_WAIT ends`() throws {
        let timer = try InetSocket(message: Message.timeWait).timer
        #expect(timer == SocketTimer(kind: .timeWait, milliseconds: 60000, retransmits: 0))
    }

    @Test func `A bound socket is distinguished from one whose connection is over`() throws {
        #expect(try InetSocket(message: Message.bound).state == .bound)
        #expect(try InetSocket(message: Message.bound).uid == 0)
        #expect(try InetSocket(message: Message.closed).state == .closed)
        var unbound = Message.closed
        unbound.replaceSubrange(4..<8, with: [0, 0, 0, 0])  // id.idiag_sport, id.idiag_dport
        #expect(try InetSocket(message: unbound).state == .closed)
    }

    @Test(arguments: [0, 7, 8, 9] as [UInt8])
    func `An unknown state and an unknown timer survive`(offset: UInt8) throws {
        var message = Message.establishedIPv4
        message[1] = 200 + offset  // idiag_state
        message[2] = 100 + offset  // idiag_timer
        let socket = try InetSocket(message: message)
        #expect(socket.state == TCPState(rawValue: 200 + offset))
        #expect(socket.state.description == "STATE_\(200 + offset)")
        #expect(socket.timer?.kind == SocketTimer.Kind(rawValue: 100 + offset))
        #expect(socket.timer?.kind.description == "timer_\(100 + offset)")
    }

    @Test func `The timers have the names of ss`() {
        let kinds: [SocketTimer.Kind] = [.retransmission, .keepalive, .timeWait, .windowProbe]
        #expect(kinds.map(\.description) == ["on", "keepalive", "timewait", "persist"])
        #expect(kinds.map(\.rawValue) == [1, 2, 3, 4])
    }

    @Test func `A borrowed record and an owned socket say the same`() throws {
        let bytes = Message.establishedIPv4
        let record = try SocketRecord(message: bytes.span.bytes)
        let socket = InetSocket(record)
        let alike = try InetSocket(message: bytes)
        #expect(socket == alike)
        #expect(Set([socket, alike]).count == 1)
        let identity = record.identity
        #expect(identity == socket.identity)
    }
}
