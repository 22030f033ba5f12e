/// The state of a TCP socket, as the kernel numbers it.
///
/// A number that this version does not know survives: it prints as `STATE_<n>` and compares like any other.
///
/// ```swift
/// TCPState("fin-wait-1")       // Optional(FIN_WAIT_1), as does "FIN_WAIT_1" or "fin_wait1"
/// TCPState.closeWait.meaning   // "The peer has closed; …"
/// ```
///
/// Source: RFC 9293, section 3.3.2; the numbers are those of `include/net/tcp_states.h`.
public struct TCPState: RawRepresentable, Hashable, Sendable {
    /// The kernel's number, as in `idiag_state`.
    public var rawValue: UInt8

    /// A state of any number, also of one that this version does not know.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Data can flow both ways (`TCP_ESTABLISHED`).
    public static let established = TCPState(rawValue: 1)
    /// A SYN was sent and not yet answered (`TCP_SYN_SENT`).
    public static let synSent = TCPState(rawValue: 2)
    /// A SYN was received and answered by SYN+ACK; the final ACK is missing (`TCP_SYN_RECV`).
    public static let synReceived = TCPState(rawValue: 3)
    /// Closed here first; the FIN is not yet acknowledged (`TCP_FIN_WAIT1`).
    public static let finWait1 = TCPState(rawValue: 4)
    /// Closed here first; the FIN is acknowledged, the peer's is awaited (`TCP_FIN_WAIT2`).
    public static let finWait2 = TCPState(rawValue: 5)
    /// Closed by both, here first; late segments are absorbed (`TCP_TIME_WAIT`).
    public static let timeWait = TCPState(rawValue: 6)
    /// No connection (`TCP_CLOSE`).
    public static let closed = TCPState(rawValue: 7)
    /// The peer has closed; the program here has not (`TCP_CLOSE_WAIT`).
    public static let closeWait = TCPState(rawValue: 8)
    /// The peer closed first, then this side; its FIN is not yet acknowledged (`TCP_LAST_ACK`).
    public static let lastAck = TCPState(rawValue: 9)
    /// Waits for connections (`TCP_LISTEN`).
    public static let listen = TCPState(rawValue: 10)
    /// Both closed at the same time; the FIN is not yet acknowledged (`TCP_CLOSING`).
    public static let closing = TCPState(rawValue: 11)
    /// A half-open request, as tracepoints number it (`TCP_NEW_SYN_RECV`); dumps say ``synReceived``.
    public static let newSynReceived = TCPState(rawValue: 12)
    /// Bound to a port, neither listening nor connecting (`TCP_BOUND_INACTIVE`, kernel 6.8).
    public static let bound = TCPState(rawValue: 13)
}

extension TCPState: CaseIterable {
    /// The states that a socket is listed in, in the order of a connection's life.
    public static let allCases: [TCPState] = [
        .bound, .listen, .synSent, .synReceived, .established, .finWait1, .finWait2, .closeWait, .closing, .lastAck,
        .timeWait, .closed,
    ]
}

extension TCPState: CustomStringConvertible {
    /// The name that is printed everywhere: `SYN_RCVD`, `FIN_WAIT_1`, `BOUND`, or `STATE_<n>` where it is not known.
    public var description: String {
        switch self {
        case .established: "ESTABLISHED"
        case .synSent: "SYN_SENT"
        case .synReceived, .newSynReceived: "SYN_RCVD"
        case .finWait1: "FIN_WAIT_1"
        case .finWait2: "FIN_WAIT_2"
        case .timeWait: "TIME_WAIT"
        case .closed: "CLOSED"
        case .closeWait: "CLOSE_WAIT"
        case .lastAck: "LAST_ACK"
        case .listen: "LISTEN"
        case .closing: "CLOSING"
        case .bound: "BOUND"
        default: "STATE_\(rawValue)"
        }
    }
}

extension TCPState: LosslessStringConvertible {
    /// Reads a state's name in any case, with `-`, `_` or neither: the names printed here, those of RFC 9293
    /// (`SYN-RECEIVED`), of `ss` (`estab`, `syn-recv`, `unconn`) and of `netstat`; and `STATE_<n>`.
    public init?(_ description: String) {
        let name = description.lowercased().filter { $0 != "-" && $0 != "_" }
        switch name {
        case "established", "estab": self = .established
        case "synsent": self = .synSent
        case "synrcvd", "synrecv", "synreceived": self = .synReceived
        case "finwait1": self = .finWait1
        case "finwait2": self = .finWait2
        case "timewait": self = .timeWait
        case "closed", "close", "unconn", "unconnected": self = .closed
        case "closewait": self = .closeWait
        case "lastack": self = .lastAck
        case "listen", "listening": self = .listen
        case "closing": self = .closing
        case "bound", "boundinactive": self = .bound
        default:
            let digits = name.dropFirst(5)
            guard name.hasPrefix("state"), digits.first != "+", let number = UInt8(digits) else { return nil }
            self.init(rawValue: number)
        }
    }
}

extension TCPState {
    /// What the state means, in a sentence or two for a person who meets it: who is in it, and what ends it.
    public var meaning: String {
        switch self {
        case .listen: "A server waits here for connections."
        case .synSent:
            "This side opened: its SYN is sent, the SYN+ACK has not come. The peer is far, filtered or dead."
        case .synReceived, .newSynReceived:
            """
            Half open: a SYN came and was answered by SYN+ACK; the client's final ACK is missing. \
            Many mean a SYN flood, or clients that are gone.
            """
        case .established: "Open: both sides have confirmed each other's sequence number and data can flow."
        case .finWait1: "This side closed first: its FIN is sent and not yet acknowledged."
        case .finWait2: "This side closed first and the peer acknowledged it; the peer has not closed yet."
        case .closeWait:
            "The peer has closed; the program here has not called close(). Many mean a leak in this program."
        case .closing:
            "Both sides closed at once: the FINs crossed, and the acknowledgement of this side's is missing."
        case .lastAck: "The peer closed first, then this side: the acknowledgement of this side's FIN is missing."
        case .timeWait:
            "Both have closed, this side first: it waits so that late segments cannot disturb a new connection."
        case .closed: "No connection: closed or reset, while a program may still hold the descriptor."
        case .bound: "Bound to a local port, neither listening nor connecting."
        default: "A state that this version does not know."
        }
    }
}
