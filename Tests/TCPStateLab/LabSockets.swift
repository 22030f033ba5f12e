internal import CLab
internal import Glibc
internal import SockDiag

extension Lab {
    /// A socket that is bound and nothing more.
    @discardableResult
    package func bound(over network: LabNetwork = .ipv4, port: UInt16 = 0) throws(LabError) -> KernelSocket {
        try bind(network.kernelEndpoint(port: port))
    }

    /// A listener. That of ``LabNetwork/ipv4Mapped`` is bound to ::, the others to the lab's address.
    ///
    /// A half-open request is given up early where the backlog is not twice as long as there are requests; the
    /// kernel cuts it to `net.core.somaxconn`, by default 4096.
    @discardableResult
    package func listener(
        over network: LabNetwork = .ipv4,
        port: UInt16 = 0,
        backlog: Int32 = 4096
    ) throws(LabError) -> KernelSocket {
        let socket = try bind(network.listeningEndpoint(port: port))
        try socket.call("listen") { Glibc.listen($0, backlog) }
        return socket
    }

    /// Listeners that share a port (SO_REUSEPORT) of the lab's IPv4 address, one for each backlog.
    package func sharedListeners(backlogs: [Int32]) throws(LabError) -> [KernelSocket] {
        var endpoint = LabNetwork.ipv4.kernelEndpoint(port: 0)
        var listeners: [KernelSocket] = []
        for backlog in backlogs {
            let descriptor = try open(endpoint.address.family)
            try descriptor.setOption(SOL_SOCKET, SO_REUSEPORT, Int32(1), "SO_REUSEPORT")
            try descriptor.call("bind \(endpoint)") { descriptor in
                endpoint.withSocketAddress { Glibc.bind(descriptor, $0, $1) }
            }
            let socket = keep(try KernelSocket(descriptor, address: endpoint.address))
            try socket.listen(backlog: backlog)
            listeners.append(socket)
            endpoint = socket.local
        }
        return listeners
    }

    /// A socket bound to the endpoint; one that blocks waits no longer than the lab's deadline.
    func bind(
        _ endpoint: SocketEndpoint,
        protocol: SocketProtocol = .tcp,
        blocking: Bool = false
    ) throws(LabError) -> KernelSocket {
        let descriptor = try open(endpoint.address.family, protocol: `protocol`, blocking: blocking)
        try descriptor.call("bind \(endpoint)") { descriptor in
            endpoint.withSocketAddress { Glibc.bind(descriptor, $0, $1) }
        }
        return keep(try KernelSocket(descriptor, address: endpoint.address, scope: endpoint.scope))
    }

    /// An unbound socket of the namespace.
    func open(
        _ family: AddressFamily,
        protocol: SocketProtocol = .tcp,
        blocking: Bool = false
    ) throws(LabError) -> Descriptor {
        let type =
            (`protocol` == .udp ? SOCK_DGRAM : SOCK_STREAM).rawValue | SOCK_CLOEXEC.rawValue
            | (blocking ? 0 : SOCK_NONBLOCK.rawValue)
        let descriptor = try run { () throws(LabError) in
            try Descriptor("socket(\(family))") {
                socket(Int32(family.rawValue), Int32(type), Int32(`protocol`.rawValue))
            }
        }
        if blocking { try descriptor.setTimeouts() }
        return descriptor
    }

    /// Takes a client's connection, which must be the first in the listener's queue.
    func accept(
        from listener: KernelSocket,
        client port: UInt16,
        as local: SocketEndpoint,
        blocking: Bool = false
    ) throws(LabError) -> KernelSocket {
        let flags = SOCK_CLOEXEC.rawValue | (blocking ? 0 : SOCK_NONBLOCK.rawValue)
        let descriptor = Descriptor(
            try listener.call("accept from \(listener.local)") { accept4($0, nil, nil, Int32(flags)) }
        )
        guard try descriptor.remotePort() == port else {
            throw LabError(.impossible, "an older connection is before that of port \(port) in the queue")
        }
        if blocking { try descriptor.setTimeouts() }
        return keep(try KernelSocket(descriptor, address: local.address, scope: local.scope))
    }
}

extension Descriptor {
    /// No call shall wait longer than the lab's deadline.
    func setTimeouts() throws(LabError) {
        let limit = timeval(tv_sec: Int(Duration.labDeadline.components.seconds), tv_usec: 0)
        try setOption(SOL_SOCKET, SO_RCVTIMEO, limit, "SO_RCVTIMEO")
        try setOption(SOL_SOCKET, SO_SNDTIMEO, limit, "SO_SNDTIMEO")
    }
}
