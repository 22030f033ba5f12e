internal import LinuxSystem
internal import SockDiag
internal import SocketLeaks
internal import SocketOwners
internal import TCPWatch

/// The TCP sockets that no dump lists, found by the descriptors of the processes that may be read: all are CLOSED. They were
/// never bound, or their connection was refused, reset, timed out or let go, and the port was the kernel's choice.
///
/// Nothing tells in which network namespace such a socket was made; it is taken for one of its holder's.
struct UnlistedSockets {
    private let sockets: [WatchedSocket]
    /// What was not searched, and why; nil where all was.
    let shortfall: String?

    /// Searches the processes.
    ///
    /// - Throws: ``KernelError`` where there is no `/proc`.
    init(of processes: ProcessSelection = .all) throws(KernelError) {
        var search: ForgottenSockets
        do throws(KernelError) {
            search = try ForgottenSockets(of: processes)
        } catch {
            // A process that is not there holds nothing.
            guard error.code == .notFound else { throw error }
            (sockets, shortfall) = ([], nil)
            return
        }
        search.kinds = [.unconnected]
        let found = try search.find(olderThan: .zero)
        sockets = found.sockets.map(\.socket)
        var coverage = found.coverage
        // Any process may be meant here, also one that /proc does not show.
        coverage.processes.isConfined = (try? ProcessDirectory())?.isConfined == true
        shortfall = coverage.isComplete ? nil : coverage.description
    }

    /// Those of a network namespace and of a family; nil stands for both families.
    func sockets(in namespace: NetworkNamespace, _ family: AddressFamily? = nil) -> [WatchedSocket] {
        let current = try? NetworkNamespace.current
        return sockets.filter { ($0.namespace ?? current) == namespace && (family == nil || $0.family == family) }
    }
}

extension SelectionOptions {
    /// Whether CLOSED is asked for by its name: of sockets in that state a dump lists some alone.
    func asksForClosed(_ filter: SocketFilter?) -> Bool {
        let states = selectedStates.intersection(filter?.states ?? .all)
        let isNamed = !self.states.isEmpty || filter?.namesStates == true
        return isNamed && states != .all && states.contains(.closed)
    }
}
