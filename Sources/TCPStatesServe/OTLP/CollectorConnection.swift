#if Serve
    internal import NIOCore
    internal import NIOHTTP1
    internal import NIOPosix
    internal import TCPWatch

    /// What a collector answers.
    struct CollectorAnswer: Sendable {
        let status: HTTPResponseStatus
        let headers: HTTPHeaders
        let body: [UInt8]
    }

    /// One connection to a collector, a request at a time. It is kept for the next, so that who looks at the sockets does not see
    /// those of its own come and go, and is made anew where the collector has ended it. On one event loop alone.
    final class CollectorConnection {
        /// The collector has ended the connection before it has answered.
        struct Closed: Error, CustomStringConvertible { let description = "it closes the connection without an answer" }
        struct TimedOut: Error, CustomStringConvertible { let description = "it does not answer in time" }

        private let collector: Collector
        private let agent: String
        private let loop: any EventLoop
        private var channel: (any Channel)?
        /// Whether it is used no more.
        private(set) var isClosed = false

        init(_ collector: Collector, agent: String, on loop: any EventLoop) {
            (self.collector, self.agent, self.loop) = (collector, agent, loop)
        }

        /// Sends a request, and waits for the answer as long as the collector has time.
        func post(_ body: ByteBuffer) -> EventLoopFuture<CollectorAnswer>.Isolated {
            guard let channel, channel.isActive else { return connectAndPost(body) }
            return send(body, over: channel).flatMapError { [self] error in
                // It may have been ended as the request was on its way.
                error is Closed && !isClosed ? connectAndPost(body).nonisolated() : loop.makeFailedFuture(error)
            }
        }

        func close() {
            isClosed = true
            channel?.close(promise: nil)
            channel = nil
        }

        private func connectAndPost(_ body: ByteBuffer) -> EventLoopFuture<CollectorAnswer>.Isolated {
            ClientBootstrap(group: loop)
                .connectTimeout(.nanoseconds(Int64(clamping: collector.timeout.nanoseconds)))
                .channelOption(.maxMessagesPerRead, value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        try channel.pipeline.syncOperations.addHandler(AnswerHandler())
                    }
                }
                .connect(host: collector.host, port: collector.port)
                .assumeIsolated()
                .flatMap { [self] channel in
                    guard !isClosed else {
                        channel.close(promise: nil)
                        return loop.makeFailedFuture(Closed())
                    }
                    self.channel = channel
                    return send(body, over: channel).nonisolated()
                }
        }

        private func send(_ body: ByteBuffer, over channel: any Channel) -> EventLoopFuture<CollectorAnswer>.Isolated {
            let promise = loop.makePromise(of: CollectorAnswer.self)
            do {
                let handler = try channel.pipeline.syncOperations.handler(type: AnswerHandler.self)
                handler.expect(
                    promise,
                    within: .nanoseconds(Int64(clamping: collector.timeout.nanoseconds)),
                    on: channel
                )
            } catch {
                promise.fail(Closed())
                return promise.futureResult.assumeIsolated()
            }
            var head = HTTPRequestHead(version: .http1_1, method: .POST, uri: collector.path)
            head.headers = [
                "Host": collector.authority, "User-Agent": agent, "Content-Type": "application/x-protobuf",
                "Content-Length": "\(body.readableBytes)",
            ]
            for header in collector.headers { head.headers.replaceOrAdd(name: header.name, value: header.value) }
            channel.write(HTTPClientRequestPart.head(head), promise: nil)
            channel.write(HTTPClientRequestPart.body(.byteBuffer(body)), promise: nil)
            channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
            return promise.futureResult.assumeIsolated()
        }
    }

    /// Puts an answer together, and ends the connection where nothing can follow.
    private final class AnswerHandler: ChannelInboundHandler {
        typealias InboundIn = HTTPClientResponsePart

        private var promise: EventLoopPromise<CollectorAnswer>?
        private var timer: Scheduled<Void>?
        private var head: HTTPResponseHead?
        private var body: [UInt8] = []

        func expect(_ promise: EventLoopPromise<CollectorAnswer>, within time: TimeAmount, on channel: any Channel) {
            self.promise = promise
            timer = channel.eventLoop.assumeIsolated().scheduleTask(in: time) { [weak self] in
                self?.end(.failure(CollectorConnection.TimedOut()))
                channel.close(promise: nil)
            }
        }

        private func end(_ result: Result<CollectorAnswer, any Error>) {
            timer?.cancel()
            let promise = promise
            (self.promise, timer, head, body) = (nil, nil, nil, [])
            promise?.completeWith(result)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): self.head = head
            case .body(let bytes): body += bytes.readableBytesView.prefix(Limits.collectorAnswer - body.count)
            case .end:
                guard let head, promise != nil else { return context.close(promise: nil) }
                end(.success(CollectorAnswer(status: head.status, headers: head.headers, body: body)))
                if !head.isKeepAlive { context.close(promise: nil) }
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            end(.failure(CollectorConnection.Closed()))
            context.fireChannelInactive()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            end(.failure(error))
            context.close(promise: nil)
        }
    }
#endif
