import TCPRecords

/// The values of families, by the names and labels that a query has.
struct Samples {
    private(set) var values: [String: Double] = [:]
    /// Series that are there twice, which no reader takes.
    private(set) var repeated: [String] = []
    /// Families whose samples have another number of labels than their metric.
    private(set) var mislabelled: [String] = []

    init(_ families: [MetricFamily]) {
        for family in families {
            for sample in family.samples {
                if sample.labels.count != family.metric.labels.count { mislabelled.append(family.metric.text) }
                let labels = zip(family.metric.labels, sample.labels).map { "\($0)=\($1)" }
                func add(_ suffix: String, _ more: [String], _ value: Double) {
                    let name = family.metric.text + suffix
                    let series = "\(name){\((labels + more).joined(separator: ","))}"
                    if values.updateValue(value, forKey: series) != nil { repeated.append(series) }
                }
                switch sample.value {
                case .count(let count): add("", [], Double(count))
                case .number(let number): add("", [], number)
                case .histogram(let histogram):
                    add("_sum", [], histogram.sum)
                    add("_count", [], Double(histogram.count))
                    for (index, count) in histogram.counts.enumerated() { add("_bucket", ["\(index)"], Double(count)) }
                }
            }
        }
    }

    subscript(series: String) -> Double? { values[series.contains("{") ? series : "\(series){}"] }

    /// The sum of all series of a name that have the labels.
    func sum(_ name: String, _ labels: String...) -> Double {
        values.filter { series, _ in
            let parts = series.dropLast().split(separator: "{", maxSplits: 1)
            guard parts.first.map(String.init) == name else { return false }
            let all = parts.count > 1 ? parts[1].split(separator: ",").map(String.init) : []
            return labels.allSatisfy(all.contains)
        }.values.reduce(0, +)
    }

    /// The series of a name.
    func series(of name: String) -> [String] { values.keys.filter { $0.hasPrefix("\(name){") }.sorted() }
}
