import NIOCore
import NIOPosix

/// Answers what a client says with the same words, on a port that the system chooses.
public struct LineServer: Sendable {
    private let listener: any Channel

    /// The port that it listens on.
    public var port: Int { listener.localAddress?.port ?? 0 }

    /// Starts a server. A client may end its half of a connection and still receive the answer: so it is for the server
    /// to close the connection when the client has, which a version of it forgot.
    public static func start(closesAfterClient: Bool = true) async throws -> LineServer {
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(EchoHandler(closesAfterClient: closesAfterClient))
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        return LineServer(listener: listener)
    }

    /// Takes no more connections. Those that are there end with their clients.
    public func stop() async throws { try await listener.close() }
}

private final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let closesAfterClient: Bool

    init(closesAfterClient: Bool) { self.closesAfterClient = closesAfterClient }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.writeAndFlush(data, promise: nil) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event, closesAfterClient { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }
}
