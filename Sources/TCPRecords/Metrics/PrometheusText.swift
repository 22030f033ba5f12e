/// The text in which Prometheus reads metrics.
package enum PrometheusText {
    /// Which text it is.
    package enum Format: Sendable {
        /// Prometheus' own, version 0.0.4.
        case classic
        /// OpenMetrics 1.0, with units, examples and an end.
        case openMetrics

        /// The value of Content-Type: Prometheus 3 refuses any other.
        package var contentType: String {
            switch self {
            case .classic: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }
    }

    /// Metrics with labels that all of their values have.
    package typealias Group = (constants: [(name: String, value: String)], families: [MetricFamily])

    /// All families of one metric after the other, in the order in which the first of each comes.
    static func byMetric(_ groups: [Group]) -> [[(constants: [(name: String, value: String)], family: MetricFamily)]] {
        var (all, places): ([[(constants: [(name: String, value: String)], family: MetricFamily)]], [String: Int]) = (
            [], [:]
        )
        for (constants, families) in groups {
            for family in families {
                let place = places[family.metric.text] ?? all.count
                if place == all.count {
                    places[family.metric.text] = place
                    all.append([])
                }
                all[place].append((constants, family))
            }
        }
        return all
    }

    /// Writes metrics, with labels that every value has. `since` is when the watch began, nanoseconds since 1970; OpenMetrics
    /// tells it of each counter that counts from then on.
    package static func write(
        _ families: [MetricFamily],
        as format: Format,
        since: UInt64? = nil,
        constants: [(name: String, value: String)] = [],
        into text: inout TextBuffer
    ) {
        write([(constants, families)], as: format, since: since, into: &text)
    }

    /// Writes metrics of several namespaces. The values of one stand together, whichever group they are of: both texts ask
    /// for it.
    package static func write(
        _ groups: [Group],
        as format: Format,
        since: UInt64? = nil,
        into text: inout TextBuffer
    ) {
        for families in byMetric(groups) {
            for (number, (constants, family)) in families.enumerated() {
                let writer = FamilyWriter(family.metric, format, since, constants)
                if number == 0 { writer.writeHead(into: &text) }
                for sample in family.samples { writer.write(sample, into: &text) }
            }
        }
        if format == .openMetrics { text.append("# EOF\n") }
    }
}

private struct FamilyWriter {
    private let metric: Metric
    private let format: PrometheusText.Format
    private let since: UInt64?
    private let constants: [(name: String, value: String)]
    private let name: String

    init(
        _ metric: Metric,
        _ format: PrometheusText.Format,
        _ since: UInt64?,
        _ constants: [(name: String, value: String)]
    ) {
        (self.metric, self.format, self.since, self.constants) = (metric, format, since, constants)
        name = metric.family
    }

    func writeHead(into text: inout TextBuffer) {
        // OpenMetrics names the family without its suffix, the classic text with it.
        let family = format == .classic ? metric.text : name
        text.append("# HELP \(family) ")
        text.append(escaped: metric.help, quotes: format == .openMetrics)
        text.append("\n# TYPE \(family) \(type)\n")
        if format == .openMetrics, let unit = metric.unit { text.append("# UNIT \(family) \(unit.rawValue)\n") }
    }

    private var type: String {
        switch metric.kind {
        case .gauge, .amount: "gauge"
        case .counter: "counter"
        case .histogram: "histogram"
        case .info: format == .classic ? "gauge" : "info"
        }
    }

    func write(_ sample: MetricFamily.Sample, into text: inout TextBuffer) {
        if case .histogram(let histogram) = sample.value { return write(histogram, of: sample, into: &text) }
        line(metric.suffix, sample, into: &text)
        switch sample.value {
        case .count(let count): text.append(decimal: count)
        case .number(let number): text.append(number)
        case .histogram: break
        }
        if format == .openMetrics, case .counter = metric.kind { write(sample.exemplar, into: &text) }
        text.append(.newline)
        if case .counter = metric.kind { writeCreated(of: sample, into: &text) }
    }

    private func write(_ histogram: Histogram, of sample: MetricFamily.Sample, into text: inout TextBuffer) {
        var count: UInt64 = 0
        for (index, bucket) in histogram.counts.enumerated() {
            count &+= bucket
            let bound = index < histogram.bounds.count ? Self.text(histogram.bounds[index]) : "+Inf"
            line("_bucket", sample, bound: bound, into: &text)
            text.append(decimal: count)
            text.append(.newline)
        }
        line("_sum", sample, into: &text)
        text.append(histogram.sum)
        text.append(.newline)
        line("_count", sample, into: &text)
        text.append(decimal: count)
        text.append(.newline)
        writeCreated(of: sample, into: &text)
    }

    private func writeCreated(of sample: MetricFamily.Sample, into text: inout TextBuffer) {
        guard format == .openMetrics, let since, metric.origin == .watch else { return }
        line("_created", sample, into: &text)
        text.append(Double(since) / 1e9)
        text.append(.newline)
    }

    private func write(_ exemplar: MetricFamily.Exemplar?, into text: inout TextBuffer) {
        guard let exemplar else { return }
        text.append(" # {")
        var (room, isFirst) = (Self.exemplarLimit, true)
        for label in exemplar.labels {
            // What does not fit is left out; a reader refuses the whole.
            let length = label.name.unicodeScalars.count + label.value.unicodeScalars.count
            guard length <= room else { continue }
            room -= length
            if !isFirst { text.append(.comma) }
            isFirst = false
            write(label.name, label.value, into: &text)
        }
        text.append("} ")
        text.append(exemplar.value)
        text.append(.space)
        text.append(Double(exemplar.time) / 1e9)
    }

    /// The characters that the names and values of an exemplar's labels may have together, by OpenMetrics 1.0.
    private static let exemplarLimit = 128

    /// A line without its value.
    private func line(
        _ suffix: String,
        _ sample: MetricFamily.Sample,
        bound: String? = nil,
        into text: inout TextBuffer
    ) {
        text.append(name)
        text.append(suffix)
        var isFirst = true
        func write(_ label: String, _ value: String, _ text: inout TextBuffer) {
            text.append(isFirst ? UInt8(ascii: "{") : .comma)
            isFirst = false
            self.write(label, value, into: &text)
        }
        for constant in constants { write(constant.name, constant.value, &text) }
        for (label, value) in zip(metric.labels, sample.labels) { write(label, value, &text) }
        if let bound { write("le", bound, &text) }
        if !isFirst { text.append(UInt8(ascii: "}")) }
        text.append(.space)
    }

    private func write(_ label: String, _ value: String, into text: inout TextBuffer) {
        text.append(label)
        text.append("=\"")
        text.append(escaped: value, quotes: true)
        text.append(.quote)
    }

    /// A bound as both texts want it: with a decimal point.
    private static func text(_ number: Double) -> String { "\(number)" }
}

extension TextBuffer {
    /// Appends a number in the shortest form that is read as the same.
    fileprivate mutating func append(_ number: Double) {
        if number.isNaN {
            append("NaN")
        } else if number.isInfinite {
            append(number < 0 ? "-Inf" : "+Inf")
        } else if number == number.rounded(), abs(number) < 1e15 {
            if number < 0 { append(UInt8(ascii: "-")) }
            append(decimal: UInt64(abs(number)))
        } else {
            append("\(number)" as String)
        }
    }

    /// Appends text of which a line, and where it is quoted a quote, is no end. It is valid UTF-8, as every `String` is.
    fileprivate mutating func append(escaped text: String, quotes: Bool) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): append("\\\\")
            case .newline: append("\\n")
            case .quote where quotes: append("\\\"")
            default: append(byte)
            }
        }
    }
}
