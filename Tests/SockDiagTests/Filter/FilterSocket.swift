@testable import SockDiag

/// A socket made up for a filter: what a message of the kernel says of it, and what the kernel itself tests.
struct FilterSocket: CustomStringConvertible {
    var family = AddressFamily.ipv4
    var state = TCPState.established
    var local = SocketEndpoint(.loopbackIPv4, port: 40000)
    var remote = SocketEndpoint(.loopbackIPv4, port: 443)
    var interface: UInt32 = 0
    var cookie: UInt64 = 1
    var queues: (receive: UInt32, send: UInt32) = (0, 0)
    var uid: UInt32 = 1000
    var inode: UInt32 = 77
    var mark: UInt32 = 0
    var cgroup: UInt64 = 5
    /// Microseconds and segments of `tcp_info`; nil where the message has none.
    var info: (rtt: UInt32, retransmits: UInt32)?
    /// A half-open request or a TIME_WAIT: the kernel sends no owner, no group and no `tcp_info`.
    var isMinisocket: Bool { state == .timeWait || state == .synReceived }

    var socket: InetSocket {
        get throws { try InetSocket(message: message) }
    }

    var description: String {
        "\(state) \(local) \(remote) dev \(interface) cookie \(cookie) queues \(queues) uid \(uid) inode \(inode) "
            + "mark \(mark) cgroup \(cgroup) info \(String(describing: info))"
    }

    /// `struct inet_diag_msg` and attributes, as a little-endian machine's kernel sends them.
    var message: [UInt8] {
        var bytes: [UInt8] = [family.rawValue, state.rawValue, state == .timeWait ? 3 : 0, 0]
        bytes += Self.bytes(local.port.bigEndian) + Self.bytes(remote.port.bigEndian)
        bytes += local.address.diagBytes + remote.address.diagBytes
        bytes += Self.bytes(interface) + Self.bytes(cookie) + Self.bytes(UInt32(0))
        bytes += Self.bytes(queues.receive) + Self.bytes(queues.send)
        bytes += isMinisocket ? Self.bytes(UInt64(0)) : Self.bytes(uid) + Self.bytes(inode)
        bytes += Self.attribute(15, Self.bytes(mark))
        guard !isMinisocket else { return bytes }
        bytes += Self.attribute(21, Self.bytes(cgroup))
        if let info {
            var value = [UInt8](repeating: 0, count: 104)
            value.replaceSubrange(68..<72, with: Self.bytes(info.rtt))
            value.replaceSubrange(100..<104, with: Self.bytes(info.retransmits))
            bytes += Self.attribute(2, value)
        }
        return bytes
    }

    private static func attribute(_ type: UInt16, _ value: [UInt8]) -> [UInt8] {
        bytes(UInt16(value.count + 4)) + bytes(type) + value
    }

    private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number) { Array($0) }
    }

    /// A socket of few values, so that random filters find some and miss some.
    static func random(_ random: inout some RandomNumberGenerator) -> FilterSocket {
        var socket = FilterSocket()
        let pool = FilterPool.self
        socket.state = TCPState.allCases.randomElement(using: &random) ?? .established
        socket.family = Bool.random(using: &random) ? .ipv4 : .ipv6
        let addresses = pool.addresses.filter { $0.family == socket.family }
        func endpoint(_ random: inout some RandomNumberGenerator) -> SocketEndpoint {
            SocketEndpoint(
                addresses.randomElement(using: &random) ?? .anyIPv4,
                port: pool.ports.randomElement(using: &random) ?? 0
            )
        }
        (socket.local, socket.remote) = (endpoint(&random), endpoint(&random))
        socket.interface = .random(in: 0...2, using: &random)
        socket.cookie = .random(in: 1...3, using: &random)
        socket.queues = (.random(in: 0...3, using: &random), .random(in: 0...3, using: &random))
        socket.uid = .random(in: 0...2, using: &random)
        socket.inode = .random(in: 0...2, using: &random)
        socket.mark = .random(in: 0...3, using: &random)
        socket.cgroup = .random(in: 1...2, using: &random)
        if Bool.random(using: &random) {
            socket.info = (.random(in: 0...3, using: &random), .random(in: 0...2, using: &random))
        }
        return socket
    }
}

extension IPAddress {
    /// The 16 bytes of `idiag_src` and `idiag_dst`.
    var diagBytes: [UInt8] {
        let words = family == .ipv4 ? [low << 32, 0] : [high, low]
        return words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) } }
    }
}
