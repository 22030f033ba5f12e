internal import CMnl
internal import LinuxLibC

extension ProcessDirectory {
    /// The name of the protocol of the socket that a process holds by a descriptor, as the kernel calls it: `TCPv6`,
    /// `UNIX-STREAM`. Nil where the descriptor is another file by now, or may not be read.
    ///
    /// It does not matter which network namespace the socket is in, nor whether a dump lists it.
    ///
    /// Source: `sockfs_xattr_get()` of `net/socket.c` (kernel 3.3): the `name` of the `struct proto` that the socket was
    /// made by.
    package func socketProtocol(of process: Int32, by descriptor: Int32, inode: UInt32) -> String? {
        guard let task = livingTask(of: process) else { return nil }
        var name = [CChar](repeating: 0, count: 64)
        let length = cmnl_socket_protocol("/proc/\(task)/fd/\(descriptor)", &name, UInt(name.count))
        guard length > 0 else { return nil }
        // A path says nothing of the file behind it: it may have been closed, and its number used again.
        guard user(ofSocket: inode, at: "\(task)/fd/\(descriptor)") != nil else { return nil }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The user whose the socket is that a process holds by a descriptor, as a dump would have it; nil where the descriptor is
    /// another file by now, or may not be read.
    package func socketUser(of process: Int32, by descriptor: Int32, inode: UInt32) -> UInt32? {
        livingTask(of: process).flatMap { user(ofSocket: inode, at: "\($0)/fd/\(descriptor)") }
    }

    private func user(ofSocket inode: UInt32, at path: String) -> UInt32? {
        var status = stat()
        guard fstatat(descriptor, path, &status, 0) == 0, status.st_mode & S_IFMT == S_IFSOCK,
            status.st_ino == UInt(inode)
        else { return nil }
        return status.st_uid
    }

    /// A network namespace that a thread of a process is in.
    package struct NamespaceOfThread {
        /// The device of its file.
        package let device: UInt64
        /// The inode of its file.
        package let inode: UInt64
        /// Its file.
        package let path: String
    }

    /// The network namespace that a process is in; nil where it may not be known.
    package func networkNamespace(of process: Int32) -> NamespaceOfThread? {
        guard let task = livingTask(of: process) else { return nil }
        return networkNamespace(ofTask: task)
    }

    /// The network namespaces that the threads of a process are in, each once.
    package func networkNamespaces(ofThreadsOf process: Int32) -> [NamespaceOfThread] {
        var found: [NamespaceOfThread] = []
        for thread in threads(of: process) {
            guard let new = networkNamespace(ofTask: "\(process)/task/\(thread)"),
                !found.contains(where: { $0.inode == new.inode })
            else { continue }
            found.append(new)
        }
        return found
    }

    private func networkNamespace(ofTask task: String) -> NamespaceOfThread? {
        var status = stat()
        guard fstatat(descriptor, "\(task)/ns/net", &status, 0) == 0 else { return nil }
        let path = "/proc/\(task)/ns/net"
        return NamespaceOfThread(device: UInt64(status.st_dev), inode: UInt64(status.st_ino), path: path)
    }

    /// The directory of a process, or of a thread of it where the main one has ended before the others.
    private func livingTask(of process: Int32) -> String? {
        // What has ended has no namespaces any more, and no descriptors.
        if networkNamespace(ofTask: "\(process)") != nil { return "\(process)" }
        for thread in threads(of: process) {
            let task = "\(process)/task/\(thread)"
            if networkNamespace(ofTask: task) != nil { return task }
        }
        return nil
    }

    private func threads(of process: Int32) -> [Int32] {
        var threads: [Int32] = []
        if let directory = try? Directory("\(process)/task", in: descriptor) {
            directory.forEachNumber { threads.append($0) }
        }
        return threads
    }
}
