internal import LinuxLibC
internal import SockDiag

/// The names of hosts and services, as the resolver knows them; it is waited for.
struct HostNames {
    private var hosts: NameCache<IPAddress>
    private var services: NameCache<UInt16>
    private var datagramServices: NameCache<UInt16>

    /// Names from other sources; the resolver's where there is none.
    init(
        hosts: @escaping (IPAddress) -> String? = \.resolvedName,
        services: @escaping (UInt16) -> String? = { serviceName($0, "tcp") },
        datagramServices: @escaping (UInt16) -> String? = { serviceName($0, "udp") }
    ) {
        self.hosts = NameCache(hosts)
        self.services = NameCache(services)
        self.datagramServices = NameCache(datagramServices)
    }

    /// The host's name; nil where it has none.
    mutating func host(_ address: IPAddress) -> String? { address.isAny ? nil : hosts.name(of: address.unmapped) }

    /// The name of the service on the port, of UDP's or else of TCP's; nil where it has none.
    mutating func service(_ port: UInt16, over transport: SocketProtocol = .tcp) -> String? {
        guard port != 0 else { return nil }
        return transport == .udp ? datagramServices.name(of: port) : services.name(of: port)
    }
}

/// The service's name in `/etc/services`.
private func serviceName(_ port: UInt16, _ transport: String) -> String? {
    getservbyport(Int32(port.bigEndian), transport).map { String(cString: $0.pointee.s_name) }
}

extension IPAddress {
    /// The name that `getnameinfo(3)` finds.
    fileprivate var resolvedName: String? {
        guard family == .ipv6 else {
            var v4 = sockaddr_in()
            v4.sin_family = sa_family_t(AF_INET)
            v4.sin_addr.s_addr = UInt32(truncatingIfNeeded: low).bigEndian
            return nameInfo(v4)
        }
        var v6 = sockaddr_in6()
        v6.sin6_family = sa_family_t(AF_INET6)
        withUnsafeMutableBytes(of: &v6.sin6_addr) { bytes in
            bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
            bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        return nameInfo(v6)
    }
}

private func nameInfo<Address>(_ address: Address) -> String? {
    withUnsafeBytes(of: address) { bytes in
        guard let start = bytes.baseAddress else { return nil }
        var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let socketAddress = start.assumingMemoryBound(to: sockaddr.self)
        let (size, room) = (socklen_t(bytes.count), socklen_t(name.count))
        guard getnameinfo(socketAddress, size, &name, room, nil, 0, NI_NAMEREQD) == 0 else { return nil }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
