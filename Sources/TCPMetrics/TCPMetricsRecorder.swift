#if Metrics
    public import CoreMetrics
    internal import SockDiag
    internal import TCPDiagnosis
    internal import TCPRecords
    public import TCPWatch

    /// Reports what a watcher's events come to, to whatever an agent has bootstrapped swift-metrics with.
    ///
    /// ```swift
    /// var recorder = TCPMetricsRecorder()
    /// for try await event in watcher {
    ///     recorder.record(event)
    ///     if clock.now >= next { recorder.tick() }
    /// }
    /// ```
    ///
    /// Durations are reported at once, as timers; counters and gauges by ``tick()``, so that a million events a minute cost
    /// a backend no more than one. Names and labels are those of OpenTelemetry's conventions where they have them, else those
    /// of `docs/metrics.md`; no label is a process' number, a cookie or a client's port.
    ///
    /// It keeps the state of each socket, some tens of bytes. One recorder is for one watcher.
    public struct TCPMetricsRecorder: Sendable {
        private let factory: any MetricsFactory
        private var meter = EventMeter()
        private var sockets: [Life: Known] = [:]
        private var counters: [Series: (counter: Counter, reported: UInt64)] = [:]
        private var gauges: [Series: Meter] = [:]
        private var timers: [Series: Timer] = [:]

        /// A connection, listener or bound socket: a cookie names a socket, which may have one connection after the other.
        private struct Life: Hashable {
            let cookie: SocketCookie
            let incarnation: UInt8
        }

        private struct Known {
            let identity: SocketIdentity
            let state: TCPState
            /// Monotonic nanoseconds.
            let since: UInt64
        }

        private struct Series: Hashable {
            let name: String
            let labels: [String]
        }

        /// A recorder that has seen nothing. Every counter and gauge is there from now on, at 0.
        public init(factory: any MetricsFactory = MetricsSystem.factory) {
            self.factory = factory
            tick()
        }

        /// Counts an event. Every event of the watcher has to come here, from the first one on.
        public mutating func record(_ event: SocketEvent) {
            var durations: [(Metric, String, Duration)] = []
            meter.note(event) { durations.append(($0, $1, $2)) }
            for (metric, label, duration) in durations { record(duration, metric, label) }
            switch event {
            // What there is comes next, as at the beginning.
            case .gap(let gap) where gap.source == .reader: sockets = [:]
            case .socket(let socket):
                let life = Life(cookie: socket.cookie, incarnation: socket.incarnation)
                let time = socket.time ?? .now()
                sockets[life] = Known(
                    identity: socket.identity,
                    state: socket.state,
                    since: time.monotonicNanoseconds
                )
            case .transition(let transition):
                let life = Life(cookie: transition.identity.cookie, incarnation: transition.incarnation)
                sockets[life] =
                    transition.to == .closed
                    ? nil
                    : Known(
                        identity: transition.identity,
                        state: transition.to,
                        since: transition.time.monotonicNanoseconds
                    )
            default: break
            }
        }

        /// Reports the counters and the gauges as they are now. Call it as often as they are to be seen to change: once for
        /// each time that they are read, or every ten seconds.
        public mutating func tick() {
            // Durations are reported at once.
            for family in meter.families(isTraced: false) {
                guard case .counter = family.metric.kind else { continue }
                for sample in family.samples {
                    if case .count(let count) = sample.value { report(count, family.metric, sample.labels) }
                }
            }
            for family in socketFamilies {
                for sample in family.samples {
                    let gauge = gauge(family.metric, sample.labels)
                    switch sample.value {
                    case .count(let count): gauge.set(Int64(clamping: count))
                    case .number(let number): gauge.set(number)
                    case .histogram: break
                    }
                }
            }
        }

        /// How many sockets are in each state, and for how long the oldest has been; the rest takes a look at the kernel.
        private var socketFamilies: [MetricFamily] {
            var options = SocketGauges.Options()
            options.hasAges = true
            var counts = SocketGauges(options, settings: .none, at: EventTime.now().monotonicNanoseconds)
            for known in sockets.values {
                counts.count(SocketGauges.Visit(known.identity, in: known.state, since: known.since))
            }
            let names = [Catalogue.sockets.text, Catalogue.oldest.text]
            return counts.families.filter { names.contains($0.metric.text) }
        }

        private mutating func report(_ count: UInt64, _ metric: Metric, _ labels: [String]) {
            let series = Series(name: metric.text, labels: labels)
            let known =
                counters[series]
                ?? (
                    Counter(
                        label: metric.conventionalName,
                        dimensions: Self.dimensions(metric, labels),
                        factory: factory
                    ),
                    0
                )
            if count > known.reported { known.counter.increment(by: Int64(clamping: count - known.reported)) }
            counters[series] = (known.counter, count)
        }

        private mutating func gauge(_ metric: Metric, _ labels: [String]) -> Meter {
            let series = Series(name: metric.text, labels: labels)
            if let known = gauges[series] { return known }
            let gauge = Meter(
                label: metric.conventionalName,
                dimensions: Self.dimensions(metric, labels),
                factory: factory
            )
            gauges[series] = gauge
            return gauge
        }

        private mutating func record(_ duration: Duration, _ metric: Metric, _ label: String) {
            let series = Series(name: metric.text, labels: [label])
            let timer =
                timers[series]
                ?? Timer(
                    label: metric.conventionalName,
                    dimensions: Self.dimensions(metric, [label]),
                    preferredDisplayUnit: .seconds,
                    factory: factory
                )
            timers[series] = timer
            timer.recordNanoseconds(Int64(clamping: duration.nanoseconds))
        }

        private static func dimensions(_ metric: Metric, _ labels: [String]) -> [(String, String)] {
            metric.attributes(labels).map { ($0.name, $0.value) }
        }
    }
#endif
