import Glibc
import Testing

/// A listener on loopback and an established connection to it, gone with the value.
final class LoopbackConnection {
    let listenerPort, clientPort: UInt16
    private let listener, client, server: Int32

    init() throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(call(bind, listener, &address) == 0)
        try #require(listen(listener, 7) == 0)
        listenerPort = try localPort(listener)
        address.sin_port = listenerPort.bigEndian
        try #require(call(connect, client, &address) == 0)
        server = accept(listener, nil, nil)
        try #require(server >= 0)
        clientPort = try localPort(client)
    }

    deinit { for descriptor in [client, server, listener] { close(descriptor) } }

    /// Sets an option of the IP level on the client's side.
    func setClientOption(_ name: Int32, to value: Int32) throws {
        var value = value
        let status = setsockopt(client, Int32(IPPROTO_IP), name, &value, socklen_t(MemoryLayout<Int32>.size))
        try #require(status == 0)
    }

    /// Writes on the client's side what the server never reads.
    func send(_ count: Int) throws {
        try #require(write(client, [UInt8](repeating: 0, count: count), count) == count)
    }
}

private func call(
    _ function: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32,
    _ descriptor: Int32,
    _ address: inout sockaddr_in
) -> Int32 {
    withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            function(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

private func localPort(_ descriptor: Int32) throws -> UInt16 {
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
    }
    try #require(status == 0)
    return UInt16(bigEndian: address.sin_port)
}
