package import Glibc
package import SockDiag

extension IPAddress {
    /// The 4 or 16 octets in network order.
    var octets: [UInt8] {
        var octets = [UInt8](repeating: 0, count: family == .ipv4 ? 4 : 16)
        inet_pton(Int32(family.rawValue), description, &octets)
        return octets
    }

    /// ::ffff:a.b.c.d of an IPv4 address.
    var mapped: IPAddress {
        IPAddress(ipv6: 0, octets.reduce(0xffff) { $0 << 8 | UInt64($1) })
    }
}

extension SocketEndpoint {
    /// Hands the endpoint to a system call, as `sockaddr_in` or `sockaddr_in6`.
    package func withSocketAddress<Value>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
        var storage = sockaddr_storage()
        let octets = address.octets
        return withUnsafeMutablePointer(to: &storage) { storage in
            let bytes = UnsafeMutableRawPointer(storage)
            let length: Int
            if address.family == .ipv4 {
                let address = bytes.bindMemory(to: sockaddr_in.self, capacity: 1)
                address.pointee.sin_family = sa_family_t(AF_INET)
                address.pointee.sin_port = port.bigEndian
                withUnsafeMutableBytes(of: &address.pointee.sin_addr) { $0.copyBytes(from: octets) }
                length = MemoryLayout<sockaddr_in>.size
            } else {
                let address = bytes.bindMemory(to: sockaddr_in6.self, capacity: 1)
                address.pointee.sin6_family = sa_family_t(AF_INET6)
                address.pointee.sin6_port = port.bigEndian
                address.pointee.sin6_scope_id = scope?.rawValue ?? 0
                withUnsafeMutableBytes(of: &address.pointee.sin6_addr) { $0.copyBytes(from: octets) }
                length = MemoryLayout<sockaddr_in6>.size
            }
            return body(bytes.assumingMemoryBound(to: sockaddr.self), socklen_t(length))
        }
    }
}
