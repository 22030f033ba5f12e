/// The socket options that the kernel reports as bits.
///
/// Source: `struct inet_diag_sockopt` of `<linux/inet_diag.h>` (kernel 5.10); its first byte is the low one here.
public struct SocketOptions: OptionSet, Hashable, Sendable {
    /// The bits, also those that this version does not know.
    public var rawValue: UInt16

    /// Options of any bits.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// `IP_RECVERR`
    public static let recverr = SocketOptions(rawValue: 1 << 0)
    /// The socket is connection-oriented.
    public static let isConnectionOriented = SocketOptions(rawValue: 1 << 1)
    /// `IP_FREEBIND`
    public static let freebind = SocketOptions(rawValue: 1 << 2)
    /// `IP_HDRINCL`
    public static let hdrincl = SocketOptions(rawValue: 1 << 3)
    /// `IP_MULTICAST_LOOP`
    public static let multicastLoop = SocketOptions(rawValue: 1 << 4)
    /// `IP_TRANSPARENT`
    public static let transparent = SocketOptions(rawValue: 1 << 5)
    /// `IP_MULTICAST_ALL`
    public static let multicastAll = SocketOptions(rawValue: 1 << 6)
    /// `IP_NODEFRAG`
    public static let nodefrag = SocketOptions(rawValue: 1 << 7)
    /// `IP_BIND_ADDRESS_NO_PORT`
    public static let bindAddressNoPort = SocketOptions(rawValue: 1 << 8)
    /// `IP_RECVERR_RFC4884`
    public static let recverrRFC4884 = SocketOptions(rawValue: 1 << 9)
    /// `TCP_FASTOPEN_CONNECT`: connects with the first data.
    public static let deferConnect = SocketOptions(rawValue: 1 << 10)
}

/// The directions of a connection that this side has ended.
///
/// Source: `sk_shutdown`, the bits `RCV_SHUTDOWN` and `SEND_SHUTDOWN`.
public struct ShutdownDirections: OptionSet, Hashable, Sendable {
    /// The bits.
    public var rawValue: UInt8

    /// Directions of any bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Nothing more is received: the peer's FIN came, or `shutdown(SHUT_RD)` was called.
    public static let receive = ShutdownDirections(rawValue: 1)
    /// Nothing more is sent: a FIN is on its way, or was.
    public static let send = ShutdownDirections(rawValue: 2)
}
