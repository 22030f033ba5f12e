internal import SockDiag
internal import SocketOwners
internal import TCPWatch

/// A search for leaks in each of several network namespaces.
final class LeakSearches {
    private final class Lane {
        var search: LeakSearch

        init(_ search: consuming LeakSearch) { self.search = search }
    }

    private let lanes: [Lane]

    /// Begins a window in the namespaces, or in the calling thread's where none is named.
    init(_ rules: LeakRules, in namespaces: [NetworkNamespace]) throws(SockDiagError) {
        var lanes: [Lane] = []
        if namespaces.isEmpty { lanes.append(Lane(try LeakSearch(rules))) }
        for namespace in namespaces { lanes.append(Lane(try LeakSearch(rules, in: namespace))) }
        self.lanes = lanes
    }

    /// The sockets that appeared in the window, count, and are held by one of the processes now.
    func heldSockets(by processes: ProcessSelection) throws(SockDiagError) -> [WatchedSocket] {
        var held: [WatchedSocket] = []
        for lane in lanes { held += try lane.search.heldSockets(by: processes) }
        return held
    }
}
