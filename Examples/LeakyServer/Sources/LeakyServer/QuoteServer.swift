import Hummingbird
import NIOCore

/// A web server that knows one sentence: `GET /quote`.
public struct QuoteServer: Sendable {
    private let task: Task<Void, any Error>

    /// The port that it listens on.
    public let port: Int

    /// Starts the server, and returns when it listens.
    public static func start() async throws -> QuoteServer {
        let (ports, continuation) = AsyncStream<Int>.makeStream()
        let router = Router()
        router.get("quote") { _, _ in "Be liberal in what you accept." }
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) }
        )
        let task = Task {
            defer { continuation.finish() }
            try await application.run()
        }
        for await port in ports { return QuoteServer(task: task, port: port) }
        try await task.value
        throw CancellationError()
    }

    /// Stops the server, and returns when it has ended.
    public func stop() async {
        task.cancel()
        _ = await task.result
    }
}
