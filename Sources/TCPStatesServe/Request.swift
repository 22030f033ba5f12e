#if Serve
    internal import NIOCore
    internal import NIOHTTP1
    internal import SockDiag
    internal import TCPRecords

    /// What is asked for.
    struct Request {
        let path: String
        /// The parameters of the query, decoded.
        let parameters: [String: String]
        let headers: HTTPHeaders
        let version: HTTPVersion

        init(_ head: HTTPRequestHead) {
            let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            path = String(parts[0])
            var parameters: [String: String] = [:]
            for pair in parts.dropFirst().first?.split(separator: "&") ?? [] {
                let words = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                parameters[Self.decoded(words[0])] = Self.decoded(words.dropFirst().first ?? "")
            }
            (self.parameters, headers, version) = (parameters, head.headers, head.version)
        }

        /// A word of a query, as forms encode it. What is no valid encoding stays as it is.
        static func decoded(_ word: Substring) -> String {
            var bytes: [UInt8] = []
            var rest = word.utf8[...]
            while let byte = rest.popFirst() {
                if byte == UInt8(ascii: "+") {
                    bytes.append(.space)
                } else if byte == UInt8(ascii: "%"), let high = rest.first?.hexDigit,
                    let low = rest.dropFirst().first?.hexDigit
                {
                    bytes.append(high << 4 | low)
                    rest = rest.dropFirst(2)
                } else {
                    bytes.append(byte)
                }
            }
            return String(decoding: bytes, as: UTF8.self)
        }

        /// Whether it names this server by an address, as `localhost`, or by one of the names. What a page of another site can
        /// make a browser ask names that site, wherever its name points to.
        func isAddressed(to names: Set<String>) -> Bool {
            let hosts = headers["Host"]
            guard let host = hosts.first else { return version == .http1_0 || version.major == 0 }
            guard hosts.count == 1 else { return false }
            let name: Substring
            let port: Substring
            if host.hasPrefix("[") {
                guard let end = host.firstIndex(of: "]") else { return false }
                name = host[host.index(after: host.startIndex)..<end]
                port = host[host.index(after: end)...]
                guard IPAddress(String(name))?.family == .ipv6 else { return false }
            } else {
                name = host.prefix { $0 != ":" }
                port = host[name.endIndex...]
                let isNamed = names.contains(name.lowercased()) || name.lowercased() == "localhost"
                guard isNamed || IPAddress(String(name))?.family == .ipv4 else { return false }
            }
            return port.isEmpty || port.first == ":" && UInt16(port.dropFirst()) != nil
        }

        /// The text that is wanted: OpenMetrics where it is asked for in the version that there is, and no less than the other.
        var format: PrometheusText.Format {
            var (open, classic) = (0.0, 0.0)
            for range in headers[canonicalForm: "Accept"] {
                let parts = range.split(separator: ";").map { $0.filter { !$0.isWhitespace }.lowercased() }
                func value(_ name: String) -> String? {
                    parts.dropFirst().first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) }
                }
                let quality = value("q").map { Double($0) ?? 0 } ?? 1
                switch parts.first {
                case "application/openmetrics-text" where ["1.0.0", "\"1.0.0\"", nil].contains(value("version")):
                    open = max(open, quality)
                case "text/plain" where ["0.0.4", "\"0.0.4\"", nil].contains(value("version")):
                    classic = max(classic, quality)
                default: break
                }
            }
            return open > 0 && open >= classic ? .openMetrics : .classic
        }

        /// How long an answer is waited for: less than Prometheus waits, so that it is told why there is none.
        var patience: TimeAmount {
            let header = headers.first(name: "X-Prometheus-Scrape-Timeout-Seconds")
            let seconds = header.flatMap { Double($0) }.map { 0.9 * $0 } ?? Limits.look
            let bounded = seconds >= 0.01 ? min(seconds, 60) : seconds.isNaN ? Limits.look : 0.01
            return .milliseconds(Int64(bounded * 1000))
        }
    }

    extension UInt8 {
        /// The value of a hexadecimal digit.
        fileprivate var hexDigit: UInt8? { Character(UnicodeScalar(self)).hexDigitValue.map { UInt8($0) } }
    }

    /// What is answered.
    struct Response: Sendable {
        var status = HTTPResponseStatus.ok
        var type = "text/plain; charset=utf-8"
        var body: ByteBuffer
        var headers: [(name: String, value: String)] = []

        init(_ status: HTTPResponseStatus, _ text: String) {
            self.status = status
            body = ByteBuffer(string: text + "\n")
        }

        init(type: String, body: ByteBuffer) { (self.type, self.body) = (type, body) }

        /// There are as many who ask the same as there may be.
        static var tooMany: Response {
            var response = Response(.serviceUnavailable, "too many ask for this at the same time")
            response.headers = [("Retry-After", "1")]
            return response
        }

        /// The head of an answer, with what each of them has.
        func head(to request: Request, keepsAlive: Bool) -> HTTPResponseHead {
            var head = HTTPResponseHead(version: request.version, status: status, headers: Self.common)
            // A browser would store records in a file; it shows text.
            let isShown = type == Self.records && request.headers["Accept"].contains { $0.contains("text/html") }
            head.headers.add(name: "Content-Type", value: isShown ? "text/plain; charset=utf-8" : type)
            head.headers.add(name: "Content-Length", value: "\(body.readableBytes)")
            for (name, value) in headers { head.headers.add(name: name, value: value) }
            if !keepsAlive { head.headers.add(name: "Connection", value: "close") }
            return head
        }

        /// Lines of JSON.
        static let records = "application/x-ndjson"

        static let common: HTTPHeaders = [
            "Cache-Control": "no-store", "Content-Security-Policy": "default-src 'self'",
            "X-Content-Type-Options": "nosniff",
        ]
    }
#endif
