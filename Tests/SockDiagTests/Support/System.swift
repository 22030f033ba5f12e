import Dispatch
import Glibc
import Synchronization
import Testing

/// A system call of a test's own that failed.
struct SystemError: Error, CustomStringConvertible {
    let call: String
    let errno: Int32

    init(_ call: String, errno: Int32 = Glibc.errno) { (self.call, self.errno) = (call, errno) }

    var description: String { "\(call): \(String(cString: strerror(errno)))" }
}

/// Lets the process open so many descriptors, or cancels the test: the usual limit is 1024.
func allowDescriptors(_ count: UInt) throws {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    guard limit.rlim_max >= count else { try Test.cancel("the limit of open files is \(limit.rlim_max)") }
    limit.rlim_cur = max(limit.rlim_cur, count)
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
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

/// Runs a closure to its end on a thread of its own.
func runInThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) throws -> Value {
    let outcome = Outcome<Value>()
    try detachThread {
        let value = body()
        outcome.value.withLock { $0 = value }
        outcome.isThere.signal()
    }
    outcome.isThere.wait()
    guard let value = outcome.value.withLock({ $0 }) else { throw SystemError("the thread's closure", errno: 0) }
    return value
}

private final class Outcome<Value: Sendable>: Sendable {
    let value = Mutex<Value?>(nil)
    let isThere = DispatchSemaphore(value: 0)
}
