#if Serve
    internal import NIOCore
    internal import TCPRecords
    internal import TCPWatch

    /// Sends to collectors of OpenTelemetry's what is to be sent there, on the server's event loop.
    final class Exporter: Sendable {
        private let metrics: NIOLoopBoundBox<MetricExport?>
        private let events: EventExport?
        private let loop: any EventLoop

        /// Made on the event loop.
        init(
            _ configuration: ExportConfiguration,
            version: String,
            _ telemetry: Telemetry,
            _ looks: Looks,
            _ examinations: Examinations,
            on loop: any EventLoop
        ) {
            self.loop = loop
            let source = OTLPSource(configuration.attributes, version: version)
            let news = CollectorNews(configuration.report)
            let export = configuration.metrics.map {
                MetricExport(
                    $0,
                    every: configuration.interval,
                    of: source,
                    telemetry,
                    looks,
                    examinations,
                    news,
                    on: loop
                )
            }
            metrics = NIOLoopBoundBox(export, eventLoop: loop)
            events = configuration.events.map {
                EventExport($0, of: source, telemetry, news, configuration.report, on: loop)
            }
            export?.begin()
        }

        /// Takes what has happened; called by one thread, which is none of the event loop's.
        func send(_ occurred: [SocketEvent]) { events?.send(occurred) }

        /// Sends all once more, as far as there is time for it; done when that is.
        func finish(within time: TimeAmount) -> EventLoopFuture<Void> {
            let done = loop.makePromise(of: Void.self)
            loop.execute { [self] in
                let (measured, told) = (loop.makePromise(of: Void.self), loop.makePromise(of: Void.self))
                let deadline = loop.scheduleTask(in: time) {
                    measured.succeed()
                    told.succeed()
                }
                if let metrics = metrics.value { metrics.end(measured) } else { measured.succeed() }
                if let events { events.end(told) } else { told.succeed() }
                measured.futureResult.and(told.futureResult).whenComplete { [self] _ in
                    deadline.cancel()
                    metrics.value?.close()
                    events?.close()
                    done.succeed()
                }
            }
            return done.futureResult
        }
    }
#endif
