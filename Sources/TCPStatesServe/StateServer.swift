#if Serve
    internal import LinuxLibC
    internal import NIOCore
    internal import NIOHTTP1
    internal import NIOPosix
    internal import Synchronization
    package import TCPWatch

    /// Answers over HTTP what a watcher sees: one event loop, and one thread for what takes longer.
    package final class StateServer: Sendable {
        private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        private let pool = NIOThreadPool(numberOfThreads: 1)
        private let loop: any EventLoop
        private let connections: NIOLoopBoundBox<Connections>
        private let telemetry: Telemetry
        private let routes: Routes
        private let exporter = Mutex<Exporter?>(nil)
        /// Those that accept.
        private let accepting = Mutex<[any Channel]>([])

        /// A server that is asked by nobody yet. What `afterEvents` is called with is to be called once ``take(_:)`` has been
        /// given all that the watcher has sent until then.
        package init(
            _ configuration: ServeConfiguration,
            of watcher: SocketWatcher,
            afterEvents: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
        ) {
            loop = group.next()
            connections = NIOLoopBoundBox.makeBoxSendingValue(Connections(), eventLoop: loop)
            telemetry = Telemetry(configuration, isTracing: watcher.isTracing)
            pool.start()
            routes = Routes(
                configuration: configuration,
                telemetry: telemetry,
                looks: Looks(watcher, configuration, since: telemetry.start, on: pool, afterEvents: afterEvents),
                streams: EventStreams(connections, on: loop),
                sockets: SocketAnswers(configuration: configuration, pool: pool),
                examinations: Examinations(configuration, on: pool)
            )
        }

        /// Begins to accept; the sockets are the server's from now on.
        package func start(_ sockets: [ListeningSocket]) throws {
            routes.examinations.begin(on: loop)
            let export = routes.configuration.export
            if export.metrics != nil || export.events != nil {
                let exporter = try loop.submit { [routes, loop] in
                    Exporter(
                        export,
                        version: routes.configuration.version,
                        routes.telemetry,
                        routes.looks,
                        routes.examinations,
                        on: loop
                    )
                }.wait()
                self.exporter.withLock { $0 = exporter }
            }
            for socket in sockets {
                let bootstrap = ServerBootstrap(group: group)
                    .childChannelOption(.maxMessagesPerRead, value: 1)
                    .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4096))
                    .childChannelInitializer { [routes, connections] channel in
                        channel.eventLoop.makeCompletedFuture {
                            try Self.configure(channel, routes, connections.value, isTCP: socket.isTCP)
                        }
                    }
                let channel = try bootstrap.withBoundSocket(socket.descriptor).wait()
                accepting.withLock { $0.append(channel) }
            }
        }

        private static func configure(
            _ channel: any Channel,
            _ routes: Routes,
            _ connections: Connections,
            isTCP: Bool
        ) throws {
            let handler = RequestHandler(routes, connections, isTCP: isTCP)
            let pipeline = channel.pipeline.syncOperations
            guard connections.add(handler) else { return try pipeline.addHandler(RequestLimit(nil)) }
            do {
                try pipeline.addHandler(RequestLimit(handler))
                try pipeline.configureHTTPServerPipeline()
                try pipeline.addHandler(handler)
            } catch {
                // It is closed already.
                connections.remove(handler)
                throw error
            }
            guard isTCP else { return }
            // A client that is gone without a word is not waited for as long as the kernel would.
            let option = ChannelOptions.Types.SocketOption(
                level: .tcp,
                name: NIOBSDSocket.Option(rawValue: TCP_USER_TIMEOUT)
            )
            try? channel.syncOptions?.setOption(option, value: Limits.acknowledgment)
        }

        /// Counts what has happened, and tells it to who listens; called by one thread.
        package func take(_ events: [SocketEvent]) {
            let events = routes.configuration.showsOwners ? events : events.map(\.withoutProcesses)
            telemetry.note(events)
            routes.streams.send(events)
            exporter.withLock { $0 }?.send(events)
        }

        /// Accepts no more, answers what was asked, sends what is to be sent a last time, and ends.
        package func drain() throws {
            for channel in accepting.withLock({ $0 }) { try? channel.close().wait() }
            let exported = exporter.withLock { $0 }?.finish(within: .seconds(Limits.drain))
            let drained = loop.makePromise(of: Void.self)
            let connections = connections
            loop.execute { connections.value.drain(drained) }
            loop.scheduleTask(in: .seconds(Limits.drain)) { connections.value.closeAll() }
            try drained.futureResult.wait()
            try exported?.wait()
            try pool.syncShutdownGracefully()
            try group.syncShutdownGracefully()
        }
    }

    extension SocketEvent {
        /// Without what only some may see: who has made a call, and who holds the socket.
        fileprivate var withoutProcesses: SocketEvent {
            guard case .transition(var transition) = self else { return self }
            (transition.pid, transition.pidNamespace, transition.processName) = (nil, nil, nil)
            transition.owners = []
            return .transition(transition)
        }
    }
#endif
