internal import SockDiag
internal import TCPWatch

/// What of a row of a dump makes a socket forgotten: pure, for sockets that a process holds.
struct ForgottenRule {
    /// In which way it may be forgotten.
    let kind: ForgottenSocket.Kind
    /// The least time for which it has been so by the kernel's own clocks; nil where they do not say.
    private(set) var age: Duration?
    /// How long nothing has happened on it that a program does on purpose in that state; nil where nothing can.
    private(set) var idle: Duration?

    /// The rule that applies to a socket; nil where it is in use, or the kernel still works on it.
    init?(_ socket: some SocketFields) {
        let info = socket.tcpInfo
        func time(_ field: TCPInfo.Field) -> Duration? { info?[field].map { .milliseconds(Int64(clamping: $0)) } }
        switch socket.state {
        case .closeWait:
            // What is sent and not acknowledged, or not yet sent: an answer on its way.
            guard socket.sendQueue == 0 else { return nil }
            kind = .peerClosed
            // The FIN had an ACK with it.
            age = time(.lastAckRecv)
            idle = time(.lastDataSent)
        case .finWait2:
            kind = .halfClosed
            // An ACK of the FIN brought it there.
            age = time(.lastAckRecv)
            idle = time(.lastDataRecv)
        case .closed: kind = .closed
        case .bound: kind = .bound
        default: return nil
        }
    }

    /// The rule of a listener, by the connections that wait at its endpoint.
    ///
    /// - Parameters:
    ///   - ages: How long each has waited, at least.
    ///   - others: The number of connections in the queues of other listeners of the same endpoint (`SO_REUSEPORT`). Nobody
    ///     reports whose queue one is in, so as many of the oldest may be theirs.
    init?(listenerWith ages: [Duration], others: Int) {
        let sorted = ages.sorted(by: >)
        guard others >= 0, others < sorted.count else { return nil }
        kind = .unaccepted
        age = sorted[others]
    }
}
