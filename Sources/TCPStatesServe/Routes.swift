#if Serve
    internal import NIOCore
    internal import NIOHTTP1
    internal import TCPRecords
    internal import TCPWatch

    /// Which answer there is to which request.
    struct Routes: Sendable {
        let configuration: ServeConfiguration
        let telemetry: Telemetry
        let looks: Looks

        /// An answer, or what it takes.
        enum Answer {
            case now(Response)
            /// It comes; the closure is called where nobody waits for it any more.
            case later(EventLoopFuture<Response>, forget: @Sendable () -> Void)
        }

        /// The answer to a request, on the loop of its connection.
        func answer(_ method: HTTPMethod, _ request: Request, isTCP: Bool, on loop: any EventLoop) -> Answer {
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
            switch request.path {
            case "/metrics": return metrics(request, on: loop)
            case "/-/healthy": return .now(Response(.ok, "healthy"))
            case "/-/ready":
                return .now(
                    telemetry.isReady
                        ? Response(.ok, "ready") : Response(.serviceUnavailable, "the first dump is under way")
                )
            default: return .now(Response(.notFound, "there is nothing at this path"))
            }
        }

        private func metrics(_ request: Request, on loop: any EventLoop) -> Answer {
            let (format, start) = (request.format, EventTime.now().monotonicNanoseconds)
            let telemetry = telemetry
            guard telemetry.isReady else {
                telemetry.noteScrape(status: 503, after: .zero)
                return .now(Response(.serviceUnavailable, "the first dump is under way"))
            }
            let (look, forget) = looks.ask(on: loop)
            let deadline = loop.scheduleTask(in: request.patience) { forget() }
            let response = look.map { look in
                var text = TextBuffer(capacity: 1 << 16)
                PrometheusText.write(
                    telemetry.families(look),
                    as: format,
                    since: telemetry.start.realtimeNanoseconds,
                    into: &text
                )
                let body = text.withBytes { ByteBuffer(bytes: $0) }
                return Response(type: format.contentType, body: body)
            }.flatMapErrorThrowing { error in
                Response(.serviceUnavailable, error is Looks.Abandoned ? "there was no time for a look" : "\(error)")
            }
            response.whenSuccess { response in
                deadline.cancel()
                let time = EventTime.now().monotonicNanoseconds - start
                telemetry.noteScrape(status: response.status.code, after: .nanoseconds(Int64(clamping: time)))
            }
            return .later(response, forget: forget)
        }
    }
#endif
