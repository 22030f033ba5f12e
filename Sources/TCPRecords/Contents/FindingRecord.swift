public import SockDiag
public import TCPDiagnosis

/// Something that is wrong with the TCP of a machine: the record `finding`.
public struct FindingRecord: Hashable, Sendable {
    /// Something measured that the finding rests on.
    public struct Evidence: Hashable, Sendable {
        /// The name.
        public var name: String
        /// The number.
        public var value: UInt64

        /// Something measured.
        public init(_ name: String, _ value: UInt64) { (self.name, self.value) = (name, value) }
    }

    /// What helps.
    public struct Remedy: Hashable, Sendable {
        /// What it does.
        public var effect: String
        /// What to type into a shell; nil where it is nothing to type.
        public var command: String?
        /// What it costs; nil where it costs nothing.
        public var price: String?

        /// What helps.
        public init(_ effect: String, command: String? = nil, price: String? = nil) {
            (self.effect, self.command, self.price) = (effect, command, price)
        }
    }

    /// When it was found.
    public var time: EventTime
    /// What kind of thing is wrong (`finding`).
    public var kind: Finding.Kind
    /// What is wrong, in one line of plain words.
    public var title: String
    /// The listener that it is about.
    public var local: SocketEndpoint?
    /// The destination that it is about; port 0 where it is about all of them.
    public var remote: SocketEndpoint?
    /// The processes whose sockets it is about, a few of many; empty where nobody is known.
    public var owners: [SocketOwner]
    /// How it is known.
    public var evidence: [Evidence]
    /// What it means.
    public var meaning: String
    /// What helps, the best first.
    public var remedies: [Remedy]
    /// Where it was found; nil where no namespace was named, and where it was read (``Record/Names/namespace``).
    public var namespace: NetworkNamespace?

    /// A finding.
    public init(
        _ kind: Finding.Kind,
        at time: EventTime,
        title: String,
        local: SocketEndpoint? = nil,
        remote: SocketEndpoint? = nil,
        owners: [SocketOwner] = [],
        evidence: [Evidence] = [],
        meaning: String = "",
        remedies: [Remedy] = [],
        namespace: NetworkNamespace? = nil
    ) {
        (self.kind, self.time, self.title, self.local, self.remote) = (kind, time, title, local, remote)
        (self.owners, self.evidence, self.meaning, self.remedies) = (owners, evidence, meaning, remedies)
        self.namespace = namespace
    }

    /// A finding of an examination.
    ///
    /// - Parameters:
    ///   - finding: What was found.
    ///   - time: When it was found.
    ///   - namespace: Where it was found.
    ///   - command: Returns what to type for a remedy that is a list of sockets to look at.
    public init(
        _ finding: Finding,
        at time: EventTime,
        namespace: NetworkNamespace? = nil,
        command: (SocketView) -> String? = { _ in nil }
    ) {
        self.init(
            finding.kind,
            at: time,
            title: finding.title,
            local: finding.local,
            remote: finding.remote,
            owners: finding.owners ?? [],
            evidence: finding.evidence.map { Evidence($0.name, UInt64(clamping: $0.value)) },
            meaning: finding.meaning,
            remedies: finding.remedies.map {
                Remedy($0.effect, command: $0.command ?? $0.view.flatMap(command), price: $0.price)
            },
            namespace: namespace
        )
    }
}
