internal import SockDiag
internal import SocketOwners

/// A watcher's filter, ready for the sockets of one network namespace.
struct ConnectionFilter {
    private let matcher: SocketMatcher
    /// The conditions on the namespace that hold there.
    private let held: Set<SocketFilter.External>
    /// Whether the filter asks which process holds a socket.
    let asksOwners: Bool

    /// - Throws: ``/SockDiag/SockDiagError``, as ``/SockDiag/SockDiagClient/matcher(for:)`` does.
    init(
        _ filter: SocketFilter,
        for client: inout SockDiagClient,
        in namespace: NetworkNamespace?
    ) throws(SockDiagError) {
        matcher = try client.matcher(for: filter)
        var held: Set<SocketFilter.External> = []
        var asksOwners = false
        for external in filter.externals {
            switch external {
            case .pid, .process: asksOwners = true
            case .networkNamespace(let name):
                let here = if let namespace { namespace } else { try NetworkNamespace.current }
                if try NetworkNamespace(name) == here { held.insert(external) }
            }
        }
        self.held = held
        self.asksOwners = asksOwners
    }

    /// What has to be asked of the kernel for it.
    var extensions: SocketExtensions { matcher.extensions }

    /// Whether it finds the socket, held by these.
    func finds(_ socket: borrowing some SocketFields & ~Escapable, of owners: [SocketOwner]) -> Bool {
        matcher.matches(socket) { external in
            switch external {
            case .pid(let pid): owners.contains { $0.pid == pid }
            case .process(let name): owners.contains { $0.name == ProcessName(name) }
            case .networkNamespace: held.contains(external)
            }
        }
    }
}
