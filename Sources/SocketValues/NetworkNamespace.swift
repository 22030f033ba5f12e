/// A network namespace: a set of interfaces, ports and sockets of its own, as containers have it.
///
/// ```swift
/// let namespace = try NetworkNamespace("web")      // a name, a process number or a path, as users type it
/// var client = try SockDiagClient(in: namespace)   // its sockets; from here on like any other client
///
/// for namespace in try NetworkNamespace.all() {
///     print(namespace.inode, namespace.label, namespace.containerID ?? "")
/// }
/// ```
///
/// A value names the namespace and does not keep it alive. Two are equal if they name the same one, however each was
/// found.
///
/// Source: `network_namespaces(7)`, `ip-netns(8)`.
public struct NetworkNamespace: Sendable {
    /// What the kernel knows a namespace by: its file in the file system `nsfs`.
    public struct ID: Hashable, Sendable {
        /// The device of the file, the same for all of them.
        public let device: UInt64
        /// The number in `net:[4026531833]`, which traces give as `netns` and `inum`. One that has ended may give its
        /// number to another.
        public let inode: UInt64

        /// The namespace of this file.
        public init(device: UInt64, inode: UInt64) { (self.device, self.inode) = (device, inode) }

        /// That of the calling thread's namespace where it cannot be known.
        package static let here = ID(device: 0, inode: 0)
    }

    /// What the kernel knows it by.
    public let id: ID
    /// Its name in `/run/netns`, where it was found by it.
    public let name: String?
    /// A process in it, where it was found by one.
    public package(set) var pid: Int32?
    /// The container of that process: 64 hexadecimal digits, as Docker, Podman, containerd and CRI-O number theirs.
    public package(set) var containerID: String?
    /// A name for people, safe to print: `web`, `pid:4711(nginx)`, in a container `pid:4711(nginx)@0123456789ab`, a path;
    /// `net:[4026531833]` where no other process than this one is known in it.
    public let label: String
    /// Its file.
    package let path: String

    /// The number in `net:[4026531833]`.
    public var inode: UInt64 { id.inode }

    /// A namespace, by what is known of it; nothing is asked of the kernel.
    ///
    /// Where it is used it is looked for by its name and its process, then among all that can be found.
    ///
    /// - Parameters:
    ///   - id: What the kernel knows it by.
    ///   - label: A name for people; nil for `net:[4026531833]`.
    ///   - name: Its name in `/run/netns`.
    ///   - pid: A process in it.
    ///   - containerID: The container of that process.
    public init(
        id: ID,
        label: String? = nil,
        name: String? = nil,
        pid: Int32? = nil,
        containerID: String? = nil
    ) {
        let path = name.map { "/run/netns/\($0)" } ?? pid.map { "/proc/\($0)/ns/net" } ?? ""
        self.init(id: id, path: path, label: label ?? "net:[\(id.inode)]", name: name)
        (self.pid, self.containerID) = (pid, containerID)
    }

    package init(id: ID, path: String, label: String, name: String? = nil) {
        (self.id, self.path, self.label, self.name) = (id, path, label, name)
    }
}

extension NetworkNamespace: Hashable, Identifiable, CustomStringConvertible {
    /// Whether both are the same namespace.
    public static func == (left: NetworkNamespace, right: NetworkNamespace) -> Bool { left.id == right.id }

    /// Hashes the ``id``.
    public func hash(into hasher: inout Hasher) { hasher.combine(id) }

    /// A name that stays the same whatever processes come and go in it, for a label of metrics: that of processes is their
    /// namespace's, `net:[4026531833]`.
    package var metricLabel: String { name == nil && pid != nil ? "net:[\(inode)]" : label }

    /// Whether a filter's word names it: its name, its label, or the one that metrics have.
    package func isCalled(_ word: String) -> Bool { [name, label, metricLabel].contains(word) }

    /// The ``label``.
    public var description: String { label }
}
