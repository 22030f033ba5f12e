#if Serve
    internal import NIOCore
    internal import Synchronization
    internal import TCPRecords
    internal import TCPWatch

    /// Who is told each event as it happens: Server-Sent Events, of which each is a record. None of them is waited for.
    final class EventStreams: Sendable {
        static let contentType = "text/event-stream"

        private let loop: any EventLoop
        private let connections: NIOLoopBoundBox<Connections>
        /// How many there are: where nobody listens, nothing is written.
        private let count = Atomic(0)
        /// Bytes that the event loop has not taken yet.
        private let underway = Atomic(0)
        private let encoder = Mutex(JSONLinesEncoder())

        init(_ connections: NIOLoopBoundBox<Connections>, on loop: any EventLoop) {
            (self.connections, self.loop) = (connections, loop)
        }

        /// What a stream begins with: how long a browser waits until it asks anew.
        static let beginning = ByteBuffer(string: "retry: 3000\n\n")
        /// What shows that it lives.
        static let heartbeat = ByteBuffer(string: ":\n\n")

        func add() { count.add(1, ordering: .relaxed) }

        func remove() { count.subtract(1, ordering: .relaxed) }

        /// Tells what has happened; called by one thread.
        func send(_ events: [SocketEvent]) {
            guard count.load(ordering: .relaxed) > 0 else { return }
            let text = self.text(of: events)
            guard text.readableBytes > 0 else { return }
            underway.add(text.readableBytes, ordering: .relaxed)
            let connections = connections
            loop.execute { [self] in
                underway.subtract(text.readableBytes, ordering: .relaxed)
                connections.value.stream(text)
            }
        }

        private func text(of events: [SocketEvent]) -> ByteBuffer {
            encoder.withLock { encoder in
                var text = ByteBuffer()
                var (lost, source): (UInt64, Gap.Source) = (0, .reader)
                func append(_ record: Record, _ encoder: inout JSONLinesEncoder) {
                    text.writeStaticString("data: ")
                    encoder.append(record)
                    encoder.withUnsafeBytes { _ = text.writeBytes($0) }
                    encoder.removeAll()
                    text.writeStaticString("\n")
                }
                for event in events {
                    switch event {
                    case .transition, .gap, .slowed:
                        guard underway.load(ordering: .relaxed) + text.readableBytes < Limits.waitingEvents else {
                            lost += 1
                            continue
                        }
                        append(Record(event: event), &encoder)
                    default: break
                    }
                }
                if lost > 0 {
                    source = .reader
                    var gap = Gap(source: source, reason: "events came faster than they can be told", lost: lost)
                    gap.time = .now()
                    append(Record(.gap(gap)), &encoder)
                }
                return text
            }
        }
    }
#endif
