internal import CMnl
internal import LinuxLibC
internal import LinuxSystem

/// The open file of a network namespace; it keeps the namespace alive.
struct NamespaceFile: ~Copyable {
    private let file: OpenFile

    /// What the file is.
    let id: NetworkNamespace.ID

    /// The descriptor, for `setns(2)`.
    var descriptor: Int32 { file.descriptor }

    /// Opens the file of a network namespace.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - operation: for errors, after "cannot".
    ///   - isProcess: whether a missing file means a missing process.
    /// - Throws: ``KernelError``, also for a file of another kind.
    init(_ path: String, operation: String, isProcess: Bool = false) throws(KernelError) {
        do throws(Errno) { self = try NamespaceFile(path) } catch {
            throw KernelError(error, operation: operation, isProcess: isProcess)
        }
    }

    private init(_ path: String) throws(Errno) {
        // To open a device or a pipe is to make something happen: ask for its type first.
        var status = stat()
        guard stat(path, &status) == 0 else { throw .last }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .wrongKind }
        let file = try OpenFile(path)
        guard cmnl_is_network_namespace(file.descriptor) != 0 else { throw .wrongKind }
        guard fstat(file.descriptor, &status) == 0 else { throw .last }
        self.file = file
        id = NetworkNamespace.ID(status)
    }
}

extension NetworkNamespace.ID {
    init(_ status: stat) { self.init(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)) }

    /// What a path of `/proc` leads to, without opening it.
    init(at path: String, in directory: Int32) throws(Errno) {
        var status = stat()
        guard fstatat(directory, path, &status, 0) == 0 else { throw .last }
        self.init(status)
    }

    /// That of the calling thread's, also where there is no `/proc`; nil where the kernel does not report it.
    static var ofThread: NetworkNamespace.ID? {
        if let id = try? NetworkNamespace.ID(at: "/proc/thread-self/ns/net", in: AT_FDCWD) { return id }
        let descriptor = cmnl_network_namespace()
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        return fstat(descriptor, &status) == 0 ? NetworkNamespace.ID(status) : nil
    }
}

extension Errno {
    fileprivate static let wrongKind = Errno(rawValue: ENOTTY)
}

extension KernelError {
    fileprivate init(_ failure: Errno, operation: String, isProcess: Bool) {
        switch failure {
        case .wrongKind:
            self.init(
                .invalidRequest,
                operation: operation,
                detail: "it is not a network namespace",
                remedy: "those are in /run/netns and in /proc/PID/ns/net"
            )
        case _ where failure.isGone:
            self.init(
                .notFound,
                errno: isProcess ? ESRCH : failure.rawValue,
                operation: operation,
                remedy: isProcess ? "it has ended; name a process that runs" : ""
            )
        case _ where failure.isRefusal:
            self.init(
                .permissionDenied,
                errno: failure.rawValue,
                operation: operation,
                remedy: "another user's needs CAP_SYS_PTRACE: run as root"
            )
        default: self.init(errno: failure.rawValue, operation: operation, remedy: "")
        }
    }
}
