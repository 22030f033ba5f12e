internal import ArgumentParser

/// To which collector of OpenTelemetry's `serve` sends what it sees.
struct OTLPOptions: ParsableArguments {
    @Option(
        name: .customLong("otlp"),
        help: ArgumentHelp(
            """
            Send metrics to an OpenTelemetry collector, below this URL, by OTLP over HTTP: http://127.0.0.1:4318 \
            (default: OTEL_EXPORTER_OTLP_ENDPOINT).
            """,
            valueName: "url"
        ),
        transform: CollectorURL.init(word:)
    )
    var url: CollectorURL?

    @Option(
        name: .customLong("otlp-interval"),
        help: ArgumentHelp(
            "From one export of the metrics to the next (default: OTEL_METRIC_EXPORT_INTERVAL, else 60s).",
            valueName: "time"
        ),
        transform: DurationArgument.init(word:)
    )
    var interval: DurationArgument?

    @Option(
        name: .customLong("otlp-header"),
        help: ArgumentHelp(
            """
            A header of every request, NAME=VALUE (repeatable). Other users see it in ps; OTEL_EXPORTER_OTLP_HEADERS they \
            do not.
            """,
            valueName: "header"
        ),
        transform: CollectorHeader.init(word:)
    )
    var headers: [CollectorHeader] = []

    @Flag(name: .customLong("otlp-events"), help: "Send each transition too, as a log record, as it happens.")
    var sendsEvents = false
}

/// The address of a collector, as a command line or a variable has it.
struct CollectorURL: Equatable {
    var host: String
    var port: Int
    /// With the query; it begins with a slash.
    var path: String

    /// What is wrong with a text that is none, and what would be right.
    enum Fault: Error {
        case scheme, encrypted, user, host, port, character

        func message(of text: String) -> String {
            let remedy = "as in http://127.0.0.1:4318"
            return switch self {
            case .scheme: "'\(text)' is no http:// URL; give one, \(remedy)"
            case .encrypted:
                "'\(text)' asks for TLS, which is a collector's task: send to one on this machine, \(remedy), that sends on"
            case .user: "the URL has a user name; leave it out, and give a header authorization"
            case .host: "'\(text)' has no host; give one, \(remedy)"
            case .port: "'\(text)' has no port from 1 to 65535; give one, \(remedy)"
            case .character: "the URL has characters that no URL has; encode them, as in %20"
            }
        }
    }

    init(_ text: String) throws(Fault) {
        let lowercased = text.lowercased()
        guard !lowercased.hasPrefix("https://") else { throw .encrypted }
        guard lowercased.hasPrefix("http://") else { throw .scheme }
        guard text.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "\"") }) else { throw .character }
        let rest = text.dropFirst(7).prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let tail = rest[authority.endIndex...]
        guard !authority.contains("@") else { throw .user }
        var port = Substring("80")
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { throw .host }
            host = String(authority[authority.index(after: authority.startIndex)..<end])
            let after = authority[authority.index(after: end)...]
            guard host.contains(":"), after.isEmpty || after.hasPrefix(":") else { throw .host }
            if !after.isEmpty { port = after.dropFirst() }
        } else {
            let name = authority.prefix { $0 != ":" }
            host = String(name)
            if name.endIndex != authority.endIndex { port = authority[name.endIndex...].dropFirst() }
            guard host.utf8.allSatisfy({ $0.isNameByte }) else { throw .host }
        }
        guard !host.isEmpty else { throw .host }
        guard port.utf8.allSatisfy({ $0.isDigit }), let number = UInt16(port), number > 0 else { throw .port }
        self.port = Int(number)
        path = tail.hasPrefix("/") ? String(tail) : "/\(tail)"
    }

    /// Reads the word of a command line.
    init(word: String) throws {
        do throws(Fault) {
            try self.init(word)
        } catch {
            throw ValidationError(error.message(of: word))
        }
    }

    /// Where a signal goes: below the URL, `v1/metrics` and `v1/logs`.
    func path(of signal: String) -> String {
        let parts = path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let folder = parts[0].hasSuffix("/") ? String(parts[0]) : parts[0] + "/"
        return folder + "v1/" + signal + (parts.count > 1 ? "?\(parts[1])" : "")
    }
}

/// A header of a request, as a command line has it: `NAME=VALUE`.
struct CollectorHeader: Equatable {
    let name: String
    let value: String

    /// Those that the request needs for itself.
    private static let own = ["connection", "content-length", "content-type", "host", "transfer-encoding"]

    /// Nil where a request could not have it.
    init?(name: String, value: String) {
        let symbols = Array("!#$%&'*+-.^_`|~".utf8)
        guard !name.isEmpty, name.utf8.allSatisfy({ $0.isLetter || $0.isDigit || symbols.contains($0) }),
            value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }),
            !Self.own.contains(name.lowercased())
        else { return nil }
        (self.name, self.value) = (name, value)
    }

    /// Reads the word of a command line.
    init(word: String) throws {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        // Its value may be a secret: the complaint does not have it.
        guard parts.count == 2, let header = Self(name: String(parts[0]), value: String(parts[1])) else {
            throw ValidationError(
                "--otlp-header: no header '\(parts[0])'; a name that the request does not have itself, =, and a value on one line, as x-tenant=web"
            )
        }
        self = header
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    fileprivate var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }
    fileprivate var isNameByte: Bool {
        isDigit || isLetter || [UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_")].contains(self)
    }
}
