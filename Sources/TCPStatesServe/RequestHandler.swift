#if Serve
    internal import NIOCore
    internal import NIOHTTP1
    internal import SockDiag

    /// One connection: a request after the other, each in its time and its size. Whatever its client does or does not do, the
    /// connection ends: with the client's FIN at once, else by a timer, of which one always runs.
    final class RequestHandler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private enum Phase {
            /// Nothing has come of the next request.
            case idle
            case reading
            case answering
            case writing
            /// Events are told; the timer shows that the stream lives.
            case streaming
            case closing
        }

        private let routes: Routes
        private let connections: Connections
        private let isTCP: Bool
        private var phase = Phase.idle
        private var since: NIODeadline = .now()
        private var timer: Scheduled<Void>?
        private var context: ChannelHandlerContext?
        private var head: HTTPRequestHead?
        /// Bytes that have come since the last request was whole.
        private var received = 0
        private var forget: (@Sendable () -> Void)?
        /// Whether it is given what takes much memory.
        private(set) var isLarge = false

        init(_ routes: Routes, _ connections: Connections, isTCP: Bool) {
            (self.routes, self.connections, self.isTCP) = (routes, connections, isTCP)
        }

        // MARK: For the others

        /// Since when only a request is waited for; nil where there is one.
        var waiting: NIODeadline? { phase == .idle || phase == .reading ? since : nil }

        /// Whether it is let go of before another one: a request that is not finished before one that has not begun.
        func precedes(_ other: RequestHandler) -> Bool {
            if (phase == .reading) != (other.phase == .reading) { return phase == .reading }
            return since < other.since
        }

        var isStreaming: Bool { phase == .streaming }

        /// Whether a request is being answered: nothing else can be said then.
        var isAnswering: Bool { phase == .answering || phase == .writing || phase == .streaming }

        /// Tells an event, where they are told. A client that has not taken what it was told before is let go of.
        func stream(_ text: ByteBuffer) {
            guard isStreaming, let context else { return }
            guard context.channel.isWritable else { return close() }
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(text))), promise: nil)
        }

        /// Bytes have come; whether they are too many.
        func receive(_ count: Int) -> Bool {
            received += count
            if phase == .idle { enter(.reading, Limits.head) }
            return received <= Limits.request
        }

        /// The connection is refused, and its last answer is on its way.
        func leave() {
            forget?()
            enter(.closing, Limits.closing)
        }

        /// No further request is answered.
        func drain() {
            if isStreaming { context?.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil) }
            if isStreaming || waiting != nil { close() }
        }

        func close() { context?.close(promise: nil) }

        // MARK: The channel

        func handlerAdded(context: ChannelHandlerContext) {
            self.context = context
            enter(.idle, Limits.head)
        }

        func handlerRemoved(context: ChannelHandlerContext) {
            end()
            self.context = nil
        }

        func channelInactive(context: ChannelHandlerContext) {
            end()
            context.fireChannelInactive()
        }

        private func end() {
            if isStreaming { routes.streams.remove() }
            phase = .closing
            timer?.cancel()
            forget?()
            (timer, forget) = (nil, nil)
            connections.remove(self)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): self.head = head
            case .body: break
            case .end:
                guard let head else { return }
                self.head = nil
                received = 0
                enter(.answering, 60 + Limits.drain)
                answer(head, context)
            }
        }

        private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
            let request = Request(head)
            let isAlive = head.isKeepAlive
            let isHead = head.method == .HEAD
            switch routes.answer(head.method, request, of: connections, isTCP: isTCP, on: context.eventLoop) {
            case .now(let response): write(response, to: request, isAlive: isAlive, isHead: isHead, context)
            case .stream where isHead:
                let response = Response(type: EventStreams.contentType, body: ByteBuffer())
                write(response, to: request, isAlive: isAlive, isHead: true, context)
            case .stream: beginStream(request, context)
            case .later(let response, let forget, let isLarge):
                (self.forget, self.isLarge) = (forget, isLarge)
                response.hop(to: context.eventLoop).assumeIsolated().whenSuccess { [weak self] response in
                    guard let self, let context = self.context, self.phase == .answering else { return }
                    self.forget = nil
                    self.write(response, to: request, isAlive: isAlive, isHead: isHead, context)
                }
            }
        }

        private func write(
            _ response: Response,
            to request: Request,
            isAlive: Bool,
            isHead: Bool,
            _ context: ChannelHandlerContext
        ) {
            let keepsAlive = isAlive && !connections.isDraining
            enter(.writing, Limits.writing)
            let head = response.head(to: request, keepsAlive: keepsAlive)
            let written = context.eventLoop.makePromise(of: Void.self)
            written.futureResult.assumeIsolated().whenComplete { [weak self] result in
                guard let self, let context = self.context, self.phase == .writing else { return }
                let goesOn = if case .success = result { keepsAlive && !self.connections.isDraining } else { false }
                if goesOn { self.enter(.idle, Limits.idle) }
                // Only now the next request is read, which may be there: who takes no answers is owed one at most.
                context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: nil)
                if !goesOn { self.close() }
            }
            guard !isHead else { return context.writeAndFlush(wrapOutboundOut(.head(head)), promise: written) }
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(response.body))), promise: written)
        }

        private func beginStream(_ request: Request, _ context: ChannelHandlerContext) {
            var head = HTTPResponseHead(version: request.version, status: .ok, headers: Response.common)
            head.headers.add(name: "Content-Type", value: EventStreams.contentType)
            // What is not acknowledged in time, or what is too much, ends it.
            let mark = ChannelOptions.Types.WriteBufferWaterMark(
                low: Limits.waitingEvents / 2,
                high: Limits.waitingEvents
            )
            try? context.channel.syncOptions?.setOption(.writeBufferWaterMark, value: mark)
            context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
            guard !connections.isDraining else {
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
                return enter(.idle, Limits.idle)
            }
            routes.streams.add()
            enter(.streaming, Limits.heartbeat)
            stream(EventStreams.beginning)
        }

        /// Does something else from now on, and for so many seconds at most.
        private func enter(_ phase: Phase, _ seconds: Int64) {
            (self.phase, since) = (phase, .now())
            if phase == .idle { isLarge = false }
            timer?.cancel()
            timer = context?.eventLoop.assumeIsolated().scheduleTask(in: .seconds(seconds)) { [weak self] in
                guard let self else { return }
                guard self.phase == .streaming else { return self.close() }
                self.stream(EventStreams.heartbeat)
                if self.phase == .streaming { self.enter(.streaming, seconds) }
            }
        }
    }

    /// Counts the bytes of a request before anything is made of them, and refuses what is too long, and the connection for which
    /// there is no room.
    final class RequestLimit: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias InboundOut = ByteBuffer
        typealias OutboundOut = ByteBuffer

        /// Nil where there is no room.
        private let handler: RequestHandler?
        private var isRefused = false
        private var timer: Scheduled<Void>?

        init(_ handler: RequestHandler?) { self.handler = handler }

        func channelActive(context: ChannelHandlerContext) {
            if handler == nil { refuse("503 Service Unavailable", "too many connections", context) }
            context.fireChannelActive()
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard !isRefused else { return }
            if handler?.receive(unwrapInboundIn(data).readableBytes) == false {
                if handler?.isAnswering == true { return context.close(promise: nil) }
                return refuse("431 Request Header Fields Too Large", "a request has 16 KB at most", context)
            }
            context.fireChannelRead(data)
        }

        func channelInactive(context: ChannelHandlerContext) {
            timer?.cancel()
            context.fireChannelInactive()
        }

        /// Says why, and that nothing follows. What still comes is read and dropped for a moment: with unread bytes the connection
        /// would be reset, and the answer lost.
        private func refuse(_ status: String, _ reason: String, _ context: ChannelHandlerContext) {
            isRefused = true
            handler?.leave()
            let text = """
                HTTP/1.1 \(status)\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: \(reason.utf8.count + 1)\r\n\
                Retry-After: 1\r\nConnection: close\r\n\r\n\(reason)\n
                """
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
            context.close(mode: .output, promise: nil)
            let channel = context.channel
            timer = context.eventLoop.scheduleTask(in: .seconds(Limits.closing)) { channel.close(promise: nil) }
        }
    }
#endif
