#if Serve
    internal import NIOCore
    internal import Synchronization
    internal import TCPRecords
    internal import TCPWatch

    /// Sends transitions and gaps to a collector, a batch at a time. For one that is away a bounded number of bytes is kept; what
    /// comes then is counted, and the loss is told with what is sent next.
    final class EventExport: Sendable {
        /// What waits.
        private struct Queue: ~Copyable {
            var events = OTLPEvents()
            /// Requests that are as large as one may be.
            var full: [(request: ByteBuffer, count: Int)] = []
            /// Events that found no room since the last batch was taken.
            var lost: UInt64 = 0
            /// Whether the event loop knows that there is something.
            var isAnnounced = false

            /// Whether there is a request that need not wait for more.
            var isFull: Bool { !full.isEmpty || events.byteCount >= Limits.eventBatch }
        }

        /// What the event loop has.
        private struct State {
            let delivery: Delivery
            var batch: (request: ByteBuffer, count: Int)?
            var isUnderway = false
            var timer: Scheduled<Void>?
            var end: EventLoopPromise<Void>?
        }

        private let queue = Mutex(Queue())
        private let state: NIOLoopBoundBox<State>
        private let telemetry: Telemetry
        private let source: OTLPSource
        private let report: @Sendable (String) -> Void
        private let loop: any EventLoop

        /// On the event loop, as all that has no other word beside it.
        init(
            _ collector: Collector,
            of source: OTLPSource,
            _ telemetry: Telemetry,
            _ news: CollectorNews,
            _ report: @escaping @Sendable (String) -> Void,
            on loop: any EventLoop
        ) {
            (self.telemetry, self.source, self.report, self.loop) = (telemetry, source, report, loop)
            let delivery = Delivery(collector, of: "events", version: source.version, news, on: loop)
            state = NIOLoopBoundBox(State(delivery: delivery), eventLoop: loop)
        }

        /// Takes what has happened; called by one thread, which is none of the event loop's.
        func send(_ events: [SocketEvent]) {
            let now = EventTime.now().realtimeNanoseconds
            let (isNew, isFull, lost) = queue.withLock { queue in
                var lost: UInt64 = 0
                for event in events {
                    switch event {
                    case .transition, .gap, .slowed:
                        if queue.events.byteCount >= Limits.eventBatch {
                            if queue.full.count < Limits.eventBatches {
                                queue.full.append(Self.request(&queue, source))
                            } else {
                                lost += 1
                                continue
                            }
                        }
                        queue.events.append(event, at: now)
                    default: break
                    }
                }
                queue.lost += lost
                let isFull = queue.isFull
                let isNew = !queue.isAnnounced && queue.events.count > 0
                if isNew { queue.isAnnounced = true }
                return (isNew, isFull, lost)
            }
            if lost > 0 { telemetry.noteUnexported(lost) }
            if isNew || isFull { loop.execute { [self] in wake(isFull ? .zero : .seconds(Limits.eventDelay)) } }
        }

        /// Sends what there is after a time, where nothing is on its way or waits to be sent again.
        private func wake(_ time: TimeAmount) {
            guard !state.value.isUnderway, state.value.batch == nil else { return }
            if time > .zero, state.value.timer != nil { return }
            wait(time)
        }

        private func wait(_ time: TimeAmount) {
            state.value.timer?.cancel()
            state.value.timer = loop.scheduleTask(in: time) { [self] in flush() }
        }

        private func flush() {
            state.value.timer?.cancel()
            state.value.timer = nil
            guard !state.value.delivery.isClosed else { return }
            guard let batch = state.value.batch ?? take() else {
                state.value.end?.succeed()
                return
            }
            state.value.batch = batch
            state.value.isUnderway = true
            state.value.delivery.send(batch.request).whenComplete { [self] result in
                state.value.isUnderway = false
                switch result {
                case .success(.again(let time)):
                    // At the end there is no time for another attempt.
                    if state.value.end != nil { return state.value.end?.succeed() ?? () }
                    return wait(time)
                case .success(.taken(let rejected)): telemetry.noteUnexported(min(rejected, UInt64(batch.count)))
                case .success(.refused), .failure: telemetry.noteUnexported(UInt64(batch.count))
                }
                state.value.batch = nil
                let (hasMore, isFull) = queue.withLock { ($0.events.count > 0, $0.isFull) }
                if state.value.end != nil || isFull { flush() } else if hasMore { wait(.seconds(Limits.eventDelay)) }
            }
        }

        /// All that waits, as a request; nil where nothing does.
        private func take() -> (request: ByteBuffer, count: Int)? {
            queue.withLock { queue in
                if !queue.full.isEmpty { return queue.full.removeFirst() }
                queue.isAnnounced = false
                guard queue.events.count > 0 else { return nil }
                if queue.lost > 0 {
                    let reason = "events came faster than the collector takes them"
                    let now = EventTime.now()
                    let gap = Gap(source: .reader, reason: reason, lost: queue.lost, time: now)
                    queue.events.append(.gap(gap), at: now.realtimeNanoseconds)
                    queue.lost = 0
                }
                return Self.request(&queue, source)
            }
        }

        /// What was written last, as a request.
        private static func request(_ queue: inout Queue, _ source: OTLPSource) -> (request: ByteBuffer, count: Int) {
            let count = queue.events.count
            var bytes = TextBuffer(capacity: queue.events.byteCount + 1024)
            queue.events.takeRequest(of: source, into: &bytes)
            return (bytes.withBytes { ByteBuffer(bytes: $0) }, count)
        }

        /// Sends what there is; done when that is, however it ends.
        func end(_ promise: EventLoopPromise<Void>) {
            state.value.end = promise
            if !state.value.isUnderway { flush() }
        }

        /// Nothing more is waited for; what is left is said.
        func close() {
            state.value.delivery.close()
            let waiting = queue.withLock { $0.full.reduce($0.events.count) { $0 + $1.count } }
            let left = (state.value.batch?.count ?? 0) + waiting
            if left > 0 { report("\(left) events were not sent, for the collector was away to the end") }
        }
    }
#endif
