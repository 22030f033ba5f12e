/// A term with its names looked up: what is done for each socket. Plain numbers, so that no evaluation counts references.
enum FilterTest: Sendable {
    /// The state's bit is set.
    case states(UInt32)
    case host(SocketFilter.Endpoint, IPNetwork?, port: UInt16?)
    /// The number is not below the first bound and not above the second; never where they are crossed.
    case number(SocketFilter.Quantity, UInt64, UInt64)
    case interface(UInt32)
    case mark(UInt32, mask: UInt32)
    case cgroup(UInt64)
    case inode(UInt32)
    case cookie(UInt64)
    /// The number of the condition in ``FilterProgram/externals``.
    case external(Int)

    /// The test of a term; what only the caller knows is added to `externals`.
    init(
        _ term: SocketFilter.Term,
        _ names: FilterNames,
        externals: inout [SocketFilter.External]
    ) throws(KernelError) {
        switch term {
        case .states(let states): self = .states(states.rawValue)
        case .host(let endpoint, let network, let port): self = .host(endpoint, network, port: port)
        case .number(let quantity, let comparison, let bound): self = .number(quantity, comparison, bound)
        case .interface(let index): self = .interface(index)
        case .mark(let mark, let mask): self = .mark(mark, mask: mask)
        case .inode(let inode): self = .inode(inode)
        case .cookie(let cookie): self = .cookie(cookie)
        case .named(let name): self = try names.test(name)
        case .external(let external):
            self = .external(externals.count)
            externals.append(external)
        }
    }

    /// A comparison, as what lies between two bounds.
    private static func number(
        _ quantity: SocketFilter.Quantity,
        _ comparison: SocketFilter.Comparison,
        _ bound: UInt64
    ) -> FilterTest {
        let nothing = FilterTest.number(quantity, 1, 0)
        switch comparison {
        case .equal: return .number(quantity, bound, bound)
        case .less: return bound == 0 ? nothing : .number(quantity, 0, bound - 1)
        case .lessOrEqual: return .number(quantity, 0, bound)
        case .greater: return bound == .max ? nothing : .number(quantity, bound + 1, .max)
        case .greaterOrEqual: return .number(quantity, bound, .max)
        }
    }

    /// What holds for every socket or for none, whatever the socket; nil where it depends.
    var constant: Bool? {
        switch self {
        case .host(_, nil, nil): true
        case .states(let mask) where mask == 0 || mask == .max: mask != 0
        case .number(_, let least, let greatest) where least > greatest: false
        case .number(.localPort, let least, let greatest), .number(.remotePort, let least, let greatest):
            least > UInt16.max ? false : least == 0 && greatest >= UInt16.max ? true : nil
        default: nil
        }
    }

    /// Whether the test holds for a socket; never for ``external(_:)``, which its record does not hold.
    func holds(for socket: borrowing SocketRecord) -> Bool {
        switch self {
        case .states(let mask): return TCPStateSet(rawValue: mask).contains(socket.state)
        case .host(let which, let network, let port):
            let endpoint = which == .local ? socket.local : socket.remote
            if let port, endpoint.port != port { return false }
            return network?.contains(endpoint.address) ?? true
        case .number(let quantity, let least, let greatest):
            guard let number = quantity.value(of: socket) else { return false }
            return least <= number && number <= greatest
        case .interface(let index): return socket.header(InetDiagMessage.interface) == index
        // Whoever may read marks receives every one; kernels before 5.1 leave out those of TIME_WAIT, which are 0.
        case .mark(let mark, let mask): return (socket.mark ?? 0) & mask == mark
        case .cgroup(let id): return socket.cgroupID == id
        case .inode(let inode): return socket.header(InetDiagMessage.inode) == inode
        case .cookie(let cookie): return socket.cookie.rawValue == cookie
        case .external: return false
        }
    }
}

extension SocketFilter.Quantity {
    /// The socket's number; nil where it has none.
    fileprivate func value(of socket: borrowing SocketRecord) -> UInt64? {
        switch self {
        case .localPort: return UInt64(UInt16(bigEndian: socket.header(InetDiagMessage.sourcePort)))
        case .remotePort: return UInt64(UInt16(bigEndian: socket.header(InetDiagMessage.destinationPort)))
        case .uid: return socket.uid.map(UInt64.init)
        case .receiveQueue: return UInt64(socket.receiveQueue)
        case .sendQueue: return UInt64(socket.sendQueue)
        case .rtt:
            // 0 until the first segment is acknowledged, and for a listener.
            guard let microseconds = Self.number(.rtt, of: socket), microseconds > 0 else { return nil }
            return UInt64(microseconds) * 1000
        case .retransmits: return Self.number(.totalRetrans, of: socket).map(UInt64.init)
        }
    }

    /// A field of `tcp_info`, read in place; both that are asked for have 32 bits.
    private static func number(_ field: TCPInfo.Field, of socket: borrowing SocketRecord) -> UInt32? {
        socket.withAttribute(.info) { $0.number(at: field.offset) }
    }
}
