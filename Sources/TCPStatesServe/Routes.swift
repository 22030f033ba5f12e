#if Serve
    internal import NIOCore
    internal import NIOHTTP1
    internal import NIOPosix
    internal import TCPRecords
    internal import TCPWatch

    /// Which answer there is to which request.
    struct Routes: Sendable {
        let configuration: ServeConfiguration
        let telemetry: Telemetry
        let looks: Looks
        let streams: EventStreams
        let sockets: SocketAnswers
        let examinations: Examinations

        /// An answer, or what it takes.
        enum Answer {
            case now(Response)
            /// It comes; the closure is called where nobody waits for it any more.
            case later(EventLoopFuture<Response>, forget: @Sendable () -> Void, isLarge: Bool = false)
            /// Each event as it happens.
            case stream
        }

        /// The answer to a request, on the loop of its connection.
        func answer(
            _ method: HTTPMethod,
            _ request: Request,
            of connections: Connections,
            isTCP: Bool,
            on loop: any EventLoop
        )
            -> Answer
        {
            let isScrape = request.path == "/metrics"
            func refuse(_ response: Response) -> Answer {
                if isScrape { telemetry.noteScrape(status: response.status.code, after: .zero) }
                return .now(response)
            }
            // No browser can be made to ask a UNIX socket.
            guard !isTCP || request.isAddressed(to: configuration.hosts) else {
                return refuse(
                    Response(
                        .forbidden,
                        "ask by an address or as localhost; other names are given by --allow-host NAME"
                    )
                )
            }
            guard method == .GET || method == .HEAD else {
                var response = Response(.methodNotAllowed, "there is GET and HEAD")
                response.headers = [("Allow", "GET, HEAD")]
                return refuse(response)
            }
            let known = request.path == "/sockets" ? ["filter"] : []
            if ["/sockets", "/events", "/findings"].contains(request.path), configuration.hasPage,
                let key = request.parameters.keys.first(where: { !known.contains($0) })
            {
                return .now(Response(.badRequest, "there is no parameter '\(key)' here; /sockets has filter"))
            }
            switch request.path {
            case "/metrics": return metrics(request, on: loop)
            case "/-/healthy": return .now(Response(.ok, "healthy"))
            case "/-/ready":
                return .now(
                    telemetry.isReady
                        ? Response(.ok, "ready") : Response(.serviceUnavailable, "the first dump is under way")
                )
            case "/" where configuration.hasPage: return page(request, on: loop)
            case "/counts" where configuration.hasPage: return counts(request, on: loop)
            case "/findings" where configuration.hasPage: return .now(examinations.response)
            case "/events" where configuration.hasPage:
                return connections.streamCount < Limits.eventStreams ? .stream : .now(.tooMany)
            case "/sockets" where configuration.hasPage:
                guard connections.largeCount < Limits.socketAnswers else { return .now(.tooMany) }
                return sockets.sockets(request.parameters["filter"] ?? "", on: loop)
            case let path where configuration.hasPage:
                return .now(Page.asset(path) ?? Response(.notFound, "there is nothing at this path"))
            default: return .now(Response(.notFound, "there is nothing at this path"))
            }
        }

        private func page(_ request: Request, on loop: any EventLoop) -> Answer {
            guard telemetry.isReady else { return .now(Response(.serviceUnavailable, "the first dump is under way")) }
            return look(request, on: loop) { [self] look in
                Page(
                    configuration: configuration,
                    metrics: telemetry.metrics(look, examinations.examined),
                    findings: examinations.findings,
                    transitions: telemetry.lastTransitions
                ).render()
            }
        }

        /// What /metrics says, for the page: it asks once a second while somebody looks, and that is no scrape.
        private func counts(_ request: Request, on loop: any EventLoop) -> Answer {
            guard telemetry.isReady else { return .now(Response(.serviceUnavailable, "the first dump is under way")) }
            return look(request, on: loop) { text(of: $0, as: .classic) }
        }

        private func metrics(_ request: Request, on loop: any EventLoop) -> Answer {
            let (format, start) = (request.format, EventTime.now().monotonicNanoseconds)
            guard telemetry.isReady else {
                telemetry.noteScrape(status: 503, after: .zero)
                return .now(Response(.serviceUnavailable, "the first dump is under way"))
            }
            let answer = look(request, on: loop) { text(of: $0, as: format) }
            guard case .later(let response, _, _) = answer else { return answer }
            response.whenSuccess { [telemetry] response in
                let time = EventTime.now().monotonicNanoseconds - start
                telemetry.noteScrape(status: response.status.code, after: .nanoseconds(Int64(clamping: time)))
            }
            return answer
        }

        private func text(of look: Look, as format: PrometheusText.Format) -> Response {
            var text = TextBuffer(capacity: 1 << 16)
            PrometheusText.write(
                telemetry.metrics(look, examinations.examined),
                as: format,
                since: telemetry.start.realtimeNanoseconds,
                into: &text
            )
            return Response(type: format.contentType, body: text.withBytes { ByteBuffer(bytes: $0) })
        }

        /// Waits for a look as long as the client does, and says what it has shown.
        private func look(
            _ request: Request,
            on loop: any EventLoop,
            _ answer: @escaping @Sendable (Look) -> Response
        ) -> Answer {
            let (look, forget) = looks.ask(on: loop)
            let deadline = loop.scheduleTask(in: request.patience) { forget() }
            let response = look.map(answer).flatMapErrorThrowing { error in
                Response(.serviceUnavailable, error is Looks.Abandoned ? "there was no time for a look" : "\(error)")
            }
            response.whenComplete { _ in deadline.cancel() }
            return .later(response, forget: forget)
        }
    }
#endif
