public import SocketValues

/// The TCP state machine of RFC 9293 as Linux runs it, as pure values.
///
/// A connection begins and ends in ``/SockDiag/TCPState/closed``. The child that a listener's SYN makes begins there too, while
/// the listener stays in LISTEN: its first step is CLOSED → SYN_RCVD, the LISTEN → SYN-RECEIVED of the RFC's figure.
public enum TCPStateMachine {
    /// Every legal step.
    public static let steps: [TCPStep] = [
        // To a listener or a connection. BOUND is Linux's name for a local port that is taken and not yet used.
        step(.closed, .bound, .bind),
        step(.closed, .listen, .listen),
        step(.bound, .listen, .listen),
        step(.closed, .synSent, .connect),
        step(.bound, .synSent, .connect),
        step(.closed, .synReceived, .receiveSYN),
        // The handshake. SYN_SENT → SYN_RCVD is the simultaneous open.
        step(.synSent, .established, .receiveSYNACK),
        step(.synSent, .synReceived, .receiveSYN),
        step(.synReceived, .established, .receiveACK),
        // A close before the handshake's end; Linux has it for a simultaneous open and for Fast Open.
        step(.synReceived, .finWait1, .close),
        step(.synReceived, .closeWait, .receiveFIN),
        // The close, by the side that closes first …
        step(.established, .finWait1, .close),
        step(.finWait1, .finWait2, .receiveACK),
        step(.finWait1, .closing, .receiveFIN),
        step(.finWait1, .timeWait, .receiveFINACK),
        step(.finWait2, .timeWait, .receiveFIN),
        step(.closing, .timeWait, .receiveACK),
        step(.timeWait, .closed, .timeWaitTimeout, .reuse, .receiveRST),
        // … and by the side that closes second.
        step(.established, .closeWait, .receiveFIN),
        step(.closeWait, .lastAck, .close),
        step(.lastAck, .closed, .receiveACK, .receiveRST, .timeout, .abort),
        // Every state can end at once.
        step(.bound, .closed, .close),
        step(.listen, .closed, .close),
        step(.synSent, .closed, .receiveRST, .timeout, .unreachable, .close, .noPort, .abort),
        step(.synReceived, .closed, .receiveRST, .timeout, .abort, .listenerClosed),
        step(.established, .closed, .receiveRST, .abort, .timeout, .listenerClosed),
        step(.finWait1, .closed, .receiveRST, .timeout, .abort),
        step(.finWait2, .closed, .timeout, .receiveRST, .abort),
        step(.closeWait, .closed, .receiveRST, .abort, .timeout, .listenerClosed),
        step(.closing, .closed, .receiveRST, .timeout, .abort),
    ]

    private static func step(_ from: TCPState, _ to: TCPState, _ triggers: TCPStep.Trigger...) -> TCPStep {
        TCPStep(from: from, to: to, triggers: triggers)
    }

    /// What causes a step, where it has one cause alone.
    package static func soleTrigger(from: TCPState?, to: TCPState) -> TCPStep.Trigger? {
        guard let from, from.rawValue < 16, to.rawValue < 16 else { return nil }
        return soleTriggers[Int(from.rawValue) << 4 | Int(to.rawValue)]
    }

    private static let soleTriggers: [TCPStep.Trigger?] = {
        var table = [TCPStep.Trigger?](repeating: nil, count: 256)
        for step in steps where step.triggers.count == 1 {
            table[Int(step.from.rawValue) << 4 | Int(step.to.rawValue)] = step.triggers[0]
        }
        return table
    }()

    /// The legal steps out of a state.
    public static func steps(from state: TCPState) -> [TCPStep] { steps.filter { $0.from == state } }

    /// The step from one state to another, nil where there is no legal one.
    public static func step(from: TCPState, to: TCPState) -> TCPStep? {
        steps.first { $0.from == from && $0.to == to }
    }

    /// Every way from one state to another that enters no state twice and does not pass through CLOSED, the shortest
    /// first; of equal ones the way that comes first in ``steps``. Each names the states after `from`, `to` included.
    ///
    /// Empty where a connection that has been in `from` can never be in `to`, and where both are the same.
    public static func ways(from: TCPState, to: TCPState) -> [[TCPState]] {
        var found: [[TCPState]] = []
        var open: [[TCPState]] = [[from]]
        while !open.isEmpty {
            var longer: [[TCPState]] = []
            for way in open {
                guard let last = way.last else { continue }
                for step in steps(from: last) where !way.contains(step.to) {
                    if step.to == to {
                        found.append(way.dropFirst() + [to])
                    } else if step.to != .closed {
                        longer.append(way + [step.to])
                    }
                }
            }
            open = longer
        }
        return found
    }
}
