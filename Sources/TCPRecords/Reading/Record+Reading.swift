internal import SockDiag
internal import TCPDiagnosis
internal import TCPWatch

extension Record {
    /// Reads a line of JSON Lines. Fields that this version does not know are ignored, and so is the line's end.
    ///
    /// - Throws: ``RecordError`` where it is no JSON, no record, or of another schema, or where a field that is known has a
    ///   value that it cannot have.
    public init(jsonLine: some StringProtocol) throws(RecordError) { try self.init(jsonLine: jsonLine.utf8) }

    /// Reads a line of JSON Lines, UTF-8. Fields that this version does not know are ignored, and so is the line's end.
    ///
    /// - Throws: ``RecordError`` where it is no JSON, no record, or of another schema, or where a field that is known has a
    ///   value that it cannot have.
    public init(jsonLine: some Collection<UInt8>) throws(RecordError) { try self.init(JSONValue(jsonLine)) }

    /// Reads an object.
    init(_ value: JSONValue) throws(RecordError) {
        guard let fields = RecordFields(value) else { throw RecordError(at: value.offset, "a record is an object") }
        let schema: UInt64 = try fields.required("schema", try fields.number("schema"))
        guard schema == recordSchema else {
            throw fields.error("schema", isNo: "schema that is known: \(recordSchema)")
        }
        let type = try fields.required("type", try fields.text("type"))
        names = try Names(fields)
        content = try fields.content(of: type)
        // There it is a key's, and no number's name.
        if case .summary = content { names.interface = nil }
    }
}

extension Record.Names {
    fileprivate init(_ fields: RecordFields) throws(RecordError) {
        (interface, cgroup) = (try fields.text("interface"), try fields.text("cgroup"))
        namespace = try fields.text("netns")
        (localHost, localService) = (try fields.text("local_name"), try fields.text("local_service"))
        let peer = try fields.text("peer_name")
        remoteHost = try fields.text("remote_name") ?? peer
        remoteService = try fields.text("remote_service")
    }
}

extension RecordFields {
    fileprivate func content(of type: String) throws(RecordError) -> Record.Content {
        switch type {
        case "socket" where self["family"]?.text == "unix": .unixSocket(try unixSocket())
        case "socket": try watchedSocket().map { .socket($0) } ?? .unknown(type: type)
        case "ready": .ready
        case "transition": .transition(try transition())
        case "retransmission": try retransmission().map { .retransmission($0) } ?? .unknown(type: type)
        case "gap": .gap(try gap())
        case "connection": .connection(try connection())
        case "leak": try leak().map { .leak($0) } ?? .unknown(type: type)
        case "summary": .summary(try summary())
        case "run": .run(try run())
        case "finding": .finding(try finding())
        case "access": .access(try access())
        default: .unknown(type: type)
        }
    }

    private func transition() throws(RecordError) -> Transition {
        var transition = Transition(
            try identity(),
            from: try state("from"),
            to: try required("to", try state("to")),
            via: try states("via"),
            certainty: try required(
                "certainty",
                try value("certainty", "certainty that is known", Transition.Certainty.init)
            ),
            source: try required("source", try value("source", "source that is known", Transition.Source.init)),
            time: try required("time", try time())
        )
        transition.incarnation = try count("incarnation")
        // A cause that this version does not know is not known.
        transition.cause = try text("cause").flatMap { word in TCPStep.Trigger.allCases.first { $0.word == word } }
        transition.resetReason = try text("reset_reason").map(ResetReason.init)
        transition.pid = try number("pid")
        transition.pidNamespace = try number("pid_namespace")
        transition.processName = try object("by")?.text("name").map { ProcessName($0) }
        transition.undecided = try words("undecided") ?? []
        transition.openedBy = try openedBy()
        transition.timeInState = try duration("in_state_ns")
        transition.timeOpen = try duration("open_ns")
        (transition.uid, transition.inode) = (try number("uid"), try number("inode"))
        transition.owners = try owners()
        if let final = try object("final") { transition.final = try final.counters() }
        return transition
    }

    /// Nil where it is of a kind that this version does not know.
    private func retransmission() throws(RecordError) -> Retransmission? {
        guard let kind = Retransmission.Kind(rawValue: try required("kind", try text("kind"))) else { return nil }
        var retransmission = Retransmission(
            try identity(),
            in: try required("state", try state("state")),
            kind,
            time: try required("time", try time())
        )
        retransmission.uid = try number("uid")
        retransmission.owners = try owners()
        return retransmission
    }

    private func gap() throws(RecordError) -> Gap {
        let source = try required("source", try value("source", "source that is known", Gap.Source.init))
        var gap = Gap(source: source, reason: try text("reason") ?? "", lost: try number("lost"))
        gap.time = try time()
        return gap
    }

