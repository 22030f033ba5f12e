import Logging
import ServiceLifecycle

// With a metrics backend of your choice: MetricsSystem.bootstrap(…) before anything else.
var logger = Logger(label: "monitoring-agent")
logger.logLevel = .debug

let group = ServiceGroup(
    services: [SocketMonitor(logger: logger, interval: .seconds(10))],
    gracefulShutdownSignals: [.sigterm, .sigint],
    logger: logger
)
try await group.run()
