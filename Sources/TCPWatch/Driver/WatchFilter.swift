internal import ConnectionTracking
package import SockDiag
internal import SocketOwners

/// A watcher's filter, ready for the sockets of one network namespace: in which states it would find a socket.
package struct WatchFilter {
    private let matcher: SocketMatcher
    /// The conditions on the namespace that hold there.
    private let held: Set<SocketFilter.External>
    /// Whether the filter asks which process holds a socket.
    let asksOwners: Bool
    /// The states that are distinguished; where the filter asks for none, one stands for all.
    private let probes: [TCPState]

    /// - Throws: ``/SockDiag/KernelError``, as ``/SockDiag/SockDiagClient/matcher(for:)`` does.
    package init(
        _ filter: SocketFilter,
        for client: inout SockDiagClient,
        in namespace: NetworkNamespace?
    ) throws(KernelError) {
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
        (self.held, self.asksOwners) = (held, asksOwners)
        probes = filter.readsState ? TCPState.allCases : []
    }

    /// What has to be asked of the kernel for it.
    package var extensions: SocketExtensions { matcher.extensions }

    /// The states in which the filter finds a socket that is held by these, all else being as it is.
    func mask(_ socket: borrowing some SocketFields & ~Escapable, owners: [SocketOwner]) -> StateMask {
        guard !probes.isEmpty else { return finds(socket, of: owners) ? .all : [] }
        let message = InetSocket(socket)
        var mask: StateMask = []
        for state in probes where finds(message.inState(state), of: owners) { mask.insert(StateMask(state)) }
        return mask
    }

    /// What it says of a connection that is known by the message about its socket's end alone: it was established, or it
    /// never was, and now it is closed.
    func verdict(onEnd record: borrowing some SocketFields & ~Escapable, owners: [SocketOwner]?) -> FilterVerdict {
        let lost = LostFields(lostAtEnd: record)
        var terms: [String] = []
        for state in probes.isEmpty ? [.closed] : [TCPState.established, .closed] {
            let verdict = matcher.verdict(on: record, in: state, without: lost) { external in
                guard case .networkNamespace = external else { return owners.map { holds(external, of: $0) } }
                return holds(external, of: [])
            }
            switch verdict {
            case .finds: return .finds
            case .passesOver: break
            case .undecided(let unanswered): terms += unanswered.filter { !terms.contains($0) }
            }
        }
        return terms.isEmpty ? .passesOver : .undecided(terms)
    }

    /// Whether it finds the socket, held by these.
    package func finds(_ socket: borrowing some SocketFields & ~Escapable, of owners: [SocketOwner]) -> Bool {
        matcher.matches(socket) { holds($0, of: owners) }
    }

    private func holds(_ external: SocketFilter.External, of owners: [SocketOwner]) -> Bool {
        switch external {
        case .pid(let pid): owners.contains { $0.pid == pid }
        case .process(let name): owners.contains { $0.name == ProcessName(name) }
        case .networkNamespace: held.contains(external)
        }
    }
}

extension LostFields {
    /// What the kernel's message about a socket's end does not have: an abort clears the socket, and who closes it holds it
    /// no more.
    fileprivate init(lostAtEnd record: borrowing some SocketFields & ~Escapable) {
        self = []
        if record.local.address.isAny { insert(.localAddress) }
        if record.local.port == 0 { insert(.localPort) }
        if record.remote.port == 0 { formUnion([.remotePort, .measurements]) }
        if record.uid == nil { insert(.uid) }
        if record.inode == nil { insert(.inode) }
        if record.tcpInfo == nil { insert(.measurements) }
    }
}
