internal import SockDiag
internal import TCPWatch

/// Which side opened each connection, learned from its first step and forgotten with its last: no larger than there are
/// connections.
struct Openings {
    private var sides: [SocketCookie: OpeningSide] = [:]

    /// The side that opened the connection that took the step; nil where its beginning was not seen.
    mutating func side(after step: Transition) -> OpeningSide? {
        let cookie = step.identity.cookie
        if step.opens, let first = (step.via + [step.to]).first(where: { $0 == .synSent || $0 == .synReceived }) {
            sides[cookie] = first == .synSent ? .active : .passive
        }
        return step.to == .closed ? sides.removeValue(forKey: cookie) : sides[cookie]
    }
}

extension Transition {
    /// Whether a connection begins with it.
    var opens: Bool {
        (from == .closed || from == .bound) && !TCPStateSet.connected.isDisjoint(with: entered)
    }

    /// Whether a connection ends with it.
    var closes: Bool { to == .closed && from != .listen && from != .bound }

    private var entered: TCPStateSet { via.reduce(into: TCPStateSet(to)) { $0.insert(TCPStateSet($1)) } }
}
