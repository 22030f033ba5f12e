internal import SockDiag
internal import SocketOwners
internal import TCPDiagnosis
internal import TCPRecords
internal import TCPWatch
internal import TableWalk

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
        let clock = head.string + (last != nil ? "  " : "")
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
            prose.entry("where", name.string)
        }
        if let owners = finding.owners, !owners.isEmpty {
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

    /// The `finding` records.
    var records: [Record.Content] {
        entries.map { entry in
            .finding(FindingRecord(entry.finding, at: time, namespace: entry.namespace, command: \.command))
        }
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
        prose.entry("read by", Self.reading)
        prose.space()
    }

    /// How many sockets are read, which is tried; it decides how long that takes, and not what is seen.
    private static var reading: String {
        let access = WalkAccess()
        _ = access.walker(for: .counts)
        if let refusal = access.refusal { return "dumps: \(refusal)." }
        return "a walk of the kernel's table where there are \(WalkAccess.worthwhile) sockets or more, else a dump."
    }

    /// The `access` records.
    var records: [Record.Content] {
        map { .access(AccessRecord($0.name, isAvailable: $0.shortfall == nil, shortfall: $0.shortfall)) }
    }
}
