internal import SockDiag
internal import SocketOwners
internal import TCPDiagnosis
internal import TCPWatch

/// The findings of one examination.
struct DoctorReport {
    /// A finding and where it was made.
    struct Entry {
        let finding: Finding
        /// Nil where no namespace was asked for.
        let namespace: NetworkNamespace?
        /// Why no owner is named; nil where one is, or where none is to be expected.
        let hiddenOwner: String?

        /// What stays the same from one examination to the next.
        struct Key: Hashable {
            let kind: Finding.Kind
            let namespace: NetworkNamespace?
            let local, remote: SocketEndpoint?
            let pid: Int32?
        }

        var key: Key {
            Key(
                kind: finding.kind,
                namespace: namespace,
                local: finding.local,
                remote: finding.remote,
                pid: finding.owners?.first?.pid
            )
        }
    }

    let entries: [Entry]
    let time: EventTime
}

extension DoctorReport {
    /// Writes what is new in full, what goes on as a line, and what is over.
    func append(since last: DoctorReport?, _ names: inout SocketNames, resolves: Bool, to prose: inout Prose) {
        let known = Set(last?.entries.map(\.key) ?? [])
        let count = entries.count
        var head = TextBuffer()
        if last != nil { head.append(wallClock: time.realtimeNanoseconds) }
        let clock = head.withBytes { String(decoding: $0, as: UTF8.self) } + (last != nil ? "  " : "")
        if entries.isEmpty {
            prose.heading("\(clock)Nothing is wrong.", StateColor.of(.established))
        } else {
            prose.heading("\(clock)\(count) finding\(count == 1 ? "" : "s"):", StateColor.of(.closeWait))
        }
        if count > 1, last == nil {
            for (number, entry) in entries.enumerated() {
                prose.entry("\(number + 1)", entry.finding.title)
                if let command = entry.finding.remedies.first?.commandLine { prose.command("", command) }
            }
        }
        for (number, entry) in entries.enumerated() {
            guard !known.contains(entry.key) else {
                prose.entry("still", entry.finding.title)
                continue
            }
            prose.space()
            append(entry, number + 1, &names, resolves, to: &prose)
        }
        let current = Set(entries.map(\.key))
        for entry in last?.entries ?? [] where !current.contains(entry.key) { prose.entry("over", entry.finding.title) }
    }

    private func append(
        _ entry: Entry,
        _ number: Int,
        _ names: inout SocketNames,
        _ resolves: Bool,
        to prose: inout Prose
    ) {
        let finding = entry.finding
        prose.heading("\(number). \(finding.title)")
        if let namespace = entry.namespace { prose.entry("in", "network namespace \(namespace.label)") }
        if resolves, let endpoint = finding.local ?? finding.remote {
            var name = TextBuffer()
            names.namespace = entry.namespace
            names.append(endpoint, interface: endpoint.scope, to: &name)
            prose.entry("where", name.withBytes { String(decoding: $0, as: UTF8.self) })
        }
        if let owners = finding.owners.flatMap(\.nonEmpty) {
            prose.entry("whose", owners.map { "\($0.name) (process \($0.pid))" }.joined(separator: ", "))
        } else if finding.owners != nil, let hidden = entry.hiddenOwner {
            prose.entry("whose", hidden)
        }
        for (index, remedy) in finding.remedies.enumerated() {
            prose.entry(index == 0 ? "do" : "or", remedy.effect)
            if let command = remedy.commandLine { prose.command("", command) }
            if let price = remedy.price { prose.entry("", "Price: \(price)") }
        }
        prose.entry("means", finding.meaning)
        prose.entry("seen", finding.evidence.map(\.text).filter { !$0.isEmpty }.joined(separator: "; ") + ".")
    }

    /// Writes the `finding` records.
    func append(withNamespace: Bool, to writer: inout some RecordWriter & ~Copyable) {
        for entry in entries { Self.describe(entry, time, withNamespace, to: &writer) }
    }

    /// Passes the record to the writer; nil where only its names are wanted.
    static func describe(
        _ entry: Entry?,
        _ time: EventTime,
        _ withNamespace: Bool,
        to writer: inout some RecordWriter & ~Copyable
    ) {
        let finding = entry?.finding
        writer.begin("finding")
        writer.add("time", .time(time.realtimeNanoseconds))
        writer.add("monotonic_ns", .large(time.monotonicNanoseconds))
        writer.add("finding", finding.map { .text($0.kind.rawValue) })
        writer.add("title", finding.map { .text($0.title) })
        writer.add("local_address", finding?.local.map { .address($0.address) })
        writer.add("local_port", finding?.local.map { .number($0.port) })
        writer.add("remote_address", finding?.remote.map { .address($0.address) })
        writer.add("remote_port", finding?.remote.flatMap { $0.port == 0 ? nil : .number($0.port) })
        writer.add("processes", finding?.owners.flatMap(\.nonEmpty).map { .owners($0) })
        let evidence = finding?.evidence.map { (name: $0.name, value: UInt64(clamping: $0.value)) }
        writer.add("evidence", evidence.map { .numbers($0) })
        writer.add("meaning", finding.map { .text($0.meaning) })
        writer.add("remedies", finding.map { .list($0.remedies.map(\.fields)) })
        if withNamespace { writer.add("netns", entry?.namespace.map { .text($0.label) }) }
        writer.end()
    }
}

extension Finding.Remedy {
    /// An object of a record.
    fileprivate var fields: FieldValue {
        var fields: [(name: StaticString, value: FieldValue)] = [("effect", .text(effect))]
        if let command = commandLine { fields.append(("command", .text(command))) }
        if let price { fields.append(("price", .text(price))) }
        return .fields(fields)
    }
}

extension [Access] {
    /// Writes in a line what is seen, and in one each what is not.
    func append(to prose: inout Prose) {
        let seen = filter { $0.shortfall == nil }.map(\.what)
        prose.entry("seen here", seen.isEmpty ? "nothing" : seen.joined(separator: ", ") + ".")
        for access in self {
            if let shortfall = access.shortfall { prose.entry("not seen", "\(access.what): \(shortfall).") }
        }
        prose.space()
    }

    /// Writes the `access` records.
    func append(to writer: inout some RecordWriter & ~Copyable) {
        for access in self {
            writer.begin("access")
            writer.add("what", .text(access.name))
            writer.add("available", .flag(access.shortfall == nil))
            writer.add("shortfall", access.shortfall.map { .text($0) })
            writer.end()
        }
    }
}
