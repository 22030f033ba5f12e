internal import SockDiag

@testable internal import TCPWatch

/// An event as one line of a corpus: when, since its journal began; which socket; what it did, and how that is known.
///
///     0.012345678 2001/0 192.0.2.1:80 192.0.2.2:1024 FIN_WAIT_1(FIN_WAIT_2)>TIME_WAIT inferred poll receiveFINACK uid
///
/// Owners are left out, and of processes and users it says that they are known, not which: they are another's on each machine.
enum EventLine {
    static func lines(_ events: [SocketEvent], since start: EventTime) -> [String] {
        events.map { line($0, since: start) }
    }

    private static func line(_ event: SocketEvent, since start: EventTime) -> String {
        let words: [String]
        switch event {
        case .socket(let socket):
            words = [
                time(socket.time, since: start), "\(socket.cookie)", "\(socket.local)", "\(socket.remote)", "exists",
                "\(socket.state)",
            ]
        case .ready: words = ["ready"]
        case .transition(let transition): words = [time(transition.time, since: start)] + self.words(transition)
        case .gap(let gap):
            words = [
                time(gap.time, since: start), "gap", gap.source.rawValue, gap.lost.map { "\($0)" } ?? "?", gap.reason,
            ]
        case .retransmission(let again): words = [time(again.time, since: start), "again", "\(again)"]
        case .slowed(let interval, let moment): words = [time(moment, since: start), "slowed", "\(interval)"]
        }
        return words.joined(separator: " ")
    }

    private static func words(_ transition: Transition) -> [String] {
        var words = [
            "\(transition.identity.cookie)/\(transition.incarnation)", "\(transition.identity.local)",
            "\(transition.identity.remote)",
        ]
        words += [transition.path, transition.certainty.rawValue, transition.source.rawValue]
        if let cause = transition.cause { words.append(cause.rawValue) }
        if let reason = transition.resetReason { words.append(reason.rawValue) }
        if transition.pid != nil { words.append("pid") }
        if transition.uid != nil { words.append("uid") }
        if let sent = transition.final?.bytesSent, let received = transition.final?.bytesReceived {
            words.append("final:\(sent),\(received)")
        }
        return words
    }

    /// Seconds since the start, to the nanosecond.
    private static func time(_ time: EventTime?, since start: EventTime) -> String {
        guard let time else { return "?" }
        let difference = Int64(bitPattern: time.monotonicNanoseconds &- start.monotonicNanoseconds)
        let fraction = "\(difference.magnitude % 1_000_000_000)"
        let zeros = String(repeating: "0", count: 9 - fraction.count)
        return "\(difference < 0 ? "-" : "")\(difference.magnitude / 1_000_000_000).\(zeros)\(fraction)"
    }
}
