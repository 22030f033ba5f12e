#if Serve
    internal import LinuxLibC
    internal import NIOCore
    internal import TCPRecords
    internal import TCPWatch

    /// Sends all metrics to a collector, again and again. Nothing is kept for one that is away: the next export has all that has
    /// been counted. On one event loop alone.
    final class MetricExport {
        private let telemetry: Telemetry
        private let looks: Looks
        private let examinations: Examinations
        private let source: OTLPSource
        private let delivery: Delivery
        private let interval: TimeAmount
        /// How long a look may take.
        private let patience: TimeAmount
        private let loop: any EventLoop
        private var timer: Scheduled<Void>?
        private var isUnderway = false
        /// Kept when the server ends: one more export follows.
        private var end: EventLoopPromise<Void>?

        init(
            _ collector: Collector,
            every interval: Duration,
            of source: OTLPSource,
            _ telemetry: Telemetry,
            _ looks: Looks,
            _ examinations: Examinations,
            _ news: CollectorNews,
            on loop: any EventLoop
        ) {
            (self.telemetry, self.looks, self.examinations) = (telemetry, looks, examinations)
            (self.source, self.loop) = (source, loop)
            self.interval = .nanoseconds(Int64(clamping: interval.nanoseconds))
            patience = .nanoseconds(Int64(clamping: collector.timeout.nanoseconds))
            delivery = Delivery(collector, of: "data points", version: source.version, within: interval, news, on: loop)
        }

        /// Exports as soon as it is known what there is, and from then on.
        func begin() { wait(min(interval, .seconds(1))) }

        private func wait(_ time: TimeAmount) {
            timer = loop.assumeIsolated().scheduleTask(in: time) { [self] in
                timer = nil
                if telemetry.isReady { export() } else { begin() }
            }
        }

        private func export() {
            isUnderway = true
            let start = NIODeadline.now()
            send().whenComplete { [self] result in
                isUnderway = false
                guard !delivery.isClosed else { return }
                guard end == nil else { return finish() }
                // A look for which there was no time is made at the next time; where the watch has ended there is none.
                if case .failure(let error) = result, error is Looks.Ended { return }
                var next = start + interval
                if case .success(.again(let time)) = result { next = .now() + time }
                wait(max(next - .now(), .zero))
            }
        }

        /// Looks, as long as there is time for it, and sends what is seen.
        private func send() -> EventLoopFuture<Delivery.Outcome>.Isolated {
            let (look, forget) = looks.ask(on: loop)
            let deadline = loop.scheduleTask(in: patience) { forget() }
            return look.assumeIsolated().flatMap { [self] look in
                deadline.cancel()
                return delivery.send(request(look)).nonisolated()
            }
        }

        private func request(_ look: Look) -> ByteBuffer {
            let groups = telemetry.metrics(look, examinations.examined)
            let (boot, watch) = (Self.bootTime(look.time), telemetry.start.realtimeNanoseconds)
            let process = groups.lazy.flatMap(\.families).first { $0.metric.text == Catalogue.startTime.text }
            var start = watch
            if case .number(let seconds)? = process?.samples.first?.value, seconds > 0, seconds < 1e10 {
                start = UInt64(seconds * 1e9)
            }
            var bytes = TextBuffer(capacity: 1 << 16)
            OTLPMetrics.write(
                groups,
                of: source,
                at: look.time.realtimeNanoseconds,
                since: { origin in
                    switch origin {
                    case .watch: watch
                    case .boot: boot
                    case .process: start
                    }
                },
                into: &bytes
            )
            return bytes.withBytes { ByteBuffer(bytes: $0) }
        }

        /// When the machine was started, nanoseconds since 1970.
        private static func bootTime(_ now: EventTime) -> UInt64 {
            var time = timespec()
            clock_gettime(CLOCK_BOOTTIME, &time)
            let since = UInt64(max(time.tv_sec, 0)) &* 1_000_000_000 &+ UInt64(max(time.tv_nsec, 0))
            return now.realtimeNanoseconds > since ? now.realtimeNanoseconds - since : 0
        }

        /// Exports a last time; done when that is, however it ends.
        func end(_ promise: EventLoopPromise<Void>) {
            timer?.cancel()
            end = promise
            if !isUnderway { finish() }
        }

        private func finish() {
            guard let promise = end, telemetry.isReady else {
                end?.succeed()
                return
            }
            send().whenComplete { [self] _ in
                delivery.close()
                promise.succeed()
            }
        }

        /// Nothing more is waited for.
        func close() { delivery.close() }
    }
#endif