    private func connection() throws(RecordError) -> ConnectionRecord {
        ConnectionRecord(
            try identity(),
            state: try required("state", try state("state")),
            owners: try owners(),
            final: try object("final")?.counters() ?? FinalCounters(),
            openedBy: try openedBy(),
            isAttributed: try flag("attributed") ?? true,
            isOpenAtExit: try flag("open_at_exit") ?? false
        )
    }

    private func leak() throws(RecordError) -> LeakRecord? {
        guard let socket = try watchedSocket() else { return nil }
        let candidates = try words("candidates") ?? []
        return LeakRecord(
            socket,
            reason: try text("reason") ?? "",
            age: try duration("age_ns"),
            tests: try text("test").map { [$0] } ?? candidates,
            history: try states("history"),
            openedBy: try openedBy(),
            isOpenAtExit: try flag("open_at_exit") ?? false
        )
    }

    private func summary() throws(RecordError) -> SummaryRecord {
        var keys: [SummaryRecord.Key] = []
        for member in members {
            if let key = SummaryRecord.Key(rawValue: member.name), !keys.contains(key) { keys.append(key) }
        }
        var summary = SummaryRecord(by: keys, count: try required("count", try number("count")))
        (summary.state, summary.localPort) = (try state("state"), try number("local_port"))
        (summary.peer, summary.process) = (try address("peer"), try text("process"))
        (summary.uid, summary.namespace) = (try number("uid"), try text("netns"))
        summary.interface = try text("interface")
        summary.peak = try number("peak")
        return summary
    }

    private func run() throws(RecordError) -> RunRecord {
        RunRecord(
            command: try words("command") ?? [],
            status: try number("status"),
            signal: try number("signal"),
            duration: try duration("duration_ns") ?? .zero,
            connectionsMade: try count("connections_made"),
            connectionsAccepted: try count("connections_accepted"),
            connectionsUnattributed: try count("connections_untold"),
            peak: try count("peak"),
            leaks: try count("leaks")
        )
    }

    private func finding() throws(RecordError) -> FindingRecord {
        var remedies: [FindingRecord.Remedy] = []
        // In CSV their parts cannot be told from each other.
        for remedy in self["remedies"]?.text == nil ? try objects("remedies") : [] {
            remedies.append(
                FindingRecord.Remedy(
                    try remedy.text("effect") ?? "",
                    command: try remedy.text("command"),
                    price: try remedy.text("price")
                )
            )
        }
        return FindingRecord(
            Finding.Kind(rawValue: try required("finding", try text("finding"))),
            at: try required("time", try time()),
            title: try text("title") ?? "",
            local: try endpoint("local"),
            remote: try endpoint("remote"),
            owners: try owners(),
            evidence: try evidence(),
            meaning: try text("meaning") ?? "",
            remedies: remedies
        )
    }

    private func endpoint(_ side: String) throws(RecordError) -> SocketEndpoint? {
        guard let address = try address("\(side)_address") else { return nil }
        return SocketEndpoint(address, port: try count("\(side)_port"))
    }

    /// Numbers by name; in CSV `used=28200 range=28232`.
    private func evidence() throws(RecordError) -> [FindingRecord.Evidence] {
        var evidence: [FindingRecord.Evidence] = []
        if self["evidence"]?.text != nil {
            for word in try words("evidence") ?? [] {
                let parts = word.split(separator: "=", maxSplits: 1)
                guard parts.count == 2, let number = UInt64(parts[1]) else {
                    throw error("evidence", isNo: "list of numbers by name")
                }
                evidence.append(FindingRecord.Evidence(String(parts[0]), number))
            }
        } else if let fields = try object("evidence") {
            for member in fields.members {
                evidence.append(FindingRecord.Evidence(member.name, try fields.count(member.name)))
            }
        }
        return evidence
    }

    private func access() throws(RecordError) -> AccessRecord {
        AccessRecord(
            try required("what", try text("what")),
            isAvailable: try required("available", try flag("available")),
            shortfall: try text("shortfall")
        )
    }

    private func openedBy() throws(RecordError) -> OpeningSide {
        switch try text("opened_by") {
        case "active": .active
        case "passive": .passive
        default: .unknown
        }
    }

    private func counters() throws(RecordError) -> FinalCounters {
        var counters = FinalCounters()
        (counters.bytesSent, counters.bytesReceived) = (try number("bytes_sent"), try number("bytes_received"))
        (counters.segmentsOut, counters.segmentsIn) = (try number("segments_out"), try number("segments_in"))
        (counters.retransmits, counters.rttMicroseconds) = (try number("retransmits"), try number("rtt_us"))
        counters.duration = try duration("duration_ns")
        return counters
    }
}
