#if Serve
    internal import LinuxLibC
    internal import NIOCore
    internal import NIOHTTP1
    internal import NIOPosix
    internal import TCPRecords
    internal import TCPWatch

    /// Sends the requests of one kind to a collector, says once what goes wrong, and how long to wait for the next. On one event
    /// loop alone.
    ///
    /// Source: https://opentelemetry.io/docs/specs/otlp/#failures.
    final class Delivery {
        enum Outcome: Sendable {
            /// The collector has it, but for so much.
            case taken(rejected: UInt64)
            /// It may be sent again, and not sooner.
            case again(after: TimeAmount)
            /// It will never be taken.
            case refused
        }

        private let collector: Collector
        /// What is counted of a request that is taken in part.
        private let noun: String
        private let connection: CollectorConnection
        private let news: CollectorNews
        /// The most that lies between two attempts where the collector does not ask for more, seconds.
        private let patience: Double
        /// Attempts in a row that came to nothing.
        private var failures = 0

        init(
            _ collector: Collector,
            of noun: String,
            version: String,
            within interval: Duration = .seconds(Limits.backoff.most),
            _ news: CollectorNews,
            on loop: any EventLoop
        ) {
            (self.collector, self.noun, self.news) = (collector, noun, news)
            patience = min(Double(interval.nanoseconds) / 1e9, Limits.backoff.most)
            connection = CollectorConnection(collector, agent: "tcpstates/\(version)", on: loop)
        }

        func send(_ request: ByteBuffer) -> EventLoopFuture<Outcome>.Isolated {
            connection.post(request).map { [self] answer in judge(answer) }
                .flatMapErrorThrowing { [self] error in
                    // It is this side that has given it up.
                    if isClosed { return .refused }
                    news.isAway(collector.authority, Self.reason(of: error))
                    return .again(after: backoff())
                }
        }

        func close() { connection.close() }

        /// Whether nothing is sent any more.
        var isClosed: Bool { connection.isClosed }

        private func judge(_ answer: CollectorAnswer) -> Outcome {
            news.isThere(collector.authority)
            switch answer.status.code {
            case 200..<300:
                news.takesAgain(collector.url)
                failures = 0
                let partial = OTLPAnswer(taken: answer.body)
                if partial.rejected > 0 || !partial.message.isEmpty {
                    news.hasRefused(collector.url, "\(partial.rejected) \(noun)", partial.message)
                }
                return .taken(rejected: partial.rejected)
            case 429, 502, 503, 504:
                let asked = answer.headers.first(name: "Retry-After").flatMap {
                    OTLPAnswer.seconds(retryAfter: $0, at: EventTime.now().realtimeNanoseconds)
                }
                let wait = asked.map { TimeAmount.seconds(min(Int64(clamping: $0), Limits.retryAfter)) }
                news.isBusy(collector.url, "\(answer.status)")
                // Who asks for 0 seconds is not asked all the time.
                return .again(after: max(wait ?? .zero, backoff()))
            default:
                failures = 0
                let type = answer.headers.first(name: "Content-Type") ?? ""
                let why = OTLPAnswer(refused: answer.body, isText: !type.hasPrefix("application/x-protobuf"))
                news.refuses(collector.url, "\(answer.status)", answer.status.code, why.message)
                return .refused
            }
        }

        /// Doubled with each failure, and shortened by chance, so that a thousand machines do not come back at the same time.
        private func backoff() -> TimeAmount {
            let seconds = min(Limits.backoff.first * Double(1 << min(failures, 16)), patience)
            failures += 1
            return .milliseconds(Int64(seconds * Double.random(in: 500...1000)))
        }

        private static func reason(of error: any Error) -> String {
            switch error {
            case let error as NIOConnectionError:
                if error.dnsAError != nil || error.dnsAAAAError != nil, error.connectionErrors.isEmpty {
                    return "its name has no address"
                }
                return error.connectionErrors.first.map { reason(of: $0.error) } ?? "no connection"
            case let error as IOError: return String(cString: strerror(error.errnoCode))
            case ChannelError.connectTimeout: return "Connection timed out"
            default: return "\(error)"
            }
        }
    }

    /// What is told of collectors, a line each time that something changes. On one event loop alone.
    final class CollectorNews {
        private let report: @Sendable (String) -> Void
        private var away: Set<String> = []
        private var busy: Set<String> = []
        /// What is told once for all.
        private var told: Set<String> = []

        init(_ report: @escaping @Sendable (String) -> Void) { self.report = report }

        func isAway(_ authority: String, _ reason: String) {
            guard away.insert(authority).inserted else { return }
            report("cannot reach the collector at \(authority): \(reason); it is tried again until it is there")
        }

        func isThere(_ authority: String) {
            if away.remove(authority) != nil { report("the collector at \(authority) is there again") }
        }

        func isBusy(_ url: String, _ status: String) {
            guard busy.insert(url).inserted else { return }
            report("\(url) answers \(status); it is asked again later")
        }

        func takesAgain(_ url: String) {
            if busy.remove(url) != nil { report("\(url) takes it again") }
        }

        func refuses(_ url: String, _ status: String, _ code: UInt, _ reason: String) {
            guard told.insert("\(code) \(url)").inserted else { return }
            let reason = reason.isEmpty ? "" : ": \(reason.prefix(200))"
            report("\(url) answers \(status)\(reason); what it refuses is dropped, and this is said once")
        }

        func hasRefused(_ url: String, _ what: String, _ reason: String) {
            guard told.insert("part \(url)").inserted else { return }
            let reason = reason.isEmpty ? "" : ": \(reason.prefix(200))"
            report("\(url) has refused \(what)\(reason); this is said once")
        }
    }
#endif
