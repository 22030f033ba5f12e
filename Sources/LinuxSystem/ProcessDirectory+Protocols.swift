internal import CMnl
internal import LinuxLibC

extension ProcessDirectory {
    /// The name of the protocol of the socket that a process holds by a descriptor, as the kernel calls it: `TCPv6`,
    /// `UNIX-STREAM`. Nil where the descriptor is another file by now, or may not be read.
    ///
    /// The number of a network namespace does not matter, nor whether a dump lists the socket.
    ///
    /// Source: `sockfs_xattr_get()` of `net/socket.c` (kernel 3.3): the `name` of the `struct proto` that the socket was
    /// made by.
    package func socketProtocol(of process: Int32, by descriptor: Int32, inode: UInt32) -> String? {
        var name = [CChar](repeating: 0, count: 64)
        let length = cmnl_socket_protocol("/proc/\(process)/fd/\(descriptor)", &name, UInt(name.count))
        guard length > 0 else { return nil }
        // A path says nothing of the file behind it: it may have been closed, and its number used again.
        var status = stat()
        guard fstatat(self.descriptor, "\(process)/fd/\(descriptor)", &status, 0) == 0,
            status.st_mode & S_IFMT == S_IFSOCK, status.st_ino == UInt(inode)
        else { return nil }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The network namespace that a process is in, by the device and the inode of its file; nil where it may not be known.
    package func networkNamespace(of process: Int32) -> (device: UInt64, inode: UInt64)? {
        var status = stat()
        guard fstatat(descriptor, "\(process)/ns/net", &status, 0) == 0 else { return nil }
        return (UInt64(status.st_dev), UInt64(status.st_ino))
    }
}
