extension ClosedRange<UInt16> {
    /// The ports from one number to the other, as `net.ipv4.ip_local_port_range` has them; nil for what is no such text.
    package init?(portRange text: String) {
        let ends = text.split(whereSeparator: \.isWhitespace).compactMap { UInt16($0) }
        guard ends.count == 2, ends[0] <= ends[1] else { return nil }
        self = ends[0]...ends[1]
    }
}
