extension SocketFilter {
    /// A condition without parts, as it was written: names are not looked up yet.
    enum Term: Hashable, Sendable {
        /// In one of the states, as ``TCPStateSet/paired`` has them.
        case states(TCPStateSet)
        /// The address is in the network, and the port is this; nil is any.
        case host(Endpoint, IPNetwork?, port: UInt16?)
        /// The number compares so with the bound.
        case number(Quantity, Comparison, UInt64)
        /// Bound to the interface of the index; to none for 0.
        case interface(UInt32)
        /// The mark has these bits under the mask.
        case mark(UInt32, mask: UInt32)
        /// Has this inode; none for 0.
        case inode(UInt32)
        /// Is this very socket.
        case cookie(UInt64)
        /// What depends on the network namespace and is looked up when the filter is used.
        case named(Name)
        /// What only the caller knows.
        case external(External)

        /// Any socket.
        static let anything = Term.states(TCPStateSet(rawValue: .max))
    }

    /// What has another meaning in another network namespace, or later.
    enum Name: Hashable, Sendable {
        /// Bound to the interface of the name.
        case interface(String)
        /// In the control group of this path.
        case cgroup(String)
        /// The local port is one that the kernel chooses by itself.
        case autobound
    }

    /// One of a connection's endpoints.
    enum Endpoint: String, Hashable, Sendable { case local = "src", remote = "dst" }

    /// What can be more or less.
    enum Quantity: String, Hashable, Sendable, CaseIterable {
        case localPort = "sport"
        case remotePort = "dport"
        case uid
        case receiveQueue = "recvq"
        case sendQueue = "sendq"
        /// In nanoseconds.
        case rtt
        case retransmits = "retrans"
    }

    /// How a number compares with a bound. Inequality is the negation of equality: see ``SocketFilter``.
    enum Comparison: String, Hashable, Sendable {
        case equal = "="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
    }

    /// A condition that the kernel's answer says nothing about. Who evaluates the filter says whether it holds for a
    /// socket: ``SocketMatcher/matches(_:external:)-(SocketFields,_)``. New ones may come: let an `@unknown default` take them.
    @nonexhaustive
    public enum External: Hashable, Sendable {
        /// A process of this number holds the socket.
        case pid(Int32)
        /// A process of this name (`/proc/<pid>/comm`) holds the socket.
        case process(String)
        /// The socket is in the network namespace of this name.
        case networkNamespace(String)
    }

    /// The conditions that the kernel's answer says nothing about; none for most filters.
    public var externals: [External] {
        terms.compactMap { if case .external(let external) = $0 { external } else { nil } }
    }
}

extension TCPStateSet {
    /// The set with both numbers of a half-open request or with neither: they mean the same.
    var paired: TCPStateSet { isDisjoint(with: .synReceived) ? self : union(.synReceived) }
}
