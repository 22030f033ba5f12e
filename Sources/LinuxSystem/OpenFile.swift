internal import LinuxLibC

/// An error number of the system, for callers that make their own error of it.
package struct Errno: Error, Hashable, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }

    /// The number of the call that failed just now.
    package static var last: Errno { Errno(rawValue: errno) }

    /// Whether the process or the file that was there is there no more.
    package var isGone: Bool { rawValue == ENOENT || rawValue == ESRCH }

    /// Whether a privilege is missing.
    package var isRefusal: Bool { rawValue == EACCES || rawValue == EPERM }
}

/// An open file, closed with the value.
package struct OpenFile: ~Copyable {
    package let descriptor: Int32

    /// Opens a file for reading; a relative path starts at the directory `parent`.
    package init(_ path: String, in parent: Int32 = AT_FDCWD, flags: Int32 = 0) throws(Errno) {
        while true {
            let result = openat(parent, path, O_RDONLY | O_CLOEXEC | flags)
            if result >= 0 {
                descriptor = result
                return
            }
            guard errno == EINTR else { throw .last }
        }
    }

    deinit { close(descriptor) }

    /// The first `limit` bytes of a file of `/proc` that gives them in one piece, as one with a single line does. Others give
    /// a page at a time: ``whole(_:in:)``.
    package static func start(of path: String, in parent: Int32 = AT_FDCWD, limit: Int) throws(Errno) -> [UInt8] {
        let file = try OpenFile(path, in: parent)
        var failure: Errno?
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            let length = read(file.descriptor, buffer.baseAddress, limit)
            if length < 0 { failure = .last }
            count = max(length, 0)
        }
        if let failure { throw failure }
        return bytes
    }

    /// All bytes of a file.
    package static func whole(_ path: String, in parent: Int32 = AT_FDCWD) throws(Errno) -> [UInt8] {
        let file = try OpenFile(path, in: parent)
        var bytes: [UInt8] = []
        var status = stat()
        // A file of /proc has no size, and gives a page at a time.
        let size = fstat(file.descriptor, &status) == 0 ? Int(status.st_size) : 0
        bytes.reserveCapacity(size + 1)
        let step = min(max(size + 1, 4096), 1 << 20)
        while true {
            var failure: Errno?
            let part = [UInt8](unsafeUninitializedCapacity: step) { buffer, count in
                let length = read(file.descriptor, buffer.baseAddress, buffer.count)
                if length < 0 { failure = .last }
                count = max(length, 0)
            }
            if let failure {
                guard failure.rawValue == EINTR else { throw failure }
            } else if part.isEmpty {
                return bytes
            }
            bytes += part
        }
    }
}
