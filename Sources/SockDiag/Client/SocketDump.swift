/// A dump that is read one datagram after the other: what of it is still to be asked for, and what has been read.
package struct SocketDump: ~Copyable, Sendable {
    /// What is asked for: with the states that the kernel walks together.
    let query: SocketQuery
    let operations: [UInt8]
    /// The requests that are still to be answered, the first of them under way where there is a ``reply``.
    private(set) var forms: [DumpRequest.Form]
    var reply: Reply?
    /// What is yielded of the sockets that are walked together; nil for all.
    private let asked: SocketQuery?
    private var recent = RecentRows()

    /// The kernel finds both kinds of sockets without a connection on one walk, by the bit of the bound ones, and heeds
    /// no ports on it.
    private static let unconnected: TCPStateSet = [.bound, .closed]

    /// A dump that has not begun.
    package init(_ query: SocketQuery) { self.init(query, []) }

    init(_ query: SocketQuery, _ operations: [UInt8]) {
        self.operations = operations
        let isNarrow = query.protocol.hasTCPStates && !query.states.isDisjoint(with: Self.unconnected)
        asked = isNarrow ? query : nil
        var walked = query
        if isNarrow { walked.states.formUnion(Self.unconnected) }
        self.query = walked
        if let family = query.family {
            forms = [.family(family)]
        } else {
            forms = query.protocol == .tcp ? [.bothFamilies] : [.family(.ipv4), .family(.ipv6)]
        }
    }

    /// Whether a row was asked for and is not one that the walk has just shown.
    mutating func takes(_ socket: borrowing SocketRecord) -> Bool {
        guard recent.insert(socket) else { return false }
        guard let asked else { return true }
        return !Self.unconnected.contains(socket.state) || asked.includes(socket)
    }

    private mutating func begin() {
        reply = nil
        recent = RecentRows()
    }

    /// A request has been answered; whether another one follows.
    mutating func goOn() -> Bool {
        begin()
        forms.removeFirst()
        return !forms.isEmpty
    }

    /// A request was refused; whether another one follows. A kernel or an emulation of one that lacks the older request, which
    /// is for both families, is asked for one after the other.
    mutating func goOn(after error: KernelError) -> Bool {
        guard forms.first == .bothFamilies, error.code == .unsupported || error.code == .invalidRequest else {
            return false
        }
        begin()
        forms = [.family(.ipv4), .family(.ipv6)]
        return true
    }
}

extension SocketQuery {
    /// Whether the socket is in one of the states and has the ports, of which 0 is any as for the kernel.
    fileprivate func includes(_ socket: borrowing SocketRecord) -> Bool {
        func fits(_ asked: UInt16?, _ port: UInt16) -> Bool { asked ?? 0 == 0 || asked == port }
        return states.contains(socket.state) && fits(localPort, socket.local.port)
            && fits(remotePort, socket.remote.port)
    }
}
