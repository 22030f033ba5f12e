#if Serve
    /// Where something is sent to over HTTP.
    package struct Collector: Hashable, Sendable {
        /// A name or an address.
        package var host: String
        package var port: Int
        /// With the query, where there is one.
        package var path: String
        /// What the collector wants to be told with every request, a key it knows the sender by.
        package var headers: [Header] = []
        /// How long an answer is waited for.
        package var timeout = Duration.seconds(10)

        package struct Header: Hashable, Sendable {
            package let name: String
            package let value: String

            package init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
        }

        package init(host: String, port: Int, path: String) {
            (self.host, self.port, self.path) = (host, port, path)
        }

        /// As a URL has it.
        package var authority: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }
        package var url: String { "http://\(authority)\(path)" }
    }

    /// What is sent to a collector of OpenTelemetry's.
    package struct ExportConfiguration: Sendable {
        /// Nil where no metrics are sent.
        package var metrics: Collector?
        /// Nil where no events are sent.
        package var events: Collector?
        /// From one export of the metrics to the next.
        package var interval = Duration.seconds(60)
        /// The attributes of the resource: who sends.
        package var attributes: [(name: String, value: String)] = []
        /// Told in a line what goes wrong, and that it goes again.
        package var report: @Sendable (String) -> Void = { _ in }

        package init() {}
    }

    extension Limits {
        /// Bytes of events that are one request, and are sent at once.
        static let eventBatch = 512 << 10
        /// Such requests that wait for a collector, beside the one that is under way and the one that grows.
        static let eventBatches = 8
        /// Seconds until they are sent where there are fewer.
        static let eventDelay: Int64 = 1
        /// Bytes of an answer that are read.
        static let collectorAnswer = 64 << 10
        /// The longest that a collector may have itself waited for, seconds.
        static let retryAfter: Int64 = 3600
        /// From one attempt to the next, seconds: the first time, and at most.
        static let backoff: (first: Double, most: Double) = (1, 60)
    }
#endif
