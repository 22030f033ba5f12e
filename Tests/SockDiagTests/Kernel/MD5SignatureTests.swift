import Glibc
import SockDiag
import Testing

@testable import TCPStateLab

/// Keys set on a real socket: who is signed for is reported, the key is not.
struct MD5SignatureTests {
    /// `struct tcp_md5sig` of `<linux/tcp.h>`
    private func option(_ peer: IPAddress, prefix: UInt8? = nil, key: String) -> [UInt8] {
        var address = SocketEndpoint(peer, port: 0).withSocketAddress { address, length in
            [UInt8](UnsafeRawBufferPointer(start: address, count: Int(length)))
        }
        address += [UInt8](repeating: 0, count: 128 - address.count)  // tcpm_addr: struct sockaddr_storage
        let key = Array(key.utf8)
        return address
            + [prefix == nil ? 0 : 1, prefix ?? 0]  // tcpm_flags: TCP_MD5SIG_FLAG_PREFIX, tcpm_prefixlen
            + Datagram.bytes(UInt16(key.count)) + [0, 0, 0, 0]  // tcpm_keylen, tcpm_ifindex
            + key + [UInt8](repeating: 0, count: 80 - key.count)  // tcpm_key
    }

    private func set(_ option: [UInt8], extended: Bool, on socket: KernelSocket) throws {
        let descriptor = try #require(socket.descriptor)
        let name = extended ? SocketOption.md5Extended : SocketOption.md5
        do {
            try SocketOption.set(descriptor, SocketOption.tcp, name, option)
        } catch let error as SystemError where error.errno == ENOPROTOOPT {
            try Test.cancel("this kernel has no TCP_MD5SIG (CONFIG_TCP_MD5SIG)")
        }
    }

    @Test func `Every signed peer of a socket is read back without its key`() throws {
        try Lab.with { lab in
            let listener = try lab.listener(over: .ipv4Mapped)
            #expect(try lab.row(of: listener, extensions: .info).md5Signatures.isEmpty)
            let v6 = try #require(IPAddress("2001:db8::7"))
            let mapped = try #require(IPAddress("::ffff:192.0.2.9"))
            try set(option(v6, key: "the first key"), extended: false, on: listener)
            try set(option(mapped, key: "key2"), extended: false, on: listener)
            try set(option(v6, prefix: 64, key: "the key of a network"), extended: true, on: listener)

            let row = try lab.row(of: listener, extensions: .info)
            let signatures = row.md5Signatures
            let texts = signatures.map { "\($0.address)/\($0.prefixLength) \($0.keyLength)" }
            #expect(Set(texts) == ["2001:db8::7/128 13", "192.0.2.9/32 4", "2001:db8::7/64 20"])
            #expect(!"\(signatures) \(row)".contains("key2"))
            #expect(row.attribute(.md5Signatures)?.count == 300)
        }
    }

    @Test func `The peers of an IPv4 socket are IPv4 addresses`() throws {
        try Lab.with { lab in
            let listener = try lab.listener()
            let network = try #require(IPAddress("10.1.0.0"))
            try set(option(network, prefix: 16, key: "k"), extended: true, on: listener)
            let signature = try #require(try lab.row(of: listener, extensions: .info).md5Signatures.first)
            #expect((signature.address, signature.prefixLength, signature.keyLength) == (network, 16, 1))
        }
    }
}
