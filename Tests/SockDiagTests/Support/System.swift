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
