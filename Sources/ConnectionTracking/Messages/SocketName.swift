package import SocketValues

/// What names a socket, as flat words: a cookie and the endpoints. A ``SocketValues/SocketIdentity`` in 56 bytes.
package struct SocketName: Hashable, Sendable {
    /// The kernel's name.
    package var cookie: SocketCookie
    /// Both endpoints.
    package var endpoints: Endpoints
    /// The family of the socket.
    package var family: AddressFamily

    /// A name.
    package init(_ cookie: SocketCookie, _ endpoints: Endpoints, family: AddressFamily) {
        (self.cookie, self.endpoints, self.family) = (cookie, endpoints, family)
    }

    /// The name of an identity.
    package init(_ identity: SocketIdentity) {
        cookie = identity.cookie
        family = identity.family
        endpoints = Endpoints(identity)
    }

    /// The same endpoints, whichever socket has them.
    package var anonymous: SocketName { SocketName(.any, endpoints, family: family) }

    /// The identity.
    package var identity: SocketIdentity {
        let interface = endpoints.interface == 0 ? nil : NetworkInterface(rawValue: endpoints.interface)
        func endpoint(_ high: UInt64, _ low: UInt64, _ port: UInt16) -> SocketEndpoint {
            let address =
                family == .ipv6 ? IPAddress(ipv6: high, low) : IPAddress(ipv4: UInt32(truncatingIfNeeded: low))
            return SocketEndpoint(address, port: port, scope: address.isLinkLocal ? interface : nil)
        }
        return SocketIdentity(
            family: family,
            local: endpoint(endpoints.localHigh, endpoints.localLow, endpoints.localPort),
            remote: endpoint(endpoints.remoteHigh, endpoints.remoteLow, endpoints.remotePort),
            cookie: cookie,
            interface: interface
        )
    }
}

/// Both endpoints of a socket, as words: 40 bytes.
package struct Endpoints: Hashable, Sendable {
    package var localHigh, localLow: UInt64
    package var remoteHigh, remoteLow: UInt64
    /// The interface that it is bound to; 0 for none.
    package var interface: UInt32
    package var localPort: UInt16
    package var remotePort: UInt16

    /// The endpoints of the words.
    package init(
        local: (UInt64, UInt64),
        _ localPort: UInt16,
        remote: (UInt64, UInt64),
        _ remotePort: UInt16,
        interface: UInt32
    ) {
        (localHigh, localLow) = local
        (remoteHigh, remoteLow) = remote
        (self.localPort, self.remotePort, self.interface) = (localPort, remotePort, interface)
    }

    /// The endpoints of an identity.
    package init(_ identity: SocketIdentity) {
        self.init(
            local: identity.local.address.bits,
            identity.local.port,
            remote: identity.remote.address.bits,
            identity.remote.port,
            interface: identity.interface?.rawValue ?? 0
        )
    }

    /// The same connection as its peer has it.
    package var reversed: Endpoints {
        Endpoints(
            local: (remoteHigh, remoteLow),
            remotePort,
            remote: (localHigh, localLow),
            localPort,
            interface: interface
        )
    }

    /// The same with IPv4 addresses for IPv4-mapped ones: a socket of either family may follow one of the other.
    package var unmapped: Endpoints {
        guard localHigh == 0, remoteHigh == 0, localLow >> 32 == 0xffff, remoteLow >> 32 == 0xffff else { return self }
        var endpoints = self
        endpoints.localLow &= 0xffff_ffff
        endpoints.remoteLow &= 0xffff_ffff
        return endpoints
    }

    /// Whether both are one 4-tuple, for which the kernel has one connection. A socket that is bound to an interface and its
    /// minisocket name it; its successor need not.
    package func isSameTuple(as other: Endpoints) -> Bool {
        guard localPort == other.localPort, remotePort == other.remotePort,
            interface == other.interface || interface == 0 || other.interface == 0
        else { return false }
        let (left, right) = (unmapped, other.unmapped)
        return (left.localHigh, left.localLow) == (right.localHigh, right.localLow)
            && (left.remoteHigh, left.remoteLow) == (right.remoteHigh, right.remoteLow)
    }

    /// Whether there is a peer's address.
    package var hasRemoteAddress: Bool { remoteHigh != 0 || remoteLow != 0 }

    /// Whether both may be of one connection: equal, but for what one of them does not know yet or does not know any more.
    package func isCompatible(with other: Endpoints) -> Bool {
        guard remotePort == other.remotePort, (remoteHigh, remoteLow) == (other.remoteHigh, other.remoteLow) else {
            return false
        }
        guard localPort == other.localPort || localPort == 0 || other.localPort == 0 else { return false }
        return (localHigh, localLow) == (other.localHigh, other.localLow)
            || localHigh == 0 && localLow == 0 || other.localHigh == 0 && other.localLow == 0
    }

    /// A number that is the same for the same 4-tuple, see ``isSameTuple(as:)``, and mostly for no other.
    package var digest: UInt64 {
        func mixed(_ hash: UInt64, _ word: UInt64) -> UInt64 {
            let product = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
            return product ^ product >> 29
        }
        let ports = UInt64(localPort) << 16 | UInt64(remotePort)
        let bare = unmapped
        return mixed(mixed(mixed(mixed(ports, bare.localHigh), bare.localLow), bare.remoteHigh), bare.remoteLow)
    }
}
