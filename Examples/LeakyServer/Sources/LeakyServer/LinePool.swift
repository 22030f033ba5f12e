import NIOCore
import NIOPosix

/// A client that keeps its connections for the next question.
public actor LinePool {
    private let port: Int
    private var idle: [any Channel] = []

    /// A pool of connections to a server of this machine.
    public init(port: Int) { self.port = port }

    /// The server's answer.
    public func answer(to words: String) async throws -> String {
        let channel: any Channel
        if let kept = idle.popLast() { channel = kept } else { channel = try await connect() }
        let answer = channel.eventLoop.makePromise(of: String.self)
        try await channel.writeAndFlush(Question(words: words, answer: answer))
        defer { idle.append(channel) }
        return try await answer.futureResult.get()
    }

    /// Closes the connections.
    public func shutDown() async throws {
        for channel in idle { try await channel.close() }
        idle = []
    }

    private func connect() async throws -> any Channel {
        try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(QuestionHandler())
                }
            }
            .connect(host: "127.0.0.1", port: port)
            .get()
    }
}

private struct Question: Sendable {
    let words: String
    let answer: EventLoopPromise<String>
}

private final class QuestionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Question
    typealias OutboundOut = ByteBuffer

    private var open: Question?

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let question = unwrapOutboundIn(data)
        open = question
        context.write(wrapOutboundOut(ByteBuffer(string: question.words)), promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        open?.answer.succeed(String(buffer: unwrapInboundIn(data)))
        open = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        open?.answer.fail(ChannelError.eof)
        open = nil
    }
}
