package import SockDiag

/// Over which addresses a connection runs: documentation addresses (RFC 5737, RFC 3849) or link-local ones.
package enum LabNetwork: CaseIterable, Sendable {
    /// 192.0.2.1 to 192.0.2.2
    case ipv4
    /// 2001:db8::1 to 2001:db8::2
    case ipv6
    /// ::ffff:192.0.2.1 to ::ffff:192.0.2.2: an IPv6 socket that talks IPv4, the child of a [::] listener.
    case ipv4Mapped
    /// fe80::1 to fe80::2, each scoped by the device.
    case linkLocal

    /// The kernel's endpoint, as its socket shows it.
    package func kernelEndpoint(port: UInt16) -> SocketEndpoint {
        switch self {
        case .ipv4: SocketEndpoint(Self.kernelIPv4, port: port)
        case .ipv6: SocketEndpoint(Self.kernelIPv6, port: port)
        case .ipv4Mapped: SocketEndpoint(Self.kernelIPv4.mapped, port: port)
        case .linkLocal: SocketEndpoint(Self.kernelLinkLocal, port: port, scope: Wire.device)
        }
    }

    /// The scripted peer's endpoint, as the kernel's socket shows it.
    package func peerEndpoint(port: UInt16) -> SocketEndpoint {
        switch self {
        case .ipv4: SocketEndpoint(Self.peerIPv4, port: port)
        case .ipv6: SocketEndpoint(Self.peerIPv6, port: port)
        case .ipv4Mapped: SocketEndpoint(Self.peerIPv4.mapped, port: port)
        case .linkLocal: SocketEndpoint(Self.peerLinkLocal, port: port, scope: Wire.device)
        }
    }

    /// Where a listener binds: the kernel's endpoint, but :: where it must take IPv4 clients.
    func listeningEndpoint(port: UInt16) -> SocketEndpoint {
        self == .ipv4Mapped ? SocketEndpoint(.anyIPv6, port: port) : kernelEndpoint(port: port)
    }

    /// The address of both endpoints of a connection over the loopback device; nil for link-local, which that device has none of.
    var loopback: IPAddress? {
        switch self {
        case .ipv4: .loopbackIPv4
        case .ipv6: .loopbackIPv6
        case .ipv4Mapped: .loopbackIPv4.mapped
        case .linkLocal: nil
        }
    }

    /// The addresses in the packets.
    var onTheWire: (kernel: IPAddress, peer: IPAddress) {
        (kernelEndpoint(port: 0).address.unmapped, peerEndpoint(port: 0).address.unmapped)
    }

    static let kernelIPv4 = IPAddress(ipv4: 0xc000_0201)
    static let peerIPv4 = IPAddress(ipv4: 0xc000_0202)
    static let kernelIPv6 = IPAddress(ipv6: 0x2001_0db8 << 32, 1)
    static let peerIPv6 = IPAddress(ipv6: 0x2001_0db8 << 32, 2)
    static let kernelLinkLocal = IPAddress(ipv6: 0xfe80 << 48, 1)
    static let peerLinkLocal = IPAddress(ipv6: 0xfe80 << 48, 2)
}
