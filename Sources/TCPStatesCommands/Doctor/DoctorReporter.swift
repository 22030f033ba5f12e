internal import SockDiag
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
struct RecordReporter<Writer: RecordWriter & ~Copyable>: DoctorReporter, ~Copyable {
    private var writer: Writer
    private var output: Output
    private let withNamespace: Bool

    init(_ writer: consuming Writer, _ output: consuming Output, withNamespace: Bool) {
        self.writer = writer
        self.output = output
        self.withNamespace = withNamespace
        self.writer.writeHeader { DoctorReport.describe(nil, .now(), withNamespace, to: &$0) }
    }

    mutating func report(_ access: [Access]) {
        access.append(to: &writer)
        output.flush(&writer.text)
    }

    mutating func report(_ report: DoctorReport) throws {
        report.append(withNamespace: withNamespace, to: &writer)
        output.flush(&writer.text)
    }

    mutating func finish() throws {
        output.flush(&writer.text)
        try output.close()
    }
}
