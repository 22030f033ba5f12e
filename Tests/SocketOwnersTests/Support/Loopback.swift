import Glibc

/// A connection of this process with itself, closed by the client first.
final class Loopback {
    let client: Int32
    let clientPort: UInt16
    private let server: Int32
    private var isOpen = true

    init() throws {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let listener = socket(AF_INET, type, 0)
        client = socket(AF_INET, type, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        var server: Int32 = -1
        var port: UInt16 = 0
        let (client) = (client)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard bind(listener, address, size) == 0, listen(listener, 1) == 0,
                    getsockname(listener, address, &size) == 0, connect(client, address, size) == 0
                else { return }
                server = accept(listener, nil, nil)
                getsockname(client, address, &size)
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        Glibc.close(listener)
        self.server = server
        clientPort = port
        guard server >= 0 else { throw TestSocket.Failure(call: "a loopback connection", errno: errno) }
    }

    deinit { close() }

    /// Closes both sockets.
    func close() {
        guard isOpen else { return }
        isOpen = false
        Glibc.close(client)
        Glibc.close(server)
    }
}
