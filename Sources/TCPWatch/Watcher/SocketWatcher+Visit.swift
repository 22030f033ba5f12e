package import ConnectionTracking
package import SocketValues

extension SocketWatcher {
    /// The sockets that a watcher knows, as long as its thread shows them.
    package struct KnownSockets {
        let engine: WatchEngine

        /// Calls `namespace` with each namespace, nil where none was named, and `body` then with each socket there.
        package func forEach(in namespace: (NetworkNamespace?) -> Void, _ body: (KnownSocket) -> Void) {
            engine.forEachKnown(in: namespace, body)
        }
    }

    /// Has the watcher's thread go through the sockets that it knows, between two of its other works, and hands on what
    /// `body` has made of them: a few numbers, for nothing is read meanwhile. No kernel is asked.
    ///
    /// - Parameters:
    ///   - body: Reads the sockets, on the watcher's thread.
    ///   - completion: Called there with the result, or at once with nil where the watcher has ended.
    package func visit<Result: Sendable>(
        _ body: @escaping @Sendable (KnownSockets) -> Result,
        completion: @escaping @Sendable (Result?) -> Void
    ) {
        loop.ask { engine in completion(engine.map { body(KnownSockets(engine: $0)) }) }
    }
}
