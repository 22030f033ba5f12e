import Logging
import Metrics
import ServiceLifecycle
import SockDiag
import TCPWatch

/// Counts what the machine's TCP connections do, and logs what an operator wants to read.
struct SocketMonitor: Service {
    let logger: Logger

    func run() async throws {
        var configuration = SocketWatcher.Configuration()
        configuration.source = .auto
        configuration.interval = .seconds(1)
        let watcher = try SocketWatcher(configuration)
        var states = StateGauges()
        try await withGracefulShutdownHandler {
            for try await event in watcher {
                switch event {
                case .socket(let socket): states.enter(socket.state)
                case .ready: logger.info("watching", metadata: ["sockets": "\(states.total)"])
                case .transition(let transition): note(transition, &states)
                case .gap(let gap):
                    Counter(label: "tcp_events_lost").increment(by: Int64(clamping: gap.lost ?? 1))
                    logger.warning("events lost: \(gap.reason)", metadata: ["lost": "\(gap.lost ?? 0)"])
                case .slowed(let interval, at: _):
                    logger.notice("the machine cannot keep the interval", metadata: ["interval": "\(interval)"])
                @unknown default: break
                }
            }
        } onGracefulShutdown: {
            watcher.stop()
        }
        logger.info("stopped", metadata: ["sockets": "\(states.total)"])
    }

    private func note(_ transition: Transition, _ states: inout StateGauges) {
        if let from = transition.from { states.leave(from) }
        states.enter(transition.to)
        Counter(label: "tcp_transitions", dimensions: [("to", transition.to.description)]).increment()
        guard let final = transition.final else { return }
        if let duration = final.duration {
            Timer(label: "tcp_connection_duration").recordSeconds(duration / .seconds(1))
        }
        logger.debug(
            "closed",
            metadata: [
                "local": "\(transition.identity.local)", "remote": "\(transition.identity.remote)",
                "sent": "\(final.bytesSent ?? 0)", "received": "\(final.bytesReceived ?? 0)",
            ]
        )
    }
}

/// A gauge for each state, so that a dashboard sees CLOSE_WAIT pile up.
struct StateGauges {
    private var counts: [TCPState: Int] = [:]

    /// The sockets that are not closed.
    var total: Int { counts.values.reduce(0, +) }

    mutating func enter(_ state: TCPState) {
        if state != .closed { change(state, by: 1) }
    }

    mutating func leave(_ state: TCPState) {
        if state != .closed { change(state, by: -1) }
    }

    private mutating func change(_ state: TCPState, by difference: Int) {
        counts[state, default: 0] += difference
        Gauge(label: "tcp_sockets", dimensions: [("state", state.description)]).record(counts[state, default: 0])
    }
}
