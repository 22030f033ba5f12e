#if Serve
    internal import NIOCore
    internal import NIOPosix
    internal import SockDiag
    internal import SocketOwners
    internal import Synchronization
    internal import TCPDiagnosis
    internal import TCPRecords
    internal import TCPWatch

    /// What there is at a moment, by namespace.
    struct Look: Sendable {
        var time: EventTime
        /// By the namespaces' labels; nil where none was named.
        var spaces: [String?: Space]

        /// A network namespace.
        struct Space: Sendable {
            var counts = StateCounts()
            var gauges: SocketGauges
            /// The kernel's own counters and settings there.
            var kernel: [MetricFamily] = []

            mutating func count(_ visit: SocketGauges.Visit) {
                counts.add(visit.state, visit.identity.family)
                gauges.count(visit)
            }
        }
    }

    /// Looks at the sockets for all who wait, once: at those that the watcher knows, after what has happened until now; the
    /// listeners' queues, and what the watcher does not know of the others where that is asked for, are dumped before, on one
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
        private let configuration: ServeConfiguration
        private let start: EventTime
        private let pool: NIOThreadPool
        /// Calls a closure when all events have been counted that the watcher has sent until now.
        private let afterEvents: @Sendable (@escaping @Sendable () -> Void) -> Void
        private let state = Mutex(State())

        init(
            _ watcher: SocketWatcher,
            _ configuration: ServeConfiguration,
            since start: EventTime,
            on pool: NIOThreadPool,
            afterEvents: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
        ) {
            (self.watcher, self.configuration, self.start, self.pool) = (watcher, configuration, start, pool)
            self.afterEvents = afterEvents
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

        /// Whether the watcher's table has what is counted.
        private var usesTable: Bool { !configuration.gauges.hasQueues && !countsProcesses }

        private var countsProcesses: Bool { configuration.gauges.groupings.contains(.process) }

        /// Whether the queues of listeners are known: whom a filter asks for is found for each socket once, by the watcher.
        private var dumpsListeners: Bool { !usesTable || !asksOwners }

        private var asksOwners: Bool { configuration.watching.filter?.externals.isEmpty == false }

        /// A namespace in which nothing was counted yet.
        private var uncounted: Look.Space {
            Look.Space(gauges: SocketGauges(configuration.gauges, settings: .none))
        }

        /// Adds what the watcher knows: the sockets, where no dump has counted them, and how old their states are.
        private func visit(_ counted: [String?: Look.Space]) {
            let start = start.monotonicNanoseconds
            let (family, states) = (configuration.watching.family, configuration.watching.states)
            let (usesTable, hasListeners, uncounted) = (usesTable, dumpsListeners, uncounted)
            watcher.visit { known in
                var spaces = counted
                var (place, isFirst): (String?, Bool) = (nil, true)
                var space = uncounted
                known.forEach { namespace in
                    if !isFirst { spaces[place] = space }
                    (place, isFirst) = (namespace?.metricLabel, false)
                    // Out of the table, so that it is not copied for each socket.
                    space = spaces.removeValue(forKey: place) ?? uncounted
                } _: { socket in
                    guard family == nil || socket.name.family == family, states.contains(socket.state) else { return }
                    space.counts.add(socket.state, since: max(socket.enteredAt, start))
                    guard usesTable, socket.state != .listen || !hasListeners else { return }
                    space.count(.init(socket.name.identity, in: socket.state, openedBy: socket.side))
                }
                if !isFirst { spaces[place] = space }
                return spaces
            } completion: { [self] spaces in
                let time = EventTime.now()
                afterEvents { [self] in
                    finish(spaces.map { .success(Look(time: time, spaces: $0)) } ?? .failure(Ended()))
                }
            }
        }

        /// Counts what the kernel shows: the listeners and their queues, and where the watcher does not know what is counted, all
        /// sockets.
        private func dump() throws -> [String?: Look.Space] {
            let watching = configuration.watching
            var spaces: [String?: Look.Space] = [:]
            let states = usesTable ? watching.states.intersection(.listen) : watching.states
            let owners = countsProcesses || !usesTable && asksOwners ? try OwnerSnapshot() : nil
            for namespace in try configuration.namespaces() {
                do {
                    let here = if let namespace { namespace } else { try NetworkNamespace.current }
                    let settings = try KernelSettings(of: here)
                    var space = Look.Space(gauges: SocketGauges(configuration.gauges, settings: settings))
                    space.kernel = MetricFamily.kernel(try KernelCounters(of: here), settings)
                    if dumpsListeners, !states.isEmpty {
                        var client = try SockDiagClient(in: namespace)
                        let query = SocketQuery(family: watching.family, states: states)
                        try client.forEach(
                            query,
                            matching: watching.filter,
                            external: { $0.finds($1, of: owners, in: namespace) },
                            while: { isWanted }
                        ) {
                            space.count(SocketGauges.Visit($0, process: owners?[$0.inode].first?.name))
                        }
                    }
                    spaces[namespace?.metricLabel] = space
                } catch let error as KernelError where namespace != nil {
                    // It has ended, or may not be entered; the watcher says so.
                    guard configuration.watching.followsAllNamespaces || error.code == .notFound else { throw error }
                }
            }
            return spaces
        }
    }

    extension SocketFilter.External {
        /// Whether it finds a socket of a namespace, nil for the process' own.
        func finds(
            _ socket: borrowing SocketRecord,
            of owners: OwnerSnapshot?,
            in namespace: NetworkNamespace?
        ) -> Bool {
            switch self {
            case .pid(let pid): owners?[socket.inode].contains { $0.pid == pid } ?? false
            case .process(let name): owners?[socket.inode].contains { $0.name == ProcessName(name) } ?? false
            case .networkNamespace(let name):
                namespace?.isCalled(name) ?? false
            }
        }
    }

    extension SockDiagClient {
        /// Reads a dump from one datagram to the next, as long as somebody wants it; then it is left, and the client with it.
        ///
        /// - Throws: what the kernel refuses, and that nobody wants it any more.
        mutating func forEach(
            _ query: SocketQuery,
            matching filter: SocketFilter?,
            external: (SocketFilter.External, borrowing SocketRecord) -> Bool,
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
