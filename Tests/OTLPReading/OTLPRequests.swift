/// A value of an attribute.
package indirect enum AttributeValue: Hashable, CustomStringConvertible {
    case text(String)
    case flag(Bool)
    case number(Int64)
    case list([AttributeValue])
    case fields([String: AttributeValue])
    case nothing

    package var description: String {
        switch self {
        case .text(let text): text
        case .flag(let flag): "\(flag)"
        case .number(let number): "int \(number)"
        case .list(let values): "[\(values.map(\.description).joined(separator: ","))]"
        case .fields(let fields): "{\(fields.map { "\($0)=\($1)" }.sorted().joined(separator: ","))}"
        case .nothing: ""
        }
    }

    init(_ message: WireMessage) throws {
        self = .nothing
        for (number, value) in message.fields {
            switch (number, value) {
            case (1, .bytes): self = .text(try message.text(1))
            case (2, .varint(let flag)): self = .flag(flag != 0)
            case (3, .varint(let number)): self = .number(Int64(bitPattern: number))
            case (5, .bytes(let bytes)): self = .list(try WireMessage(bytes).messages(1).map(AttributeValue.init))
            case (6, .bytes(let bytes)): self = .fields(try WireMessage(bytes).attributes(1))
            default: throw WireMessage.Malformed(reason: "a value has the field \(number)")
            }
        }
    }
}

extension WireMessage {
    /// Attributes by their names, of which none is there twice.
    func attributes(_ number: Int) throws -> [String: AttributeValue] {
        var attributes: [String: AttributeValue] = [:]
        for attribute in try messages(number) {
            let name = try attribute.text(1)
            guard attributes.updateValue(try AttributeValue(attribute.message(2)), forKey: name) == nil else {
                throw Malformed(reason: "the attribute \(name) is there twice")
            }
        }
        return attributes
    }
}

/// An `ExportMetricsServiceRequest`.
package struct MetricsRequest {
    package struct Point {
        package var name: String
        package var unit: String
        package var help: String
        /// `gauge`, `sum` that may fall, `counter`, `histogram`; the latter three are cumulative.
        package var kind: String
        package var attributes: [String: AttributeValue]
        package var start: UInt64
        package var time: UInt64
        package var value: Double
        /// Of a histogram: how many of each bucket, and their bounds.
        package var counts: [UInt64] = []
        package var bounds: [Double] = []
        package var exemplars: [[String: AttributeValue]] = []

        /// All of it, as a line.
        package var line: String {
            let labels = attributes.map { "\($0)=\($1)" }.sorted().joined(separator: ",")
            let histogram = "\(counts) \(bounds.map { String($0.bitPattern, radix: 16) })"
            return [
                name, unit, kind, labels, "\(start)", "\(time)", String(value.bitPattern, radix: 16), histogram,
                "\(exemplars.count)",
            ].joined(separator: " | ")
        }
    }

    package private(set) var resource: [String: AttributeValue]
    package private(set) var scope: (name: String, version: String)
    package private(set) var points: [Point] = []

    package init(_ bytes: [UInt8]) throws {
        let request = try WireMessage(bytes).message(1)
        resource = try request.message(1).attributes(1)
        let scoped = try request.message(2)
        scope = (try scoped.message(1).text(1), try scoped.message(1).text(2))
        var names: Set<String> = []
        for metric in try scoped.messages(2) {
            guard names.insert(try metric.text(1)).inserted else {
                throw WireMessage.Malformed(reason: "a metric is there twice: \(try metric.text(1))")
            }
            for (field, kind) in [(5, "gauge"), (7, "sum"), (9, "histogram")] {
                for data in try metric.messages(field) {
                    for point in try data.messages(1) { points.append(try Self.point(point, of: metric, data, kind)) }
                }
            }
        }
    }

    private static func point(
        _ point: WireMessage,
        of metric: WireMessage,
        _ data: WireMessage,
        _ kind: String
    ) throws -> Point {
        guard kind == "gauge" || data.number(2) == 2 else {
            throw WireMessage.Malformed(reason: "\(try metric.text(1)) is not cumulative")
        }
        let isHistogram = kind == "histogram"
        let integer = point.number(6).map { Double(Int64(bitPattern: $0)) }
        let number = isHistogram ? point.number(5) : point.number(4)
        return Point(
            name: try metric.text(1),
            unit: try metric.text(3),
            help: try metric.text(2),
            kind: data.number(3) == 1 ? "counter" : kind,
            attributes: try point.attributes(isHistogram ? 9 : 7),
            start: point.number(2) ?? 0,
            time: point.number(3) ?? 0,
            value: number.map { Double(bitPattern: $0) } ?? integer ?? .nan,
            counts: isHistogram ? point.packed(6) : [],
            bounds: isHistogram ? point.packed(7).map { Double(bitPattern: $0) } : [],
            exemplars: isHistogram ? [] : try point.messages(5).map { try $0.attributes(7) }
        )
    }

    /// The value of the point of a metric that has the attributes, among others it may have; nil where none or several do.
    package func value(_ name: String, _ attributes: [String: String] = [:]) -> Double? {
        let found = points.filter { point in
            point.name == name && attributes.allSatisfy { point.attributes[$0.key]?.description == $0.value }
        }
        return found.count == 1 ? found.first?.value : nil
    }
}

/// An `ExportLogsServiceRequest`.
package struct EventsRequest {
    package struct Event {
        package let name: String
        package let time: UInt64
        package let observed: UInt64
        package let severity: UInt64
        package let severityText: String
        package let attributes: [String: AttributeValue]
    }

    package let resource: [String: AttributeValue]
    package private(set) var events: [Event] = []

    package init(_ bytes: [UInt8]) throws {
        let request = try WireMessage(bytes).message(1)
        resource = try request.message(1).attributes(1)
        for record in try request.message(2).messages(2) {
            events.append(
                Event(
                    name: try record.text(12),
                    time: record.number(1) ?? 0,
                    observed: record.number(11) ?? 0,
                    severity: record.number(2) ?? 0,
                    severityText: try record.text(3),
                    attributes: try record.attributes(6)
                )
            )
        }
    }
}
