public import SockDiag

/// Something that is wrong with the TCP of a machine: what, whose it is, how that is known, and what helps.
public struct Finding: Hashable, Sendable {
    /// What kind of thing is wrong. New ones may come.
    public struct Kind: RawRepresentable, Hashable, Sendable, CaseIterable {
        /// The name, as in records.
        public let rawValue: String

        /// A kind of any name.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// Half-open requests that nobody completes fill a listener's queue, or SYN cookies answer them.
        public static let halfOpenFlood = Kind(rawValue: "half_open_flood")
        /// A program does not call `accept()` fast enough.
        public static let acceptQueueOverflow = Kind(rawValue: "accept_queue_overflow")
        /// A program does not close what its peers have closed.
        public static let closeWait = Kind(rawValue: "close_wait")
        /// A destination takes nearly all ports that `connect()` can choose from.
        public static let portExhaustion = Kind(rawValue: "port_exhaustion")
        /// Programs that bind before they connect take nearly all ports of a source address, for all destinations together.
        public static let sourcePortExhaustion = Kind(rawValue: "source_port_exhaustion")
        /// TIME_WAITs have reached `tcp_max_tw_buckets`.
        public static let timeWaitOverflow = Kind(rawValue: "time_wait_overflow")
        /// Peers do not close what was closed here.
        public static let finWait2 = Kind(rawValue: "fin_wait_2")
        /// Connections that no program holds any more reach their limit.
        public static let orphans = Kind(rawValue: "orphans")
        /// A destination does not answer SYNs.
        public static let unanswered = Kind(rawValue: "unanswered")
        /// Much of what is sent has to be sent again.
        public static let retransmissions = Kind(rawValue: "retransmissions")
        /// A receiver does not read: its window is closed.
        public static let zeroWindow = Kind(rawValue: "zero_window")
        /// A peer has acknowledged nothing for long: it is gone, or the way to it.
        public static let unacknowledged = Kind(rawValue: "unacknowledged")
        /// Nothing has come or gone for long, and no keepalive would notice that the peer is gone.
        public static let idle = Kind(rawValue: "idle")
        /// TCP's memory reaches its limit.
        public static let memoryPressure = Kind(rawValue: "memory_pressure")
        /// The firewall's table of connections is nearly full.
        public static let conntrack = Kind(rawValue: "conntrack")

        /// All that this version looks for.
        public static let allCases: [Kind] = [
            .halfOpenFlood, .acceptQueueOverflow, .closeWait, .portExhaustion, .sourcePortExhaustion, .timeWaitOverflow,
            .finWait2, .orphans, .unanswered, .retransmissions, .zeroWindow, .unacknowledged, .idle, .memoryPressure,
            .conntrack,
        ]
    }

    /// Something measured that the finding rests on.
    public struct Evidence: Hashable, Sendable {
        /// The name, as in records.
        public let name: String
        /// The number.
        public let value: Int
        /// It in words; empty where it says nothing, as a rate of 0.
        public let text: String

        /// Evidence, by a name, a number and words.
        public init(_ name: String, _ value: Int, _ text: String) {
            (self.name, self.value, self.text) = (name, value, text)
        }

        /// A rate: so many of what the words say.
        init(_ name: String, perSecond value: Int, _ words: String) {
            self.init(name, value, value == 0 ? "" : "\(value) \(words)")
        }
    }

    /// What helps.
    public struct Remedy: Hashable, Sendable {
        /// What it does.
        public let effect: String
        /// What to type into a shell; nil where it is nothing to type. Nothing of it was run.
        public let command: String?
        /// The sockets to list; nil where none have to be.
        public let view: SocketView?
        /// What it costs; nil where it costs nothing.
        public let price: String?

        /// A remedy: what it does, then what to type or which sockets to list, and what it costs.
        public init(effect: String, command: String? = nil, view: SocketView? = nil, price: String? = nil) {
            (self.effect, self.command, self.view, self.price) = (effect, command, view, price)
        }

        init(_ effect: String, _ command: String?, price: String? = nil) {
            self.init(effect: effect, command: command, price: price)
        }

        init(_ effect: String, see view: SocketView) {
            self.init(effect: effect, view: view)
        }
    }

    /// What kind of thing is wrong.
    public let kind: Kind
    /// What is wrong, in one line of plain words.
    public let title: String
    /// The listener that it is about; with port 0 the source address.
    public var local: SocketEndpoint?
    /// The destination that it is about; with port 0 all of the address.
    public var remote: SocketEndpoint?
    /// The processes whose sockets it is about, a few of many; empty where nobody is known to hold them, nil where it is
    /// about no process.
    public var owners: [SocketOwner]?
    /// How it is known.
    public let evidence: [Evidence]
    /// What it means for those who use the machine.
    public let meaning: String
    /// What helps, the best first.
    public let remedies: [Remedy]

    /// A finding.
    public init(
        kind: Kind,
        title: String,
        local: SocketEndpoint? = nil,
        remote: SocketEndpoint? = nil,
        owners: [SocketOwner]? = nil,
        evidence: [Evidence],
        meaning: String,
        remedies: [Remedy]
    ) {
        (self.kind, self.title, self.local, self.remote) = (kind, title, local, remote)
        (self.owners, self.evidence, self.meaning, self.remedies) = (owners, evidence, meaning, remedies)
    }
}
