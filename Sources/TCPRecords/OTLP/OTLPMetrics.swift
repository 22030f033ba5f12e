/// Metrics as OpenTelemetry's protocol has them: an `ExportMetricsServiceRequest`, all sums and histograms cumulative.
///
/// Source: `opentelemetry/proto/metrics/v1/metrics.proto`.
package enum OTLPMetrics {
    /// Writes what was counted until a time, nanoseconds since 1970. `since` is when each kind of counter was at 0.
    package static func write(
        _ groups: [PrometheusText.Group],
        of source: OTLPSource,
        at time: UInt64,
        since: (Metric.Origin) -> UInt64,
        into bytes: inout TextBuffer
    ) {
        source.write(into: &bytes) { scoped in
            for families in PrometheusText.byMetric(groups) {
                guard let metric = families.first?.family.metric else { continue }
                let writer = PointWriter(metric, since(metric.origin), time)
                scoped.append(2) { bytes in
                    bytes.append(1, text: metric.conventionalName)
                    bytes.append(2, text: metric.help)
                    if !metric.conventionalUnit.isEmpty { bytes.append(3, text: metric.conventionalUnit) }
                    bytes.append(metric.kind.field) { data in
                        for (constants, family) in families {
                            for sample in family.samples { writer.write(sample, constants, into: &data) }
                        }
                        guard metric.kind.field != Metric.Kind.gauge.field else { return }
                        data.append(2, varint: 2)  // AGGREGATION_TEMPORALITY_CUMULATIVE
                        if case .counter = metric.kind { data.append(3, varint: 1) }  // is_monotonic
                    }
                }
            }
        }
    }
}

extension Metric.Kind {
    /// Which data a metric has: `gauge`, `sum` or `histogram`.
    fileprivate var field: Int {
        switch self {
        case .gauge, .info: 5
        case .amount, .counter: 7
        case .histogram: 9
        }
    }
}

private struct PointWriter {
    private let names: [String]
    private let constants: [(name: String, value: String)]
    /// Nil where the point has no past.
    private let start: UInt64?
    private let time: UInt64

    init(_ metric: Metric, _ start: UInt64, _ time: UInt64) {
        names = metric.attributeNames
        constants = metric.convention?.constants ?? []
        self.start = metric.kind.field == Metric.Kind.gauge.field ? nil : start
        self.time = time
    }

    func write(
        _ sample: MetricFamily.Sample,
        _ common: [(name: String, value: String)],
        into data: inout TextBuffer
    ) {
        data.append(1) { point in
            if let start { point.append(2, fixed64: start) }
            point.append(3, fixed64: time)
            let attributes: Int
            switch sample.value {
            case .count(let count):
                point.append(6, fixed64: UInt64(Int64(clamping: count)))
                attributes = 7
            case .number(let number):
                point.append(4, double: number)
                attributes = 7
            case .histogram(let histogram):
                write(histogram, into: &point)
                attributes = 9
            }
            for (name, value) in zip(names, sample.labels) { point.append(attributes, attribute: name, value) }
            for (name, value) in constants { point.append(attributes, attribute: name, value) }
            for (name, value) in common { point.append(attributes, attribute: name, value) }
            if let exemplar = sample.exemplar, attributes == 7 { write(exemplar, into: &point) }
        }
    }

    private func write(_ histogram: Histogram, into point: inout TextBuffer) {
        point.append(4, fixed64: histogram.count)
        point.append(5, double: histogram.sum)
        point.append(6) { for count in histogram.counts { $0.append(fixed64: count) } }
        point.append(7) { for bound in histogram.bounds { $0.append(fixed64: bound.bitPattern) } }
    }

    private func write(_ exemplar: MetricFamily.Exemplar, into point: inout TextBuffer) {
        point.append(5) { bytes in
            bytes.append(2, fixed64: exemplar.time)
            bytes.append(3, double: exemplar.value)
            for (name, value) in exemplar.labels { bytes.append(7, attribute: name, value) }
        }
    }
}
