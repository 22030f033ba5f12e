internal import LinuxLibC

/// An open directory, closed with the value.
package struct Directory: ~Copyable {
    private let stream: OpaquePointer

    /// For calls that take a path relative to it.
    package let descriptor: Int32

    /// Opens a directory; a relative path starts at the directory `parent`.
    package init(_ path: String, in parent: Int32 = AT_FDCWD) throws(Errno) {
        let result = openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard result >= 0 else { throw .last }
        guard let stream = fdopendir(result) else {
            let failure = Errno.last
            close(result)
            throw failure
        }
        self.stream = stream
        descriptor = result
    }

    deinit { closedir(stream) }

    /// Calls `body` with the name of every entry but `.` and `..`, until it answers false. What cannot be read to its
    /// end, as the directory of a process that has just died, ends there.
    package func forEachName(_ body: (UnsafePointer<CChar>) -> Bool) {
        guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return }
        while let entry = readdir(stream) {
            let name = UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self)
            guard strcmp(name, ".") != 0, strcmp(name, "..") != 0 else { continue }
            guard body(name) else { return }
        }
    }

    /// Calls `body` with every entry whose name is a number: a process of `/proc`, a thread, a descriptor.
    package func forEachNumber(_ body: (Int32) -> Void) {
        forEachName { name in
            if let number = Int32(String(cString: name)) { body(number) }
            return true
        }
    }
}
