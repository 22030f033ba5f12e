extension Transition {
    /// Whether a connection begins with it.
    package var opens: Bool {
        (from == .closed || from == .bound) && !TCPStateSet.connected.isDisjoint(with: entered)
    }

    /// Whether a connection ends with it.
    package var closes: Bool { to == .closed && from != .listen && from != .bound }

    /// Whether this side begins to close with it, or has by then.
    package var closesHere: Bool {
        guard let from, !Self.closedHere.contains(from) else { return false }
        return !Self.closedHere.isDisjoint(with: entered)
    }

    private static let closedHere: TCPStateSet = [.finWait1, .finWait2, .closing, .timeWait, .lastAck, .closed]

    private var entered: TCPStateSet { via.reduce(into: TCPStateSet(to)) { $0.insert(TCPStateSet($1)) } }
}
