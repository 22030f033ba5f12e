internal import LinuxLibC
internal import LinuxSystem
public import SocketValues

extension NetworkNamespace {
    /// The namespaces that can be found from here.
    public struct Listing: RandomAccessCollection, Hashable, Sendable {
        var namespaces: [NetworkNamespace] = []

        /// The number of processes whose namespace may not be read without CAP_SYS_PTRACE. A namespace that only they
        /// are in is not known.
        public var unreadable = 0

        /// The unreadable process of the lowest number, and why it is; nil where there is none, or it is not known.
        public var firstUnreadable: UnreadableProcess?

        /// Whether `/proc` hides the processes of other users (`hidepid`), and the namespaces with them.
        public var hidesProcesses = false

        /// Namespaces, and how many processes were left out.
        public init(
            _ namespaces: [NetworkNamespace] = [],
            unreadable: Int = 0,
            firstUnreadable: UnreadableProcess? = nil,
            hidesProcesses: Bool = false
        ) {
            (self.namespaces, self.hidesProcesses) = (namespaces, hidesProcesses)
            (self.unreadable, self.firstUnreadable) = (unreadable, firstUnreadable)
        }

        /// The first index, 0.
        public var startIndex: Int { 0 }
        /// The number of namespaces.
        public var endIndex: Int { namespaces.count }
        /// A namespace.
        public subscript(index: Int) -> NetworkNamespace { namespaces[index] }
    }

    /// Every network namespace that has a name or that a process is in, each once: the named ones by name, then the
    /// others by the process of the lowest number. About 3 µs for each process.
    ///
    /// Out of reach is one that is held by a single thread, an open descriptor or a mount elsewhere and nothing else;
    /// ``init(path:)`` takes it.
    ///
    /// - Throws: ``KernelError`` where there is no `/proc`.
    public static func all() throws(KernelError) -> Listing {
        let proc = try ProcessDirectory()
        var listing = Listing()
        var places: [ID: Int] = [:]
        for name in names() {
            guard let namespace = try? NetworkNamespace(named: name), places[namespace.id] == nil else { continue }
            places[namespace.id] = listing.count
            listing.namespaces.append(namespace)
        }
        for pid in proc.processes {
            do throws(Errno) {
                let id = try ID(at: "\(pid)/ns/net", in: proc.descriptor)
                let place = places[id]
                if let place, listing[place].pid != nil { continue }
                // They are in the first namespace, as other processes are, whose names say more.
                guard proc.kind(of: pid) != .kernelThread else { continue }
                if let place {
                    listing.namespaces[place].setProcess(pid)
                } else {
                    places[id] = listing.count
                    listing.namespaces.append(NetworkNamespace(process: pid, id: id))
                }
            } catch {
                guard error.isRefusal else { continue }
                let kind = proc.kind(of: pid)
                guard kind != .kernelThread, kind != .ended else { continue }
                listing.unreadable += 1
                listing.firstUnreadable = listing.firstUnreadable ?? proc.unreadable(pid)
            }
        }
        listing.hidesProcesses = proc.hidesProcesses
        return listing
    }

    /// The names of `ip netns`, in alphabetical order.
    static func names() -> [String] {
        var names: [String] = []
        guard let directory = try? Directory(directory) else { return [] }
        directory.forEachName { name in
            if let name = String(validatingCString: name) { names.append(name) }
            return true
        }
        return names.sorted()
    }

    /// The one that a process is in.
    init(process pid: Int32, id: ID) {
        let container = ContainerID.find(in: "/proc/\(pid)/cgroup")
        // This process' own number says nothing to anybody, and is another one the next time.
        let label =
            pid == getpid()
            ? "net:[\(id.inode)]" : Self.label(pid, ProcessName(commOf: "/proc/\(pid)", in: AT_FDCWD), container)
        self.init(id: id, path: "/proc/\(pid)/ns/net", label: label)
        (self.pid, containerID) = (pid, container)
    }

    /// `pid:4711(nginx)@0123456789ab`: of a container's number as much as `docker ps` shows.
    static func label(_ pid: Int32, _ name: ProcessName?, _ container: String?) -> String {
        "pid:\(pid)" + (name.map { "(\($0))" } ?? "") + (container.map { "@\($0.prefix(12))" } ?? "")
    }

    private mutating func setProcess(_ pid: Int32) {
        self.pid = pid
        containerID = ContainerID.find(in: "/proc/\(pid)/cgroup")
    }
}
