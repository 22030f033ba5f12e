internal import LinuxLibC

/// The system's names of services and hosts.
enum NameLookup {
    /// The TCP port of a service (`getservbyname_r(3)`).
    static func port(ofService name: String) -> UInt16? {
        guard !name.isEmpty, !name.utf8.contains(0) else { return nil }
        var entry = servent()
        var found: UnsafeMutablePointer<servent>?
        var buffer = [CChar](repeating: 0, count: 1024)
        while getservbyname_r(name, "tcp", &entry, &buffer, buffer.count, &found) == ERANGE, buffer.count < 1 << 20 {
            buffer = [CChar](repeating: 0, count: buffer.count * 2)
        }
        return found.map { UInt16(truncatingIfNeeded: UInt32($0.pointee.s_port)).bigEndian }
    }

    /// Why the resolver has no answer, in its own words.
    struct ResolverError: Error, CustomStringConvertible {
        let description: String
    }

    /// The addresses of a host, each once (`getaddrinfo(3)`).
    static func addresses(ofHost name: String, family: AddressFamily?) throws(ResolverError) -> [IPAddress] {
        guard !name.utf8.contains(0) else { throw ResolverError(description: "a name has no NUL") }
        var hints = addrinfo()
        hints.ai_family = family.map { Int32($0.rawValue) } ?? AF_UNSPEC
        hints.ai_socktype = SocketType.stream
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(name, nil, &hints, &list)
        guard status == 0 else { throw ResolverError(description: String(cString: gai_strerror(status))) }
        defer { freeaddrinfo(list) }
        var addresses: [IPAddress] = []
        var next = list
        while let entry = next?.pointee {
            if let address = entry.address, !addresses.contains(address) { addresses.append(address) }
            next = entry.ai_next
        }
        guard !addresses.isEmpty else { throw ResolverError(description: "none of TCP/IP") }
        return addresses
    }
}

extension addrinfo {
    fileprivate var address: IPAddress? {
        let bytes = UnsafeRawBufferPointer(start: ai_addr, count: ai_addr == nil ? 0 : Int(ai_addrlen)).bytes
        switch ai_family {
        case AF_INET:
            // struct sockaddr_in: family, port, address.
            return bytes.number(at: 4, as: UInt32.self).map { IPAddress(ipv4: UInt32(bigEndian: $0)) }
        case AF_INET6:
            // struct sockaddr_in6: family, port, flow, address.
            guard let high: UInt64 = bytes.number(at: 8), let low: UInt64 = bytes.number(at: 16) else { return nil }
            return IPAddress(ipv6: UInt64(bigEndian: high), UInt64(bigEndian: low))
        default: return nil
        }
    }
}
