import Glibc

/// A system call of a test's own that failed.
struct SystemError: Error, CustomStringConvertible {
    let call: String
    let errno: Int32

    init(_ call: String, errno: Int32 = Glibc.errno) { (self.call, self.errno) = (call, errno) }

    var description: String { "\(call): \(String(cString: strerror(errno)))" }
}

/// Runs a closure on a thread of its own, which may block.
func detachThread(_ body: @escaping @Sendable () -> Void) throws {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Box(body))
    let code = pthread_create(
        &thread,
        nil,
        { argument in
            if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
            return nil
        },
        box.toOpaque()
    )
    guard code == 0 else {
        box.release()
        throw SystemError("pthread_create", errno: code)
    }
    pthread_detach(thread)
}

/// All bytes of a file; nil where it cannot be read.
func contents(ofFile path: String) -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var contents: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = read(file, &buffer, buffer.count)
        guard count > 0 else { return count == 0 ? contents : nil }
        contents += buffer[..<count]
    }
}
