extension ClosedRange<UInt16> {
    /// The ports from one number to the other, as `net.ipv4.ip_local_port_range` has them; nil for what is no such text.
    package init?(portRange text: String) {
        let bounds = text.split(whereSeparator: \.isWhitespace).compactMap { UInt16($0) }
        guard bounds.count == 2, bounds[0] <= bounds[1] else { return nil }
        self = bounds[0]...bounds[1]
    }
}
