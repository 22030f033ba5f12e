internal import SockDiag
internal import TCPDiagnosis

/// The records of `doctor` and `summary`: their fields, names and order.
extension SocketDescription {
    /// Passes the record of a finding; nil where only its names are wanted.
    mutating func describe(_ finding: FindingRecord?, to writer: inout some RecordWriter & ~Copyable) {
        writer.begin("finding")
        describe(finding?.time, to: &writer)
        writer.add("finding", finding.map { .text($0.kind.rawValue) })
        writer.add("title", finding.map { .text($0.title) })
        writer.add("local_address", finding?.local.map { .address($0.address) })
        writer.add("local_port", finding?.local.flatMap { $0.port == 0 ? nil : .number($0.port) })
        writer.add("remote_address", finding?.remote.map { .address($0.address) })
        writer.add("remote_port", finding?.remote.flatMap { $0.port == 0 ? nil : .number($0.port) })
        writer.add("processes", finding?.owners.nonEmpty.map { .owners($0) })
        writer.add("evidence", finding.map { .numbers($0.evidence.map { (name: $0.name, value: $0.value) }) })
        writer.add("meaning", finding.map { .text($0.meaning) })
        writer.add("remedies", finding.map { .list($0.remedies.map(\.fields)) })
        if details.contains(.namespace) { writer.add("netns", label(of: finding?.namespace)) }
        writer.end()
    }

    /// Passes what can be seen, or cannot.
    func describe(_ access: AccessRecord, to writer: inout some RecordWriter & ~Copyable) {
        writer.begin("access")
        writer.add("what", .text(access.what))
        writer.add("available", .flag(access.isAvailable))
        writer.add("shortfall", access.shortfall.map { .text($0) })
        writer.end()
    }
}

extension FindingRecord.Remedy {
    /// An object of a record.
    fileprivate var fields: FieldValue {
        var fields: [(name: StaticString, value: FieldValue)] = [("effect", .text(effect))]
        if let command { fields.append(("command", .text(command))) }
        if let price { fields.append(("price", .text(price))) }
        return .fields(fields)
    }
}
