internal import Glibc
package import SockDiag

/// A line of /proc/net/tcp or tcp6: what the kernel says without netlink. It has no bound-only sockets.
package struct ProcNetTCP: Hashable, Sendable {
    package let local: SocketEndpoint
    package let remote: SocketEndpoint
    package let state: TCPState
    package let sendQueue: UInt32
    package let receiveQueue: UInt32
    package let uid: UInt32
    /// 0 where no descriptor is open.
    package let inode: UInt64

    /// Reads a line; nil for the heading. Scopes are not in it.
    init?(_ line: Substring) {
        let fields = line.split(separator: " ")
        guard fields.count >= 10, let local = Self.endpoint(fields[1]), let remote = Self.endpoint(fields[2]),
            let state = UInt8(fields[3], radix: 16), let uid = UInt32(fields[7]), let inode = UInt64(fields[9])
        else { return nil }
        let queues = fields[4].split(separator: ":").compactMap { UInt32($0, radix: 16) }
        guard queues.count == 2 else { return nil }
        self.local = local
        self.remote = remote
        self.state = TCPState(rawValue: state)
        (sendQueue, receiveQueue) = (queues[0], queues[1])
        self.uid = uid
        self.inode = inode
    }

    /// `0100007F:1F90`: 32-bit words in host byte order, the port as a number.
    private static func endpoint(_ field: Substring) -> SocketEndpoint? {
        let parts = field.split(separator: ":")
        guard parts.count == 2, let port = UInt16(parts[1], radix: 16) else { return nil }
        var rest = parts[0]
        var words: [UInt64] = []
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
            words.append(UInt64(UInt32(bigEndian: word)))
            rest = rest.dropFirst(8)
        }
        switch words.count {
        case 1: return SocketEndpoint(IPAddress(ipv4: UInt32(words[0])), port: port)
        case 4: return SocketEndpoint(IPAddress(ipv6: words[0] << 32 | words[1], words[2] << 32 | words[3]), port: port)
        default: return nil
        }
    }
}

extension Lab {
    /// All lines of the namespace's /proc/net/tcp or tcp6, or of both, IPv4 first.
    package func procNetTCP(_ family: AddressFamily? = nil) throws(LabError) -> [ProcNetTCP] {
        guard let family else { return try procNetTCP(.ipv4) + procNetTCP(.ipv6) }
        let path = "/proc/thread-self/net/" + (family == .ipv4 ? "tcp" : "tcp6")
        let text = try run { () throws(LabError) in try Self.read(path) }
        return text.split(separator: "\n").compactMap(ProcNetTCP.init)
    }

    static func read(_ path: String) throws(LabError) -> String {
        let file = try Descriptor("open \(path)") { Glibc.open(path, O_RDONLY | O_CLOEXEC) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let length = try file.call("read \(path)") { Glibc.read($0, &buffer, buffer.count) }
            if length == 0 { return String(decoding: text, as: UTF8.self) }
            text += buffer.prefix(length)
        }
    }
}
