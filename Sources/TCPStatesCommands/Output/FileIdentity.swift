internal import LinuxLibC

/// Which regular file a path or a descriptor names, whether or not it is there yet.
struct FileIdentity: Equatable {
    private let device: UInt64
    private let inode: UInt64
    /// Of a file that is to be made, its name in the directory that the numbers are of.
    private let name: String

    /// Nil for a device, a pipe or a directory, and where there is not even a directory.
    init?(path: String) {
        var status = stat()
        if stat(path, &status) == 0 {
            self.init(status)
            return
        }
        self.init(missing: path)
    }

    private init?(missing path: String) {
        var status = stat()
        let parts = path.split(separator: "/", omittingEmptySubsequences: true)
        guard let last = parts.last else { return nil }
        let parent = parts.dropLast().joined(separator: "/")
        let directory = path.hasPrefix("/") ? "/" + parent : parent.isEmpty ? "." : parent
        guard stat(directory, &status) == 0 else { return nil }
        (device, inode, name) = (UInt64(status.st_dev), UInt64(status.st_ino), String(last))
    }

    /// Nil for anything but a regular file.
    init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    private init?(_ status: stat) {
        guard status.st_mode & S_IFMT == S_IFREG else { return nil }
        (device, inode, name) = (UInt64(status.st_dev), UInt64(status.st_ino), "")
    }
}
