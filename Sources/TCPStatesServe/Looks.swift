#if Serve
    internal import NIOCore
    internal import NIOPosix
    internal import SockDiag
    internal import Synchronization
    internal import TCPWatch

    /// What there is at a moment, by namespace.
    struct Look: Sendable {
        var time: EventTime
        /// By the namespaces' labels; nil where none was named.
        var spaces: [String?: StateCounts]
    }

    /// Looks at the sockets for all who wait, once: where the kernel is traced in the watcher's own table, else by a dump, on one
    /// thread that is none of the server's. Where nobody waits any more, the rest of a dump is left.
    final class Looks: Sendable {
        private struct State {
            var waiting: [Int: EventLoopPromise<Look>] = [:]
            var next = 0
            var isLooking = false
        }

        /// That nobody waits.
        struct Abandoned: Error {}
        /// The watcher has ended.
        struct Ended: Error {}

        private let watcher: SocketWatcher
        private let configuration: SocketWatcher.Configuration
        private let start: EventTime
        private let pool: NIOThreadPool
        private let state = Mutex(State())

        init(
            _ watcher: SocketWatcher,
            _ configuration: SocketWatcher.Configuration,
            since start: EventTime,
            on pool: NIOThreadPool
        ) {
            (self.watcher, self.configuration, self.start, self.pool) = (watcher, configuration, start, pool)
        }

        /// Waits for a look: the one that is under way, or a new one.
        ///
        /// - Returns: What there is, and what to call where it is waited for no more.
        func ask(on loop: any EventLoop) -> (look: EventLoopFuture<Look>, forget: @Sendable () -> Void) {
            let promise = loop.makePromise(of: Look.self)
            let (id, begins) = state.withLock { state in
                state.next += 1
                state.waiting[state.next] = promise
                defer { state.isLooking = true }
                return (state.next, !state.isLooking)
            }
            if begins { look() }
            return (
                promise.futureResult,
                { [self] in
                    state.withLock { $0.waiting.removeValue(forKey: id) }?.fail(Abandoned())
                }
            )
        }

        private var isWanted: Bool { state.withLock { !$0.waiting.isEmpty } }

        private func finish(_ result: Result<Look, any Error>) {
            let waiting = state.withLock { state in
                state.isLooking = false
                defer { state.waiting = [:] }
                return state.waiting.values
            }
            for promise in waiting { promise.completeWith(result) }
        }

        private func look() {
            guard !watcher.isTracing else { return visit(nil) }
            pool.submit { [self] _ in
                do {
                    visit(try dump())
                } catch is Abandoned {
                    finishAbandoned()
                } catch {
                    finish(.failure(error))
                }
            }
        }

        /// Somebody may have come since.
        private func finishAbandoned() {
            let begins = state.withLock { state in
                state.isLooking = !state.waiting.isEmpty
                return state.isLooking
            }
            if begins { look() }
        }

        /// What the watcher knows; where a dump has counted the sockets, how old they are.
        private func visit(_ counted: [String?: StateCounts]?) {
            let start = start.monotonicNanoseconds
            let family = configuration.family
            let states = configuration.states
            watcher.visit { known in
                var spaces: [String?: StateCounts] = [:]
                var (counts, place): (StateCounts, String?) = (StateCounts(), nil)
                var isFirst = true
                known.forEach(in: { namespace in
                    if !isFirst { spaces[place] = counts }
                    (counts, place, isFirst) = (StateCounts(), namespace?.label, false)
                }) { socket in
                    guard family == nil || socket.name.family == family, states.contains(socket.state) else { return }
                    counts.add(socket.state, socket.name.family)
                    counts.add(socket.state, since: max(socket.enteredAt, start))
                }
                if !isFirst { spaces[place] = counts }
                return spaces
            } completion: { [self] spaces in
                guard var spaces else { return finish(.failure(Ended())) }
                if let counted {
                    spaces = counted.merging(spaces) { counted, known in
                        var both = counted
                        both.takeAges(of: known)
                        return both
                    }
                }
                finish(.success(Look(time: .now(), spaces: spaces)))
            }
        }

        private func dump() throws -> [String?: StateCounts]? {
            // Who holds a socket is asked by the watcher alone.
            if configuration.filter?.externals.isEmpty == false || configuration.followsAllNamespaces { return nil }
            let namespaces = configuration.namespaces.isEmpty ? [nil] : configuration.namespaces.map(Optional.some)
            var spaces: [String?: StateCounts] = [:]
            for namespace in namespaces {
                var counts = StateCounts()
                let query = SocketQuery(family: configuration.family, states: configuration.states)
                do {
                    var client = try SockDiagClient(in: namespace)
                    try client.forEach(query, matching: configuration.filter, while: { isWanted }) {
                        counts.add($0.state, $0.family)
                    }
                } catch let error as KernelError where error.code == .notFound && namespaces.count > 1 {
                    continue
                }
                spaces[namespace?.label] = counts
            }
            return spaces
        }
    }

    extension SockDiagClient {
        /// Reads a dump from one datagram to the next, as long as somebody wants it; then it is left, and the client with it.
        ///
        /// - Throws: what the kernel refuses, and that nobody wants it any more.
        mutating func forEach(
            _ query: SocketQuery,
            matching filter: SocketFilter?,
            external: (SocketFilter.External, borrowing SocketRecord) -> Bool = { _, _ in false },
            while isWanted: () -> Bool,
            _ body: (borrowing SocketRecord) -> Void
        ) throws {
            let matcher = try filter.map { filter throws(KernelError) in try self.matcher(for: filter) }
            guard let narrowed = matcher.map({ $0.narrow(query) }) ?? query else { return }
            var dump = SocketDump(narrowed)
            func take(_ socket: borrowing SocketRecord) {
                let isFound = matcher?.matches(socket) { external($0, socket) }
                if isFound != false { body(socket) }
            }
            do {
                repeat { guard isWanted() else { throw Looks.Abandoned() } } while try advance(&dump, take)
            } catch let error as KernelError where error.code == .inconsistentDump {
                // It shows what changed meanwhile as it was, or as it is.
            }
        }
    }
#endif
