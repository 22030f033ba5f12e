internal import SockDiag
internal import TCPRecords
internal import TCPWatch

/// Reports what the doctor found.
protocol DoctorReporter: ~Copyable {
    /// Reports what can be seen.
    mutating func report(_ access: [Access])
    /// Reports what was found.
    mutating func report(_ report: DoctorReport) throws
    /// Ends it.
    mutating func finish() throws
}

/// Reports to people.
struct ProseReporter: DoctorReporter, ~Copyable {
    private var prose: Prose
    private var output: Output
    private var names: SocketNames
    private let resolves: Bool
    private var last: DoctorReport?

    init(_ output: consuming Output, _ options: OutputOptions) {
        prose = Prose(Terminal(descriptor: output.descriptor, color: options.color))
        names = SocketNames(resolvesHosts: options.resolve)
        resolves = options.resolve
        self.output = output
    }

    mutating func report(_ access: [Access]) {
        access.append(to: &prose)
        output.flush(&prose.text)
    }

    mutating func report(_ report: DoctorReport) throws {
        report.append(since: last, &names, resolves: resolves, to: &prose)
        output.flush(&prose.text)
        last = report
    }

    mutating func finish() throws { try output.close() }
}

/// Reports to programs.
struct RecordReporter<Encoder: BufferedEncoder & ~Copyable>: DoctorReporter, ~Copyable {
    private var encoder: Encoder
    private var output: Output

    init(_ encoder: consuming Encoder, _ output: consuming Output) {
        self.encoder = encoder
        self.output = output
    }

    mutating func report(_ access: [Access]) { append(access.records) }

    mutating func report(_ report: DoctorReport) throws { append(report.records) }

    private mutating func append(_ records: [Record.Content]) {
        for record in records { encoder.append(Record(record)) }
        output.flush(&encoder.text)
    }

    mutating func finish() throws {
        output.flush(&encoder.text)
        try output.close()
    }
}
