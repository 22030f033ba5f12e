internal import Glibc
internal import Synchronization

/// A file descriptor that is closed once, at the latest with the object.
final class Descriptor: Sendable {
    private let number: Mutex<Int32?>

    /// Takes over an open descriptor.
    init(_ number: Int32) { self.number = Mutex(number) }

    /// Takes over the descriptor that a system call answers.
    convenience init(_ operation: String, _ open: () -> Int32) throws(LabError) {
        self.init(try systemCall(operation, open))
    }

    deinit { close() }

    /// The number; nil once closed.
    var rawValue: Int32? { number.withLock { $0 } }

    func close() {
        if let open = number.withLock({ $0.take() }) { _ = Glibc.close(open) }
    }

    /// A system call on the descriptor.
    @discardableResult
    func call<Result: SignedInteger>(_ operation: String, _ body: (Int32) -> Result) throws(LabError) -> Result {
        guard let rawValue else { throw LabError(.impossible, "\(operation): the descriptor is closed") }
        return try systemCall(operation) { body(rawValue) }
    }

    /// A system call on the descriptor that may fail in one way; then the answer is nil.
    func call<Result: SignedInteger>(
        _ operation: String,
        unless expected: Int32,
        _ body: (Int32) -> Result
    ) throws(LabError) -> Result? {
        do throws(LabError) {
            return try call(operation, body)
        } catch {
            guard case .systemCall(expected) = error.kind else { throw error }
            return nil
        }
    }

    /// Waits until there is something to read, or throws where there is nothing in time.
    func wait(until deadline: Deadline, _ awaited: @autoclosure () -> String) throws(LabError) {
        guard try deadline.poll([self]) else { throw LabError(.timedOut, "\(awaited()) did not come in time") }
    }

    /// Sets an option whose value is an `int`, or any structure.
    func setOption(_ level: Int32, _ option: Int32, _ value: some BitwiseCopyable, _ name: String) throws(LabError) {
        let size = socklen_t(MemoryLayout.size(ofValue: value))
        try call("setsockopt(\(name))") { descriptor in
            withUnsafePointer(to: value) { setsockopt(descriptor, level, option, $0, size) }
        }
    }
}

extension Descriptor {
    /// Reads an option into a copy of the given value; of a longer option only the beginning.
    func option<Value: BitwiseCopyable>(
        _ level: Int32,
        _ option: Int32,
        _ initial: Value,
        _ name: String
    ) throws(LabError) -> Value {
        var value = initial
        var size = socklen_t(MemoryLayout<Value>.size)
        try call("getsockopt(\(name))") { getsockopt($0, level, option, &value, &size) }
        return value
    }

    /// The local port of a bound socket.
    func localPort() throws(LabError) -> UInt16 { try port("getsockname", getsockname) }

    /// The remote port of a connected socket.
    func remotePort() throws(LabError) -> UInt16 { try port("getpeername", getpeername) }

    private func port(
        _ operation: String,
        _ name: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) throws(LabError) -> UInt16 {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        try call(operation) { descriptor in
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name(descriptor, $0, &length) }
            }
        }
        // The port has the same place in sockaddr_in and sockaddr_in6.
        return withUnsafeBytes(of: address) { UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)) }
    }
}
