/// A metric: what it is called, what it counts, and where that comes from. They are all in ``Catalogue``.
package struct Metric: Sendable {
    /// What its values do.
    package enum Kind: Sendable {
        /// They rise and fall.
        case gauge
        /// They rise and fall too, and say how many or how much there is: those of all labels may be added up. OpenTelemetry
        /// has an instrument of its own for them, Prometheus a gauge.
        case amount
        /// They only rise, but where the program starts anew.
        case counter
        /// They are durations, counted by these upper bounds, seconds.
        case histogram(bounds: [Double])
        /// It is 1, and its labels say something.
        case info
    }

    /// What its values are of, as Prometheus' names have it.
    package enum Unit: String, Sendable { case seconds, bytes }

    /// Since when a counter counts.
    package enum Origin: Sendable {
        /// Since somebody watches.
        case watch
        /// Since the machine has started: the kernel counts. In a network namespace that is younger it was 0 until then.
        case boot
        /// Since the program has started.
        case process
    }

    /// Without prefix and unit, and without the suffix of its kind: ``family`` and ``text`` have them.
    package let name: String
    /// What the name begins with.
    private let prefix: String
    package let kind: Kind
    package let unit: Unit?
    /// Since when it counts; of what is no counter it says nothing.
    package let origin: Origin
    /// The names of the labels, in the order of a sample's values.
    package let labels: [String]
    /// What it is, and where it comes from: a line.
    package let help: String
    /// What OpenTelemetry calls it; nil where it has no name for it.
    package let convention: Convention?

    package init(
        _ name: String,
        _ kind: Kind,
        unit: Unit? = nil,
        by labels: [String] = [],
        _ help: String,
        since origin: Origin = .watch,
        prefix: String = "tcpstates_",
        as convention: Convention? = nil
    ) {
        (self.name, self.prefix, self.kind, self.unit, self.labels) = (name, prefix, kind, unit, labels)
        (self.help, self.origin, self.convention) = (help, origin, convention)
    }

    /// The name of the family in OpenMetrics: with its unit, without the suffix of its kind.
    package var family: String { prefix + name + (unit.map { "_\($0.rawValue)" } ?? "") }

    /// What the text format adds to the name of a value.
    package var suffix: String {
        switch kind {
        case .counter: "_total"
        case .info: "_info"
        case .gauge, .amount, .histogram: ""
        }
    }

    /// The name as queries and alert rules have it; that of a histogram has `_bucket`, `_sum` or `_count` behind it.
    package var text: String { family + suffix }

    /// The name for OpenTelemetry: that of its conventions where they have one, else the one that queries have.
    package var conventionalName: String { convention?.name ?? text }

    /// The unit for OpenTelemetry, as UCUM has it; nothing where the values are numbers of something that the conventions do not
    /// name.
    package var conventionalUnit: String {
        if let convention { return convention.unit }
        return switch unit {
        case .seconds: "s"
        case .bytes: "By"
        case nil: ""
        }
    }

    /// What the labels are called there.
    package var attributeNames: [String] { labels.map { convention?.attributes[$0] ?? $0 } }

    /// What the labels of a value are called there, and what is the same for every value.
    package func attributes(_ values: [String]) -> [(name: String, value: String)] {
        Array(zip(attributeNames, values)) + (convention?.constants ?? [])
    }

    /// OpenTelemetry's semantic conventions for a metric.
    package struct Convention: Sendable {
        package let name: String
        /// As UCUM has it: `{connection}`, `s`, `By`.
        package let unit: String
        /// What its labels are called there.
        package let attributes: [String: String]
        /// Attributes that are the same for every value.
        package let constants: [(name: String, value: String)]

        package init(
            _ name: String,
            _ unit: String,
            _ attributes: [String: String] = [:],
            constants: [(name: String, value: String)] = []
        ) {
            (self.name, self.unit, self.attributes, self.constants) = (name, unit, attributes, constants)
        }
    }
}

extension Metric {
    /// A histogram with its bounds and nothing in it.
    package var histogram: Histogram {
        if case .histogram(let bounds) = kind { Histogram(bounds) } else { Histogram([]) }
    }
}

/// A metric with its values.
package struct MetricFamily: Sendable {
    package let metric: Metric
    package var samples: [Sample]

    package init(_ metric: Metric, _ samples: [Sample]) { (self.metric, self.samples) = (metric, samples) }

    /// A metric without labels.
    package init(_ metric: Metric, _ value: Sample.Value) { self.init(metric, [Sample([], value)]) }

    /// A value, for values of the labels.
    package struct Sample: Sendable {
        package var labels: [String]
        package var value: Value
        /// An event that has counted last; it is named beside the value, for its name would be one more label.
        package var exemplar: Exemplar?

        package init(_ labels: [String], _ value: Value, exemplar: Exemplar? = nil) {
            (self.labels, self.value, self.exemplar) = (labels, value, exemplar)
        }

        package enum Value: Sendable {
            case count(UInt64)
            case number(Double)
            case histogram(Histogram)
        }
    }

    /// A single event, by labels of its own.
    package struct Exemplar: Sendable {
        package var labels: [(name: String, value: String)]
        package var value: Double
        /// Nanoseconds since 1970.
        package var time: UInt64

        package init(_ labels: [(name: String, value: String)], value: Double = 1, at time: UInt64) {
            (self.labels, self.value, self.time) = (labels, value, time)
        }
    }
}

/// How many durations there were, by upper bounds.
package struct Histogram: Sendable {
    /// Seconds, rising.
    package let bounds: [Double]
    /// For each bound, how many are no longer than it and longer than the one before; last, how many are longer than all.
    package private(set) var counts: [UInt64]
    /// Seconds.
    package private(set) var sum: Double = 0

    package init(_ bounds: [Double]) {
        self.bounds = bounds
        counts = [UInt64](repeating: 0, count: bounds.count + 1)
    }

    package var count: UInt64 { counts.reduce(0, &+) }

    package mutating func add(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let value = max(0, Double(seconds) + Double(attoseconds) / 1e18)
        sum += value
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] &+= 1
    }
}
