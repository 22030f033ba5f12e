public import SockDiag

/// What the kernel's numbers are called in records: interfaces, control groups and, where wanted, hosts and services.
///
/// Each is looked up once, also where it has no name.
public struct RecordNames {
    /// An interface's number means another one in another namespace.
    private struct LocalInterface: Hashable {
        let interface: NetworkInterface
        let namespace: NetworkNamespace?
    }

    private var interfaces: NameCache<LocalInterface>
    private var cgroups: NameCache<UInt64>
    /// The names of hosts and services; nil where addresses and ports stay numbers.
    public var hosts: HostNames?

    /// Names from other sources than this machine.
    ///
    /// - Parameters:
    ///   - interfaces: Returns the name of an interface in a network namespace, nil where it has none. Nil for the
    ///     namespace is the calling thread's.
    ///   - cgroups: Returns the path of a control group (version 2), nil where it has none.
    ///   - hosts: The names of hosts and services.
    public init(
        interfaces: @escaping (NetworkInterface, NetworkNamespace?) -> String?,
        cgroups: @escaping (UInt64) -> String?,
        hosts: HostNames? = nil
    ) {
        self.interfaces = NameCache { interfaces($0.interface, $0.namespace) }
        self.cgroups = NameCache(cgroups)
        self.hosts = hosts
    }

    /// Names as the calling thread's namespaces have them. What finds them is opened when the first is asked for.
    public init(hosts: HostNames? = nil) {
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
            hosts: hosts
        )
    }

    /// No names, for what was seen on another machine or at another time: an interface is `if<n>`.
    public static var none: RecordNames { RecordNames(interfaces: { _, _ in nil }, cgroups: { _ in nil }) }

    /// Returns an interface's name; `if<n>` where it has none.
    public mutating func name(of interface: NetworkInterface, in namespace: NetworkNamespace?) -> String {
        interfaces.name(of: LocalInterface(interface: interface, namespace: namespace)) ?? "if\(interface.rawValue)"
    }

    /// Returns the path of a control group; nil where it is gone or out of sight.
    public mutating func cgroupPath(of id: UInt64) -> String? { cgroups.name(of: id) }
}

/// The names of hosts and services, for records that are to have them beside addresses and ports.
///
/// This library asks no resolver: whoever wants names passes what finds them.
public struct HostNames {
    private var hosts: NameCache<IPAddress>
    private var services: NameCache<UInt16>
    private var datagramServices: NameCache<UInt16>

    /// Names by functions that find them.
    ///
    /// - Parameters:
    ///   - hosts: Returns the name of a host, nil where it has none. It is never asked for an IPv4-mapped address.
    ///   - services: Returns the name of TCP's service on a port, nil where it has none.
    ///   - datagramServices: Returns the name of UDP's service on a port, nil where it has none.
    public init(
        hosts: @escaping (IPAddress) -> String?,
        services: @escaping (UInt16) -> String?,
        datagramServices: @escaping (UInt16) -> String? = { _ in nil }
    ) {
        self.hosts = NameCache(hosts)
        self.services = NameCache(services)
        self.datagramServices = NameCache(datagramServices)
    }

    /// Returns the host's name; nil where it has none.
    public mutating func host(_ address: IPAddress) -> String? {
        address.isAny ? nil : hosts.name(of: address.unmapped)
    }

    /// Returns the name of the service on the port, of UDP's or else of TCP's; nil where it has none.
    public mutating func service(_ port: UInt16, over transport: SocketProtocol = .tcp) -> String? {
        guard port != 0 else { return nil }
        return transport == .udp ? datagramServices.name(of: port) : services.name(of: port)
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
