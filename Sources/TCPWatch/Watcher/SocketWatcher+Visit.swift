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

    /// Has the watcher's thread learn all that has happened until now, go through the sockets that it knows, and hand on
    /// what `body` has made of them: a few numbers, for nothing is read meanwhile. What tracepoints have reported is read;
    /// without them there is a poll at once.
    ///
    /// - Parameters:
    ///   - body: Reads the sockets, on the watcher's thread.
    ///   - completion: Called there with the result, or with nil where the watcher has ended. The events of what has
    ///     happened are sent before.
    package func visit<Result: Sendable>(
        _ body: @escaping @Sendable (KnownSockets) -> Result,
        completion: @escaping @Sendable (Result?) -> Void
    ) {
        loop.ask { engine in
            guard let engine else { return completion(nil) }
            engine.whenKnown { engine in completion(engine.map { body(KnownSockets(engine: $0)) }) }
        }
    }
}
