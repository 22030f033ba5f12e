public import SockDiag
public import TCPWatch

/// One record of the schema: what happened or was seen, as values, and what a record has of it as text alone.
///
/// ```swift
/// let record = try Record(jsonLine: line)
/// if case .transition(let transition) = record.content { print(transition.to, record.names.namespace ?? "") }
/// ```
///
/// What an encoder writes of a record, a decoder reads again as an equal value, as far as ``Names`` and the content's
/// own documentation do not say otherwise.
public struct Record: Hashable, Sendable {
    /// What a record is about. More may come.
    @nonexhaustive
    public enum Content: Hashable, Sendable {
        /// A socket: a row of a dump, or one that existed when watching began.
        ///
        /// A socket that was read is put together as the kernel would describe it, from the fields that the record has:
        /// every accessor of ``/SockDiag/SocketFields`` works, and filters find it. Nil is what was not written.
        case socket(WatchedSocket)
        /// A UNIX socket, as a row of a dump.
        case unixSocket(UnixSocketRecord)
        /// All sockets that existed are written; what follows happened since.
        case ready
        /// A transition of a connection or a listener.
        case transition(Transition)
        /// A segment that was sent again.
        case retransmission(Retransmission)
        /// Something was lost.
        case gap(Gap)
        /// What a connection of a command came to.
        case connection(ConnectionRecord)
        /// A socket that was left open.
        case leak(LeakRecord)
        /// A count of sockets.
        case summary(SummaryRecord)
        /// What a command's sockets did in all.
        case run(RunRecord)
        /// Something that is wrong with a machine.
        case finding(FindingRecord)
        /// Something that can be seen, or cannot.
        case access(AccessRecord)
        /// A record of a type that this version does not know. It cannot be written again.
        case unknown(type: String)
    }

    /// What a record calls by a name, where the values have a number or a handle of the machine that it was written on.
    ///
    /// A value that was read has no number for these: its interface is nil but for `if<n>`, and its namespace is nil. An
    /// encoder writes a name that is set here, and else asks its ``RecordNames``.
    public struct Names: Hashable, Sendable {
        /// The interface (`interface`).
        public var interface: String?
        /// The path of the control group (`cgroup`).
        public var cgroup: String?
        /// The label of the network namespace (`netns`).
        public var namespace: String?
        /// The name of the local host (`local_name`).
        public var localHost: String?
        /// The name of the local port's service (`local_service`).
        public var localService: String?
        /// The name of the remote host (`remote_name`).
        public var remoteHost: String?
        /// The name of the remote port's service (`remote_service`).
        public var remoteService: String?

        /// No names.
        public init() {}
    }

    /// What it is about.
    public var content: Content
    /// What it calls by a name.
    public var names: Names

    /// A record.
    public init(_ content: Content, names: Names = Names()) { (self.content, self.names) = (content, names) }
}

extension Record {
    /// The record of an event.
    public init(event: SocketEvent) {
        let content: Content =
            switch event {
            case .socket(let socket): .socket(socket)
            case .ready: .ready
            case .transition(let transition): .transition(transition)
            case .retransmission(let retransmission): .retransmission(retransmission)
            case .gap(let gap): .gap(gap)
            case .slowed(let interval, at: let time): .gap(Gap(slowedTo: interval, at: time))
            }
        self.init(content)
    }

    /// The name of its type, as the field `type` has it.
    public var type: String {
        switch content {
        case .socket, .unixSocket: "socket"
        case .ready: "ready"
        case .transition: "transition"
        case .retransmission: "retransmission"
        case .gap: "gap"
        case .connection: "connection"
        case .leak: "leak"
        case .summary: "summary"
        case .run: "run"
        case .finding: "finding"
        case .access: "access"
        case .unknown(let type): type
        }
    }
}

extension Gap {
    /// What it means that the machine cannot keep the interval: a gap of ``Source/poll``.
    package init(slowedTo interval: Duration, at time: EventTime) {
        var text = TextBuffer()
        text.append("a poll of all sockets takes longer than the interval; there is one every ")
        text.append(span: interval.nanoseconds)
        self.init(source: .poll, reason: text.string, lost: nil)
        self.time = time
    }
}
