internal import LinuxSystem

/// The protocol of a socket by the kernel's own name for it, as `/proc/PID/fd` has it also of a socket that no dump lists.
///
/// Source: `system.sockprotoname` of `net/socket.c` (kernel 3.3), the names of `struct proto`.
public struct SocketProtocolName: RawRepresentable, Hashable, Sendable {
    /// The kernel's name.
    public let rawValue: String

    /// A protocol of any name.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// TCP over IPv4.
    public static let tcp = SocketProtocolName(rawValue: "TCP")
    /// TCP over IPv6, and over IPv4 by an IPv6 socket.
    public static let tcpv6 = SocketProtocolName(rawValue: "TCPv6")
    /// MPTCP over IPv4 (kernel 5.6).
    public static let mptcp = SocketProtocolName(rawValue: "MPTCP")
    /// MPTCP over IPv6 (kernel 5.6).
    public static let mptcpv6 = SocketProtocolName(rawValue: "MPTCPv6")
    /// UDP over IPv4.
    public static let udp = SocketProtocolName(rawValue: "UDP")
    /// UDP over IPv6.
    public static let udpv6 = SocketProtocolName(rawValue: "UDPv6")
    /// A UNIX socket of datagrams or packets; before kernel 5.15 every UNIX socket.
    public static let unix = SocketProtocolName(rawValue: "UNIX")
    /// A UNIX socket that is a stream (kernel 5.15).
    public static let unixStream = SocketProtocolName(rawValue: "UNIX-STREAM")
    /// Netlink.
    public static let netlink = SocketProtocolName(rawValue: "NETLINK")

    /// That of a socket that processes hold; nil where none of them may be read, or holds it still.
    init?(of inode: UInt32, heldBy holders: [SocketHolder], in proc: borrowing ProcessDirectory) {
        for holder in holders {
            guard let descriptor = holder.owner.descriptor else { continue }
            if let name = proc.socketProtocol(of: holder.process.pid, by: descriptor, inode: inode) {
                self.init(rawValue: name); return
            }
        }
        return nil
    }

    /// Whether its sockets have TCP's states.
    var isTCP: Bool { self == .tcp || self == .tcpv6 || isMPTCP }

    /// Whether it is MPTCP, whose sockets have a dump of their own.
    var isMPTCP: Bool { self == .mptcp || self == .mptcpv6 }
}

extension SocketProtocolName: CustomStringConvertible {
    /// The name.
    public var description: String { rawValue }
}
