// Program 3: a watcher that is steered while it runs, and measured.
//     Steering NAMESPACE
import SockDiag
import TCPWatch

@main
struct Steering {
    static func main() async throws {
        let watcher = try SocketWatcher()
        var events = watcher.makeAsyncIterator()
        try await report("all", &events)

        try await watcher.update(filter: .state(.listen))
        try await report("listeners", &events)
        try await watcher.update(interval: .milliseconds(100))
        watcher.resynchronize()
        try await report("anew", &events)

        let namespace = try NetworkNamespace(CommandLine.arguments[1])
        try await watcher.add(namespace)
        watcher.resynchronize()
        try await report("with \(namespace)", &events)
        try await watcher.remove(namespace)
        // Containers that come from now on are watched within two seconds.
        try await watcher.followAllNamespaces()

        let metrics = watcher.metrics
        print("\(metrics.events) events, \(metrics.dumps) dumps, \(metrics.lookups) lookups")
        print("\(metrics.sockets) sockets, lost: \(metrics.lost), \(metrics.processorTime) of a processor")
        if let fill = metrics.ringFill { print("the ring was full by \(fill * 100) %") }
        watcher.stop()
    }

    /// Reads until what exists has been reported.
    static func report(_ step: String, _ events: inout SocketWatcher.Iterator) async throws {
        var sockets: [WatchedSocket] = []
        while let event = try await events.next() {
            if case .socket(let socket) = event { sockets.append(socket) }
            if case .ready = event { break }
        }
        print("\(step): \(sockets.count) sockets")
        for socket in sockets { print("  ", socket.namespace?.description ?? "here", socket) }
    }
}
