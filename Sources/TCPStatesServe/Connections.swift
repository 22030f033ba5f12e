#if Serve
    internal import NIOCore

    /// The connections that there are; on the server's one event loop alone.
    final class Connections {
        private var all: [ObjectIdentifier: RequestHandler] = [:]
        private var whenEmpty: EventLoopPromise<Void>?

        /// Whether the server ends: no further request is answered.
        private(set) var isDraining = false

        /// Takes a connection in, where there is room, or one that only waits makes room: first the one whose request does not
        /// come to its end, then the one that has had none for longest.
        func add(_ handler: RequestHandler) -> Bool {
            if isDraining { return false }
            if all.count >= Limits.connections {
                let idle = all.values.filter { $0.waiting != nil }
                guard let oldest = idle.min(by: { $0.precedes($1) }) else { return false }
                remove(oldest)
                oldest.close()
            }
            all[ObjectIdentifier(handler)] = handler
            return true
        }

        func remove(_ handler: RequestHandler) {
            all[ObjectIdentifier(handler)] = nil
            if all.isEmpty { whenEmpty?.succeed() }
        }

        /// How many are told events.
        var streamCount: Int { all.values.count(where: \.isStreaming) }
        /// How many are given what is large.
        var largeCount: Int { all.values.count(where: \.isLarge) }

        /// Tells an event to all who listen.
        func stream(_ text: ByteBuffer) { for handler in all.values { handler.stream(text) } }

        /// Answers what was asked, ends what only waits, and streams.
        func drain(_ promise: EventLoopPromise<Void>) {
            isDraining = true
            whenEmpty = promise
            if all.isEmpty { promise.succeed() }
            for handler in all.values { handler.drain() }
        }

        /// Ends what is left.
        func closeAll() { for handler in all.values { handler.close() } }
    }
#endif
