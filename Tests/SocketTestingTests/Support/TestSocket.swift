import Glibc
import LinuxSystem
import SockDiag

/// A TCP socket on 127.0.0.1, made by the calling thread and task; closed with the object.
final class TestSocket: Sendable {
    let descriptor: Int32

    struct Failure: Error {
        let call: String
        let errno: Int32
    }

    private init(_ call: String, _ descriptor: Int32) throws {
        self.descriptor = descriptor
        guard descriptor >= 0 else { throw Failure(call: call, errno: errno) }
    }

    /// A socket that is not used.
    convenience init() throws {
        try self.init("socket", socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
    }

    /// A listener on a port that the kernel chooses.
    static func listener() throws -> TestSocket {
        let listener = try TestSocket()
        let result = Self.withLoopback(0) { bind(listener.descriptor, $0, $1) }
        guard result == 0, listen(listener.descriptor, 16) == 0 else { throw Failure(call: "listen", errno: errno) }
        return listener
    }

    /// A client that is connected to a port.
    static func client(of port: UInt16) throws -> TestSocket {
        let client = try TestSocket()
        let result = Self.withLoopback(port) { connect(client.descriptor, $0, $1) }
        guard result == 0 else { throw Failure(call: "connect", errno: errno) }
        return client
    }

    /// The next connection.
    func accepted() throws -> TestSocket { try TestSocket("accept", accept(descriptor, nil, nil)) }

    deinit { close(descriptor) }

    /// Its own port.
    var port: UInt16 {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &size) }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func withLoopback<Result>(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result)
        -> Result
    {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = port.bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, size) }
        }
    }
}

/// Runs the closure on a thread of its own, of which nobody knows which test it works for.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
    let result = Outcome<Value>()
    let thread = try JoinedThread { result.set(Result(catching: body)) }
    thread.join()
    return try result.get()
}
