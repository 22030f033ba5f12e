import Hummingbird
import Logging
import ServiceLifecycle

/// A web server that knows one sentence: `GET /quote`.
public struct QuoteServer: Sendable {
    private let group: ServiceGroup
    private let run: Task<Void, any Error>

    /// The port that it listens on.
    public let port: Int

    /// Starts the server, and returns when it listens.
    public static func start() async throws -> QuoteServer {
        let router = Router()
        router.get("quote") { _, _ in "Be liberal in what you accept." }
        let (ports, continuation) = AsyncStream<Int>.makeStream()
        let logger = Logger(label: "quotes") { _ in SwiftLogNoOpLogHandler() }
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) },
            logger: logger
        )
        let group = ServiceGroup(services: [application], logger: logger)
        let run = Task {
            defer { continuation.finish() }
            try await group.run()
        }
        for await port in ports { return QuoteServer(group: group, run: run, port: port) }
        try await run.value
        throw CancellationError()
    }

    /// Ends the server, and returns when it has ended.
    public func stop() async throws {
        await group.triggerGracefulShutdown()
        try await run.value
    }
}
