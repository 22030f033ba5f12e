/// What OpenTelemetry's variables ask for. One that is empty counts as one that is not there.
///
/// Source: https://opentelemetry.io/docs/specs/otel/protocol/exporter/ and
/// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/.
struct OTLPEnvironment {
    private let value: (String) -> String?

    /// The variables, by their names.
    init(_ value: @escaping (String) -> String?) {
        self.value = { name in value(name).flatMap { $0.isEmpty ? nil : $0 } }
    }

    /// Whether nothing is to be sent that the command line does not ask for.
    var isDisabled: Bool { value("OTEL_SDK_DISABLED")?.lowercased() == "true" }

    /// Whether there is an exporter of a signal: `METRICS`, `LOGS`.
    func exports(_ signal: String) -> Bool { value("OTEL_\(signal)_EXPORTER") != "none" }

    /// Refuses what asks for another protocol than there is.
    func checkProtocol(of signal: String) throws(CommandFailure) {
        for name in ["OTEL_EXPORTER_OTLP_\(signal)_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] {
            guard let text = value(name) else { continue }
            if text == "http/protobuf" { return }
            throw CommandFailure(
                "\(name) is '\(text)', and there is http/protobuf alone; set it to that, with an endpoint for HTTP, which is port 4318 as a rule"
            )
        }
    }

    /// Where a signal is sent: an endpoint of its own as it is, or one for all, below which it has its path.
    func endpoint(of signal: String, _ folder: String) throws(CommandFailure) -> CollectorURL? {
        if let url = try url("OTEL_EXPORTER_OTLP_\(signal)_ENDPOINT") { return url }
        guard var url = try url("OTEL_EXPORTER_OTLP_ENDPOINT") else { return nil }
        url.path = url.path(of: folder)
        return url
    }

    private func url(_ name: String) throws(CommandFailure) -> CollectorURL? {
        guard let text = value(name) else { return nil }
        do throws(CollectorURL.Fault) {
            return try CollectorURL(text)
        } catch {
            throw CommandFailure("\(name): \(error.message(of: text))")
        }
    }

    /// The headers of a signal: its own, or those of all.
    func headers(of signal: String) throws(CommandFailure) -> [CollectorHeader] {
        let names = ["OTEL_EXPORTER_OTLP_\(signal)_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"]
        guard let name = names.first(where: { value($0) != nil }) else { return [] }
        var headers: [CollectorHeader] = []
        for (key, text) in try pairs(name, as: "x-tenant=web,x-zone=b") {
            guard let header = CollectorHeader(name: key, value: text) else {
                throw CommandFailure(
                    "\(name): no header '\(key)'; a name that the request does not have itself, =, and a value on one line"
                )
            }
            headers.append(header)
        }
        return headers
    }

    /// How long an answer to a signal is waited for.
    func timeout(of signal: String) throws(CommandFailure) -> Duration? {
        if let own = try milliseconds("OTEL_EXPORTER_OTLP_\(signal)_TIMEOUT") { return own }
        return try milliseconds("OTEL_EXPORTER_OTLP_TIMEOUT")
    }

    var interval: Duration? { get throws(CommandFailure) { try milliseconds("OTEL_METRIC_EXPORT_INTERVAL") } }

    private func milliseconds(_ name: String) throws(CommandFailure) -> Duration? {
        guard let text = value(name) else { return nil }
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = Int32(text), number > 0
        else { throw CommandFailure("\(name) is '\(text)'; set it to milliseconds from 1 on, as 10000") }
        return .milliseconds(number)
    }

    /// What is to be said of who sends, beside what is known.
    var attributes: [(name: String, value: String)] {
        get throws(CommandFailure) {
            var attributes = try pairs("OTEL_RESOURCE_ATTRIBUTES", as: "deployment.environment.name=prod,team=web")
            if let name = value("OTEL_SERVICE_NAME") { attributes.append(("service.name", name)) }
            return attributes
        }
    }

    /// The pairs of a list, their percent signs decoded, as the baggage of W3C has them.
    private func pairs(
        _ name: String,
        as example: String
    ) throws(CommandFailure) -> [(name: String, value: String)] {
        guard let text = value(name) else { return [] }
        var pairs: [(name: String, value: String)] = []
        // A comma too many is no fault.
        for pair in text.split(separator: ",") where !pair.allSatisfy(\.isWhitespace) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let key = Self.decoded(parts[0].trimmed)
            // Its value may be a secret: the complaint does not have it.
            guard parts.count == 2, let key, !key.isEmpty, let text = Self.decoded(parts[1].trimmed) else {
                throw CommandFailure("\(name): no pair at '\(parts[0])'; set it to names and values, as \(example)")
            }
            pairs.append((key, text))
        }
        return pairs
    }

    /// Nil where it is encoded wrongly.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, digits.allSatisfy(\.isHexDigit), let byte = UInt8(digits, radix: 16) else {
                return nil
            }
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension Substring {
    /// Without the spaces that a list may have around its words.
    fileprivate var trimmed: Substring {
        let start = drop { $0 == " " || $0 == "\t" }
        return start.lastIndex { $0 != " " && $0 != "\t" }.map { start[...$0] } ?? start
    }
}
