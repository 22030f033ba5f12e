import Logging
import ServiceLifecycle
import TCPMetrics
import TCPWatch

/// Counts what the machine's TCP connections do, and logs what an operator wants to read.
struct SocketMonitor: Service {
    let logger: Logger
    /// How often the metrics are reported.
    let interval: Duration

    func run() async throws {
        var configuration = SocketWatcher.Configuration()
        configuration.source = .auto
        configuration.interval = .seconds(1)
        let watcher = try SocketWatcher(configuration)
        let reports = Reports()
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    // Also where nothing happens, for the ages grow.
                    while true {
                        try await Task.sleep(for: interval)
                        await reports.tick()
                    }
                }
                for try await event in watcher {
                    await reports.record(event)
                    log(event)
                }
                group.cancelAll()
            }
        } onGracefulShutdown: {
            watcher.stop()
        }
        await reports.tick()
        logger.info("stopped")
    }

    private func log(_ event: SocketEvent) {
        switch event {
        case .ready: logger.info("watching")
        case .transition(let transition): log(transition)
        case .gap(let gap):
            logger.warning("events lost: \(gap.reason)", metadata: ["lost": "\(gap.lost ?? 0)"])
        case .slowed(let interval, at: _):
            logger.notice("the machine cannot keep the interval", metadata: ["interval": "\(interval)"])
        default: break
        }
    }

    private func log(_ transition: Transition) {
        guard let final = transition.final else { return }
        logger.debug(
            "closed",
            metadata: [
                "local": "\(transition.identity.local)", "remote": "\(transition.identity.remote)",
                "sent": "\(final.bytesSent ?? 0)", "received": "\(final.bytesReceived ?? 0)",
            ]
        )
    }
}

/// The recorder, which is given events by one task and is told the time by another.
private actor Reports {
    private var recorder = TCPMetricsRecorder()

    func record(_ event: SocketEvent) { recorder.record(event) }

    func tick() { recorder.tick() }
}
