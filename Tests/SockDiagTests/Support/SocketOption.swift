import Glibc

/// `getsockopt(2)` and `setsockopt(2)`: what a test reads and sets without netlink.
enum SocketOption {
    // Numbers of <asm-generic/socket.h>, <linux/in.h>, <linux/in6.h> and <linux/tcp.h> that Glibc's headers lack.
    static let memInfo: Int32 = 55  // SO_MEMINFO
    static let netnsCookie: Int32 = 71  // SO_NETNS_COOKIE
    static let bindAddressNoPort: Int32 = 24  // IP_BIND_ADDRESS_NO_PORT
    static let recverrRFC4884: Int32 = 26  // IP_RECVERR_RFC4884
    static let congestionInfo: Int32 = 26  // TCP_CC_INFO
    static let fastOpenConnect: Int32 = 30  // TCP_FASTOPEN_CONNECT
    static let md5: Int32 = 14  // TCP_MD5SIG
    static let md5Extended: Int32 = 32  // TCP_MD5SIG_EXT
    static let tcp = Int32(IPPROTO_TCP)
    static let ip = Int32(IPPROTO_IP)
    static let ipv6 = Int32(IPPROTO_IPV6)

    /// The option's value as bytes, as many as the kernel has.
    static func bytes(_ descriptor: Int32, _ level: Int32, _ name: Int32, count: Int = 512) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var size = socklen_t(count)
        guard getsockopt(descriptor, level, name, &bytes, &size) == 0 else {
            throw SystemError("getsockopt(\(level), \(name))")
        }
        return Array(bytes.prefix(Int(size)))
    }

    /// The option's value as an `int`.
    static func number(_ descriptor: Int32, _ level: Int32, _ name: Int32) throws -> Int32 {
        try bytes(descriptor, level, name, count: 4).withUnsafeBytes { $0.loadUnaligned(as: Int32.self) }
    }

    static func set(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ bytes: [UInt8]) throws {
        guard setsockopt(descriptor, level, name, bytes, socklen_t(bytes.count)) == 0 else {
            throw SystemError("setsockopt(\(level), \(name))")
        }
    }

    static func set(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ number: Int32) throws {
        try set(descriptor, level, name, withUnsafeBytes(of: number) { Array($0) })
    }
}
