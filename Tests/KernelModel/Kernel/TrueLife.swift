internal import ConnectionTracking
internal import SocketValues

/// The transition from one state to the next, as it really was.
package struct TrueTransition {
    /// The state after it.
    var to: TCPState
    /// When the kernel made it; of a reported one the time of the report.
    var time: UInt64
    /// What may be reported of its cause.
    var causes: Causes
    /// The process whose call made it.
    var pid: Int32?
    /// The state that the report says was left; nil where none was made.
    var reportedFrom: TCPState?
    /// Whether that report was lost.
    var isLost = false
    /// Whether it was reported, and not as the end of a socket that nobody may have known.
    var isReport: Bool { reportedFrom != nil && reportedFrom != .bound }
    /// The number of the reason of the RST that was sent with it.
    var reason: UInt32?
}

/// One connection, listener or bound socket as it really was: what a tracker should have reported.
package struct TrueLife {
    /// The play.
    let play: Int
    /// Which of the kernel's full sockets; −1 for a request that became none.
    var socket = -1
    /// The names that its objects have, at most three.
    var cookies: [UInt32] = []
    /// CLOSED, then the states of the transitions.
    var transitions: [TrueTransition] = []
    var name: SocketName
    var side: OpeningSide
    /// What it comes to, without the FINs.
    var counters = SocketCounters()
    /// When its minisocket's timer, or its request's, was due; 0 where it has none.
    var due: UInt64 = 0
    /// The life of the listener whose child it is.
    var listener = -1
    /// How many rows of complete dumps have shown it.
    var rows = 0
    /// Whether some report of it was lost, also one that is no transition.
    var hasLost = false
    /// Whether it was reported under a name.
    var isReported = false
    /// Whether its first transition was reported before it had a port.
    var beganWithoutPort = false
    /// Whether its last transition made a TIME_WAIT, which the report implies.
    var impliesTimeWait = false
    /// The endpoints that it had, other than those of `name`: before its port was known.
    var isOfKernel = false

    /// The state after so many transitions.
    func state(after count: Int) -> TCPState { count == 0 ? .closed : transitions[count - 1].to }

    /// Whether it is over.
    var hasEnded: Bool { transitions.last?.to == .closed }
}

/// What may be reported of the cause of a transition.
package struct Causes {
    private var bits: UInt32
    /// Whether it may be left open.
    let mayBeOpen: Bool

    /// Some of the triggers; it may be left open where that is said, or where there is none.
    init(_ triggers: TCPStep.Trigger..., orNone: Bool = false) {
        bits = triggers.reduce(0) { $0 | Self.bit($1) }
        mayBeOpen = orNone || triggers.isEmpty
    }

    /// Any, or none.
    static var any: Causes {
        var causes = Causes(orNone: true)
        causes.bits = .max
        return causes
    }

    /// Whether nothing is said of it.
    var isAny: Bool { bits == .max }

    func contains(_ trigger: TCPStep.Trigger) -> Bool { bits & Self.bit(trigger) != 0 }

    private static func bit(_ trigger: TCPStep.Trigger) -> UInt32 {
        switch trigger {
        case .bind: 1
        case .listen: 1 << 1
        case .connect: 1 << 2
        case .close: 1 << 3
        case .abort: 1 << 4
        case .receiveSYN: 1 << 5
        case .receiveSYNACK: 1 << 6
        case .receiveACK: 1 << 7
        case .receiveFIN: 1 << 8
        case .receiveFINACK: 1 << 9
        case .receiveRST: 1 << 10
        case .unreachable: 1 << 11
        case .timeout: 1 << 12
        case .timeWaitTimeout: 1 << 13
        case .reuse: 1 << 14
        case .noPort: 1 << 15
        case .listenerClosed: 1 << 16
        }
    }
}

extension Causes: CustomStringConvertible {
    package var description: String {
        let names = TCPStep.Trigger.allCases.filter(contains).map(\.rawValue)
        return (names + (mayBeOpen ? ["none"] : [])).joined(separator: "|")
    }
}
