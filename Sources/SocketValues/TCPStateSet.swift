/// A set of TCP states, as the kernel's state masks have it: bit *n* is the state of number *n*.
///
/// Source: the `TCPF_*` bits of `include/net/tcp_states.h`, as in `idiag_states`.
public struct TCPStateSet: OptionSet, Hashable, Sendable {
    /// The mask, as in `idiag_states`.
    public var rawValue: UInt32

    /// A set of any bits, also of states that this version does not know.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The set of one state; empty for a number above 31, which no mask can hold.
    public init(_ state: TCPState) { rawValue = state.rawValue < 32 ? 1 << UInt32(state.rawValue) : 0 }

    /// Only ``TCPState/established``.
    public static let established = TCPStateSet(.established)
    /// Only ``TCPState/synSent``.
    public static let synSent = TCPStateSet(.synSent)
    /// The half-open ones: ``TCPState/synReceived``, and ``TCPState/newSynReceived`` as the kernel's walk calls it.
    public static let synReceived: TCPStateSet = [TCPStateSet(.synReceived), TCPStateSet(.newSynReceived)]
    /// Only ``TCPState/finWait1``.
    public static let finWait1 = TCPStateSet(.finWait1)
    /// Only ``TCPState/finWait2``.
    public static let finWait2 = TCPStateSet(.finWait2)
    /// Only ``TCPState/timeWait``.
    public static let timeWait = TCPStateSet(.timeWait)
    /// Only ``TCPState/closed``.
    public static let closed = TCPStateSet(.closed)
    /// Only ``TCPState/closeWait``.
    public static let closeWait = TCPStateSet(.closeWait)
    /// Only ``TCPState/lastAck``.
    public static let lastAck = TCPStateSet(.lastAck)
    /// Only ``TCPState/listen``.
    public static let listen = TCPStateSet(.listen)
    /// Only ``TCPState/closing``.
    public static let closing = TCPStateSet(.closing)
    /// Only ``TCPState/bound``. Kernels before 6.8 answer nothing for it.
    public static let bound = TCPStateSet(.bound)

    /// Every state.
    public static let all: TCPStateSet = [
        .established, .synSent, .synReceived, .finWait1, .finWait2, .timeWait, .closed, .closeWait, .lastAck, .listen,
        .closing, .bound,
    ]
    /// Every state of a connection: all but LISTEN, CLOSED and BOUND.
    public static let connected = all.subtracting([.listen, .closed, .bound])
    /// The connected ones whose sequence numbers both sides know: all but SYN_SENT.
    public static let synchronized = connected.subtracting(.synSent)
    /// The states that the kernel keeps as small entries without a socket: SYN_RCVD and TIME_WAIT.
    public static let bucket: TCPStateSet = [.synReceived, .timeWait]
    /// FIN_WAIT_1 and FIN_WAIT_2.
    public static let finWait: TCPStateSet = [.finWait1, .finWait2]
    /// Everything between the first FIN and CLOSED.
    public static let closingStates: TCPStateSet = [
        .finWait1, .finWait2, .closeWait, .closing, .lastAck, .timeWait,
    ]

    /// Whether the state is in the set.
    public func contains(_ state: TCPState) -> Bool {
        state.rawValue < 32 && rawValue & (1 << UInt32(state.rawValue)) != 0
    }
}

extension TCPStateSet: CustomStringConvertible {
    /// Reads the names of states and of groups, separated by commas; the groups are `all`, `connected`,
    /// `synchronized`, `bucket`, `big`, `fin-wait` and `closing-states`. In any case, with `-` or `_`.
    public init?(_ description: String) {
        self = []
        for name in description.split(separator: ",", omittingEmptySubsequences: false) {
            guard let named = Self.named(String(name)) else { return nil }
            formUnion(named)
        }
    }

    private static func named(_ name: String) -> TCPStateSet? {
        switch name.lowercased().filter({ $0 != "-" && $0 != "_" }) {
        case "all": return .all
        case "connected": return .connected
        case "synchronized": return .synchronized
        case "bucket": return .bucket
        case "big": return .all.subtracting(.bucket)
        case "finwait": return .finWait
        case "closingstates": return .closingStates
        default:
            guard let state = TCPState(name), state.rawValue < 32 else { return nil }
            return state == .synReceived ? .synReceived : TCPStateSet(state)
        }
    }

    /// The names of the set's states, separated by commas, in the order of ``TCPState/allCases``, then `STATE_<n>`.
    public var description: String {
        let known = TCPState.allCases.filter { !isDisjoint(with: $0 == .synReceived ? .synReceived : TCPStateSet($0)) }
        let unknown = (0..<32).map(TCPState.init).filter { contains($0) && !Self.all.contains($0) }
        return (known + unknown).map(\.description).joined(separator: ",")
    }
}
