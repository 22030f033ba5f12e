internal import SockDiag
internal import SocketOwners

/// What the kernel's numbers are called: interfaces, control groups and, where wanted, hosts, services and owners.
struct SocketNames {
    /// An interface's number means another one in another namespace.
    private struct LocalInterface: Hashable {
        let interface: NetworkInterface
        let namespace: NetworkNamespace?
    }

    private var interfaces: NameCache<LocalInterface>
    private var cgroups: NameCache<UInt64>
    /// Nil where addresses and ports stay numbers.
    var hosts: HostNames?
    /// Who holds which socket; nil where that is not asked for.
    var owners: OwnerSnapshot?
    /// The namespace of the sockets; nil for the calling thread's.
    var namespace: NetworkNamespace?

    init(
        interfaces: @escaping (NetworkInterface, NetworkNamespace?) -> String?,
        cgroups: @escaping (UInt64) -> String?,
        hosts: HostNames?
    ) {
        self.interfaces = NameCache { interfaces($0.interface, $0.namespace) }
        self.cgroups = NameCache(cgroups)
        self.hosts = hosts
    }

    /// Names as the calling thread's namespaces have them. What finds them is made when the first is asked for.
    init(resolvesHosts: Bool) {
        var paths: CgroupPaths?
        self.init(
            interfaces: { interface, namespace in
                guard let client = try? namespace.map(SockDiagClient.init(in:)) ?? SockDiagClient() else { return nil }
                return client.name(of: interface)
            },
            cgroups: { id in
                if paths == nil { paths = CgroupPaths() }
                return paths?.path(of: id)
            },
            hosts: resolvesHosts ? HostNames() : nil
        )
    }

    /// Names for what was seen on another machine or at another time: the kernel's numbers are called nothing here.
    init(elsewhere resolvesHosts: Bool) {
        self.init(interfaces: { _, _ in nil }, cgroups: { _ in nil }, hosts: resolvesHosts ? HostNames() : nil)
    }

    /// The same names for another thread, which finds them by itself.
    func fork() -> SocketNames {
        var fork = SocketNames(resolvesHosts: hosts != nil)
        (fork.owners, fork.namespace) = (owners, namespace)
        return fork
    }

    /// The interface's name; `if<n>` where it is gone.
    mutating func name(of interface: NetworkInterface) -> String {
        interfaces.name(of: LocalInterface(interface: interface, namespace: namespace)) ?? "if\(interface.rawValue)"
    }

    /// The path of a control group, nil where it is gone or out of sight.
    mutating func cgroupPath(of id: UInt64) -> String? { cgroups.name(of: id) }

    /// Appends this machine's endpoint, with the interface that it is bound to: `192.0.2.1%eth0:80`,
    /// `[fe80::1%eth0]:22`.
    mutating func appendLocal(of socket: borrowing some SocketFields & ~Escapable, to text: inout TextBuffer) {
        append(socket.local, interface: socket.interface, over: socket.protocol, to: &text)
    }

    /// Appends the peer's endpoint; `0.0.0.0:*` or `[::]:*` where there is none.
    mutating func appendRemote(of socket: borrowing some SocketFields & ~Escapable, to text: inout TextBuffer) {
        let remote = socket.remote
        append(remote, interface: remote.scope, over: socket.protocol, to: &text)
    }

    /// Appends one of a connection's endpoints.
    mutating func append(
        _ endpoint: SocketEndpoint,
        interface: NetworkInterface?,
        over transport: SocketProtocol = .tcp,
        to text: inout TextBuffer
    ) {
        let host = hosts?.host(endpoint.address)
        let hasBrackets = host == nil && endpoint.address.family == .ipv6
        if hasBrackets { text.append(UInt8(ascii: "[")) }
        if let host { text.append(printable: host) } else { text.append(endpoint.address) }
        if let interface {
            text.append(UInt8(ascii: "%"))
            text.append(printable: name(of: interface))
        }
        if hasBrackets { text.append(UInt8(ascii: "]")) }
        text.append(.colon)
        if endpoint.port == 0 {
            text.append(UInt8(ascii: "*"))
        } else if let service = hosts?.service(endpoint.port, over: transport) {
            text.append(printable: service)
        } else {
            text.append(decimal: UInt64(endpoint.port))
        }
    }
}

/// Names that take a system call or a question to another machine: each is looked up once, also where there is none.
struct NameCache<Key: Hashable> {
    private let lookUp: (Key) -> String?
    private var known: [Key: String?] = [:]

    init(_ lookUp: @escaping (Key) -> String?) { self.lookUp = lookUp }

    /// The name; nil where there is none.
    mutating func name(of key: Key) -> String? {
        if let name = known[key] { return name }
        let name = lookUp(key)
        known[key] = .some(name)
        return name
    }
}
