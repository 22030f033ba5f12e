import Glibc

/// A TCP socket of this process, closed with the object.
final class TestSocket: Sendable {
    let descriptor: Int32
    let inode: UInt32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0 else { throw Failure(call: "socket", errno: errno) }
        inode = UInt32(truncatingIfNeeded: status.st_ino)
    }

    deinit { close(descriptor) }

    struct Failure: Error {
        let call: String
        let errno: Int32
    }
}
