/// What names one socket for an exact lookup: the cookie, and the endpoints by which the kernel finds it.
///
/// Source: `struct inet_diag_sockid` of `<linux/inet_diag.h>`.
public struct SocketIdentity: Hashable, Sendable {
    /// The socket's own family: IPv6 also where the addresses are IPv4-mapped.
    public var family: AddressFamily
    /// The local endpoint.
    public var local: SocketEndpoint
    /// The peer's endpoint.
    public var remote: SocketEndpoint
    /// The kernel's name for it; without it a lookup could find the listener instead.
    public var cookie: SocketCookie
    /// The interface that it is bound to.
    public var interface: NetworkInterface?

    /// An identity.
    public init(
        family: AddressFamily,
        local: SocketEndpoint,
        remote: SocketEndpoint,
        cookie: SocketCookie,
        interface: NetworkInterface? = nil
    ) {
        self.family = family
        self.local = local
        self.remote = remote
        self.cookie = cookie
        self.interface = interface
    }
}
