internal import CMnl
internal import LinuxLibC
internal import LinuxSystem
public import SocketValues

extension NetworkNamespace {
    /// The one that the calling thread is in.
    ///
    /// - Throws: ``KernelError`` where `/proc` may not be read.
    public static var current: NetworkNamespace {
        get throws(KernelError) {
            let path = "/proc/thread-self/ns/net"
            do throws(KernelError) {
                let id = try NamespaceFile(path, operation: "find the current network namespace").id
                return NetworkNamespace(process: getpid(), id: id)
            } catch {
                // Without /proc it may have no number, and can be used all the same.
                guard error.code == .notFound else { throw error }
                guard let id = ID.ofThread else { return NetworkNamespace(id: .here, path: path, label: "here") }
                return NetworkNamespace(id: id, path: path, label: "net:[\(id.inode)]")
            }
        }
    }

    /// The one of a name of `ip netns`: `/run/netns/NAME`.
    ///
    /// - Throws: ``KernelError``, of code ``KernelError/Code/notFound`` with the names that there are.
    public init(named name: String) throws(KernelError) {
        let path = "\(Self.directory)/\(name)"
        let label = String(escaping: name.utf8)
        let operation = "open the network namespace \(label)"
        guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "/")), name != ".", name != "..",
            access(path, F_OK) == 0 || errno != ENOENT
        else {
            throw KernelError(.notFound, errno: ENOENT, operation: operation, remedy: Self.remedyForUnknownName)
        }
        self.init(id: try NamespaceFile(path, operation: operation).id, path: path, label: label, name: name)
    }

    /// The one that a process is in: `/proc/PID/ns/net`. Needs CAP_SYS_PTRACE for a process of another user.
    ///
    /// - Throws: ``KernelError``, of code ``KernelError/Code/notFound`` where there is no such process.
    public init(pid: Int32) throws(KernelError) {
        let path = "/proc/\(pid)/ns/net"
        let id = try NamespaceFile(path, operation: "open the network namespace of process \(pid)", isProcess: true).id
        self.init(process: pid, id: id)
    }

    /// The one that a file is, as `/proc/PID/task/TID/ns/net` or wherever one was mounted.
    ///
    /// - Throws: ``KernelError``, of code ``KernelError/Code/invalidRequest`` where it is a file of another kind.
    public init(path: String) throws(KernelError) {
        let label = String(escaping: path.utf8)
        let id = try NamespaceFile(path, operation: "open the network namespace \(label)").id
        self.init(id: id, path: path, label: label)
    }

    /// The one that a descriptor is open on. It must stay open until the last client is made.
    ///
    /// - Throws: ``KernelError``, of code ``KernelError/Code/invalidRequest`` where it is a file of another kind.
    public init(descriptor: Int32) throws(KernelError) {
        let path = "/proc/self/fd/\(descriptor)"
        let id = try NamespaceFile(path, operation: "use descriptor \(descriptor) as a network namespace").id
        self.init(id: id, path: path, label: "fd:\(descriptor)")
    }

    /// The one that a user means by a name, a process number or a path, in this order, as for `ip link set netns`.
    ///
    /// - Throws: ``KernelError``.
    public init(_ nameOrPIDOrPath: String) throws(KernelError) {
        let text = nameOrPIDOrPath
        if text.utf8.contains(UInt8(ascii: "/")) {
            try self.init(path: text)
        } else if let pid = Int32(text), pid > 0, access("\(Self.directory)/\(text)", F_OK) != 0 {
            try self.init(pid: pid)
        } else {
            try self.init(named: text)
        }
    }

    /// The directory in which `ip netns` mounts what it names.
    static let directory = "/run/netns"

    private static var remedyForUnknownName: String {
        let names = names().map { String(escaping: $0.utf8) }
        return names.isEmpty ? "there are no named ones here" : "there are: \(names.joined(separator: ", "))"
    }
}
