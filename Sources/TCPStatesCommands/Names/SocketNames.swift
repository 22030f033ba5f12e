internal import SockDiag
internal import SocketOwners
internal import TCPRecords

/// What is known of sockets beside what the kernel says of them: what its numbers are called, where they are, and who
/// holds them.
struct SocketNames {
    /// The names of interfaces, control groups and, where wanted, hosts and services.
    var names: RecordNames
    /// Who holds which socket; nil where that is not asked for.
    var owners: OwnerSnapshot?
    /// The namespace of the sockets; nil for the calling thread's.
    var namespace: NetworkNamespace?

    init(_ names: RecordNames) { self.names = names }

    /// Names as the calling thread's namespaces have them.
    init(resolvesHosts: Bool) { self.init(RecordNames(hosts: resolvesHosts ? .resolved : nil)) }

    /// Names for what was seen on another machine or at another time: the kernel's numbers are called nothing here.
    init(elsewhere resolvesHosts: Bool) {
        self.init(.none)
        if resolvesHosts { names.hosts = .resolved }
    }

    /// The same names for another thread, which finds them by itself.
    func fork() -> SocketNames {
        var fork = SocketNames(resolvesHosts: hosts != nil)
        (fork.owners, fork.namespace) = (owners, namespace)
        return fork
    }

    /// Nil where addresses and ports stay numbers.
    var hosts: HostNames? {
        get { names.hosts }
        _modify { yield &names.hosts }
    }

    /// The interface's name; `if<n>` where it is gone.
    mutating func name(of interface: NetworkInterface) -> String { names.name(of: interface, in: namespace) }

    /// The path of a control group, nil where it is gone or out of sight.
    mutating func cgroupPath(of id: UInt64) -> String? { names.cgroupPath(of: id) }

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
