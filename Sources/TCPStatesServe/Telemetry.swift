#if Serve
    internal import SockDiag
    internal import Synchronization
    internal import TCPDiagnosis
    internal import TCPRecords
    internal import TCPWatch

    /// What has happened since the watch began: counted, and the last of it. Counted on the thread that takes the watcher's
    /// events, and read by whoever answers.
    final class Telemetry: Sendable {
        fileprivate struct State {
            var meters: [String?: EventMeter] = [:]
            var last: [Transition] = []
            var next = 0
            var isReady = false
            var scrapes: [UInt: UInt64] = [200: 0, 403: 0, 405: 0, 503: 0]
            var scrapeDuration: Duration = .zero
            /// Nil where no events are sent to a collector.
            var unexported: UInt64?
        }

        private let state = Mutex(State())
        private let configuration: ServeConfiguration
        private let isTracing: Bool
        /// When counting began.
        let start = EventTime.now()

        /// So many of the last transitions are kept.
        fileprivate static let capacity = 50

        init(_ configuration: ServeConfiguration, isTracing: Bool) {
            (self.configuration, self.isTracing) = (configuration, isTracing)
            // All that can be counted is there from the first scrape on, at 0.
            let labels = configuration.watching.namespaces.map { Optional($0.metricLabel) }
            state.withLock { state in
                for label in labels.isEmpty ? [nil] : labels { state.meters[label] = EventMeter() }
                if configuration.export.events != nil { state.unexported = 0 }
            }
        }

        /// Whether it is known what there is.
        var isReady: Bool { state.withLock { $0.isReady } }

        func note(_ events: [SocketEvent]) {
            // Whoever answers waits for a few of them at most.
            for start in stride(from: 0, to: events.count, by: 256) {
                state.withLock { state in
                    for event in events[start..<min(start + 256, events.count)] { state.note(event) }
                }
            }
        }

        func noteScrape(status: UInt, after duration: Duration) {
            state.withLock { state in
                state.scrapes[status, default: 0] &+= 1
                state.scrapeDuration = duration
            }
        }

        /// Events that a collector was to have, and has not.
        func noteUnexported(_ count: UInt64) { state.withLock { $0.unexported = ($0.unexported ?? 0) &+ count } }

        /// The last transitions, the latest first.
        var lastTransitions: [Transition] {
            state.withLock { state in
                Array((state.last[state.next...] + state.last[..<state.next]).reversed())
            }
        }

        /// All metrics, namespace by namespace: what was counted, and what there is; then what is of the whole program.
        func metrics(_ look: Look, _ findings: [Finding]?) -> [PrometheusText.Group] {
            let (meters, scrapes, duration, unexported) = state.withLock {
                ($0.meters, $0.scrapes, $0.scrapeDuration, $0.unexported)
            }
            let now = look.time.monotonicNanoseconds
            var groups: [PrometheusText.Group] = []
            // What is new has a meter with its first event.
            for label in Set(meters.keys).union(look.spaces.keys).sorted(by: { $0 ?? "" < $1 ?? "" }) {
                let space =
                    look.spaces[label] ?? Look.Space(gauges: SocketGauges(configuration.gauges, settings: .none))
                var families = space.gauges.families + [space.counts.ages(at: now)]
                families += (meters[label] ?? EventMeter()).families(isTraced: isTracing)
                families += space.kernel + [.watch(isTraced: isTracing)]
                groups.append((label.map { [("netns", $0)] } ?? [], families))
            }
            let codes = scrapes.sorted { $0.key < $1.key }
            let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
            var own: [MetricFamily] = [
                .access(configuration.access),
                MetricFamily(Catalogue.scrapes, codes.map { .init(["\($0.key)"], .count($0.value)) }),
                MetricFamily(Catalogue.scrapeDuration, .number(seconds)), .build(version: configuration.version),
            ]
            if let unexported { own.append(MetricFamily(Catalogue.unexported, .count(unexported))) }
            if let findings { own.append(.findings(findings)) }
            groups.append(([], own + MetricFamily.ownProcess()))
            return groups
        }
    }

    extension Telemetry.State {
        fileprivate mutating func note(_ event: SocketEvent) {
            switch event {
            case .ready: isReady = true
            case .transition(let transition):
                meters[transition.namespace?.metricLabel, default: EventMeter()].note(event)
                if last.count < Telemetry.capacity {
                    last.append(transition)
                } else {
                    last[next] = transition
                    next = (next + 1) % Telemetry.capacity
                }
            case .gap(let gap):
                // What was lost of all namespaces together is counted once: where the first is.
                let label = gap.namespace?.metricLabel
                let key = meters.keys.contains(label) ? label : meters.keys.min { $0 ?? "" < $1 ?? "" } ?? label
                meters[key, default: EventMeter()].note(event)
                // Containers come and go: what one has counted goes with it.
                if gap.source == .namespace, let label { meters[label] = nil }
            default: break
            }
        }
    }
#endif
