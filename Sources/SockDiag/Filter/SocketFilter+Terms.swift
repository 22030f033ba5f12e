extension SocketFilter {
    /// Sockets in one of the states.
    public static func state(_ states: TCPStateSet) -> SocketFilter { SocketFilter(.states(states.paired)) }

    /// Sockets whose own address is in the network; see ``IPNetwork/contains(_:)`` for IPv4-mapped ones.
    public static func local(in network: IPNetwork) -> SocketFilter { SocketFilter(.host(.local, network, port: nil)) }

    /// Sockets whose own address this is; one that listens on every address has ``IPAddress/anyIPv4`` or
    /// ``IPAddress/anyIPv6``.
    public static func local(_ address: IPAddress) -> SocketFilter { .local(in: IPNetwork(address)) }

    /// Sockets whose peer's address is in the network.
    public static func remote(in network: IPNetwork) -> SocketFilter {
        SocketFilter(.host(.remote, network, port: nil))
    }

    /// Sockets whose peer's address this is.
    public static func remote(_ address: IPAddress) -> SocketFilter { .remote(in: IPNetwork(address)) }

    /// Sockets bound to the interface of this name. The name is looked up when the filter is used: it is an error then
    /// where there is none.
    public static func interface(_ name: String) -> SocketFilter {
        SocketFilter(UInt32(name).map(Term.interface) ?? .named(.interface(name)))
    }

    /// Sockets bound to the interface.
    public static func interface(_ interface: NetworkInterface) -> SocketFilter {
        SocketFilter(.interface(interface.rawValue))
    }

    /// Sockets whose firewall mark is this under the mask (`SO_MARK`). To read marks takes CAP_NET_ADMIN: it is an error
    /// to use the filter without (kernel 4.9).
    public static func mark(_ mark: UInt32, mask: UInt32 = .max) -> SocketFilter {
        SocketFilter(.mark(mark, mask: mask))
    }

    /// Sockets made in the control group (version 2) of this path, from the root of the tree or of the file system. The
    /// path is looked up when the filter is used: it is an error then where there is none (kernel 5.9). Half-open
    /// requests and TIME_WAIT are in no group.
    public static func cgroup(_ path: String) -> SocketFilter { SocketFilter(.named(.cgroup(path))) }

    /// Sockets whose local port is one that the kernel chooses by itself (`net.ipv4.ip_local_port_range`).
    public static let autobound = SocketFilter(.named(.autobound))

    /// The socket of this inode; for 0 those that no descriptor names: half-open requests, connections not yet accepted,
    /// orphans and TIME_WAIT.
    public static func inode(_ inode: UInt32) -> SocketFilter { SocketFilter(.inode(inode)) }

    /// The socket of this cookie.
    public static func cookie(_ cookie: SocketCookie) -> SocketFilter { SocketFilter(.cookie(cookie.rawValue)) }

    /// Sockets that a process of this number holds; see ``External``.
    public static func pid(_ pid: Int32) -> SocketFilter { SocketFilter(.external(.pid(pid))) }

    /// Sockets that a process of this name holds; see ``External``.
    public static func process(_ name: String) -> SocketFilter { SocketFilter(.external(.process(name))) }

    /// Sockets in the network namespace of this name; see ``External``.
    public static func networkNamespace(_ name: String) -> SocketFilter {
        SocketFilter(.external(.networkNamespace(name)))
    }

    /// A number of a socket, to be compared with `==`, `!=`, `<`, `<=`, `>` and `>=`: `.localPort >= 1024`.
    ///
    /// A socket that does not have the number satisfies `!=` alone.
    public struct Field<Value>: Sendable {
        let quantity: Quantity
        let bound: @Sendable (Value) -> UInt64

        private func compare(_ comparison: Comparison, _ value: Value) -> SocketFilter {
            SocketFilter(.number(quantity, comparison, bound(value)))
        }

        /// Sockets whose number is the value.
        public static func == (field: Field, value: Value) -> SocketFilter { field.compare(.equal, value) }

        /// Sockets whose number is not the value, or that have no such number.
        public static func != (field: Field, value: Value) -> SocketFilter { !field.compare(.equal, value) }

        /// Sockets whose number is less than the value.
        public static func < (field: Field, value: Value) -> SocketFilter { field.compare(.less, value) }

        /// Sockets whose number is the value or less.
        public static func <= (field: Field, value: Value) -> SocketFilter { field.compare(.lessOrEqual, value) }

        /// Sockets whose number is greater than the value.
        public static func > (field: Field, value: Value) -> SocketFilter { field.compare(.greater, value) }

        /// Sockets whose number is the value or greater.
        public static func >= (field: Field, value: Value) -> SocketFilter { field.compare(.greaterOrEqual, value) }
    }
}

extension SocketFilter.Field where Value == UInt16 {
    /// The local port.
    public static var localPort: Self { Self(quantity: .localPort) { UInt64($0) } }
    /// The peer's port; 0 where there is no peer.
    public static var remotePort: Self { Self(quantity: .remotePort) { UInt64($0) } }
}

extension SocketFilter.Field where Value == UInt32 {
    /// The user that owns the socket; see ``SocketFields/uid``.
    public static var uid: Self { Self(quantity: .uid) { UInt64($0) } }
    /// Bytes that the program has not read, of a listener connections; see ``SocketFields/receiveQueue``.
    public static var receiveQueue: Self { Self(quantity: .receiveQueue) { UInt64($0) } }
    /// Bytes that the peer has not acknowledged; see ``SocketFields/sendQueue``.
    public static var sendQueue: Self { Self(quantity: .sendQueue) { UInt64($0) } }
    /// Segments retransmitted in the connection's life (``TCPInfo/Field/totalRetrans``).
    public static var retransmits: Self { Self(quantity: .retransmits) { UInt64($0) } }
}

extension SocketFilter.Field where Value == Duration {
    /// The smoothed round-trip time (``TCPInfo/Field/rtt``), known to the microsecond once a segment was acknowledged.
    public static var rtt: Self { Self(quantity: .rtt) { $0.nanoseconds } }
}
