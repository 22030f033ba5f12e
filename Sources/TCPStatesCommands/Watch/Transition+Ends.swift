internal import SockDiag
internal import TCPWatch

extension Transition {
    /// Whether a connection begins with it.
    var opens: Bool {
        (from == .closed || from == .bound) && !TCPStateSet.connected.isDisjoint(with: entered)
    }

    /// Whether a connection ends with it.
    var closes: Bool { to == .closed && from != .listen && from != .bound }

    private var entered: TCPStateSet { via.reduce(into: TCPStateSet(to)) { $0.insert(TCPStateSet($1)) } }
}
