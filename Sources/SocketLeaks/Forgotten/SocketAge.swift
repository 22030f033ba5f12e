/// How long a socket has been in its condition, as far as that is known, and by what.
///
/// It is never longer than in truth. The kernel keeps no time of a transition, so only a watcher knows it; else it is at
/// least what was seen, by earlier searches or in `tcp_info`.
public struct SocketAge: Hashable, Sendable {
    /// What an age is known by.
    public struct Ground: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// Its name.
        public let rawValue: String

        /// A ground of any name.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// A watcher reported the transition into the condition: ``ForgottenSockets/note(_:)``.
        public static let transition = Ground(rawValue: "transition")
        /// An earlier search found it so; the first that does knows no age yet.
        public static let search = Ground(rawValue: "search")
        /// A segment that has to have come or gone before: `tcpi_last_ack_recv` in CLOSE_WAIT and FIN_WAIT_2, where the
        /// transition itself came with an ACK; `tcpi_last_data_sent` of a connection that nobody has accepted, where it is
        /// the time of the handshake.
        public static let segment = Ground(rawValue: "segment")

        /// The name.
        public var description: String { rawValue }
    }

    /// The time, or the least that it can be.
    public var duration: Duration
    /// What it is known by.
    public var ground: Ground
    /// Whether it is the time itself, and not only the least.
    public var isExact: Bool

    /// An age.
    public init(_ duration: Duration, by ground: Ground, isExact: Bool = false) {
        (self.duration, self.ground, self.isExact) = (duration, ground, isExact)
    }
}

extension SocketAge: CustomStringConvertible {
    /// `for 2.3 s`, `for at least 12 min`, `for an unknown time`
    public var description: String {
        guard duration > .zero || isExact else { return "for an unknown time" }
        return isExact ? "for \(duration.inWords)" : "for at least \(duration.inWords)"
    }
}

extension Duration {
    /// `12 ms`, `2.3 s`, `12 min`, `3 h`, `4 d`: rounded down.
    package var inWords: String {
        let (seconds, attoseconds) = components
        let milliseconds = attoseconds / 1_000_000_000_000_000
        switch seconds {
        case 0: return "\(milliseconds) ms"
        case ..<120: return "\(seconds).\(milliseconds / 100) s"
        case ..<7200: return "\(seconds / 60) min"
        case ..<172_800: return "\(seconds / 3600) h"
        default: return "\(seconds / 86_400) d"
        }
    }
}
