/// The timer that a socket waits for.
public struct SocketTimer: Hashable, Sendable {
    /// Which timer, by the kernel's number in `idiag_timer`.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        /// The kernel's number.
        public var rawValue: UInt8

        /// A kind of any number.
        @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Retransmission, early retransmission or loss probe; of a half-open request, the SYN+ACK's.
        public static let retransmission = Kind(rawValue: 1)
        /// Keepalive, or the limit of FIN_WAIT_2.
        public static let keepalive = Kind(rawValue: 2)
        /// The end of a TIME_WAIT, or of an orphan in FIN_WAIT_2.
        public static let timeWait = Kind(rawValue: 3)
        /// The probe of a closed window.
        public static let windowProbe = Kind(rawValue: 4)
    }

    /// Which timer.
    public var kind: Kind
    /// Milliseconds until it fires.
    public var milliseconds: UInt32
    /// The number of times that it has fired in a row: retransmissions or probes.
    public var retransmits: UInt8

    /// A timer.
    @inlinable
    public init(kind: Kind, milliseconds: UInt32, retransmits: UInt8) {
        self.kind = kind
        self.milliseconds = milliseconds
        self.retransmits = retransmits
    }
}

extension SocketTimer.Kind: CustomStringConvertible {
    /// The name as in `ss -o`: `on`, `keepalive`, `timewait`, `persist`; `timer_<n>` where it is not known.
    public var description: String {
        switch self {
        case .retransmission: "on"
        case .keepalive: "keepalive"
        case .timeWait: "timewait"
        case .windowProbe: "persist"
        default: "timer_\(rawValue)"
        }
    }
}
