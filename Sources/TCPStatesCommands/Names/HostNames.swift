internal import LinuxLibC
internal import SockDiag
internal import TCPRecords

extension HostNames {
    /// The names that the resolver knows; it is waited for.
    static var resolved: HostNames {
        HostNames(
            hosts: \.resolvedName,
            services: { serviceName($0, "tcp") },
            datagramServices: { serviceName($0, "udp") }
        )
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
