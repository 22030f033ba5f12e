internal import ArgumentParser
internal import SockDiag
internal import TCPRecords
internal import TCPWatch

/// `tcpstates replay`
struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "What watch printed, from its journal: on any machine, without privilege.",
        usage: "tcpstates replay --journal <file> [<options>]",
        discussion: """
            A journal holds all that watch has learned from the kernel, and from it follows all that it has printed. The \
            records are the same, byte for byte, but for names: of hosts, of interfaces, of processes. What a slow reader \
            missed is there too. A journal is read by the version that wrote it alone.

            A journal that was cut short, as where watch was killed, is replayed as far as it goes; a line on standard \
            error then says so, and the exit status is 1.

            EXAMPLES
              tcpstates watch --journal bug.journal           until Ctrl-C
              tcpstates replay --journal bug.journal          the same lines again
              tcpstates replay --journal bug.journal --json   as records, for programs
            """
    )

    @Option(
        help: ArgumentHelp("The journal, made by tcpstates watch --journal.", valueName: "file"),
        completion: .file()
    )
    var journal: String

    @OptionGroup var limit: TransitionLimit

    @Flag(help: "First the sockets that existed, also where watch did not print them.")
    var initial = false

    @Flag(name: .shortAndLong, help: "The processes that held the sockets, where watch ran with -p.")
    var processes = false

    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        let replay = try JournalReplay(
            path: journal,
            version: TCPStates.version,
            reportsExisting: initial ? true : nil
        )
        let header = replay.header
        if processes, !header.resolvesOwners {
            TCPStates.complain("the journal has no processes: watch ran without --processes")
        }
        var details: SocketDetails = processes ? .processes : []
        if header.namesNamespaces { details.insert(.namespace) }
        let output = EventOutput(
            output: output,
            names: SocketNames(elsewhere: output.resolve),
            details: details,
            reportsExisting: initial || header.reportsExisting,
            limit: limit.count
        )
        var replaying = Replaying(replay: replay, complains: self.output.chosenFormat == .table)
        try output.run(&replaying)
    }
}

/// Replays a journal, and writes to a sink what comes.
private struct Replaying: EventOutput.Body, ~Copyable {
    var replay: JournalReplay
    /// Whether it is said on standard error what the journal is.
    let complains: Bool

    mutating func run<Renderer: EventRenderer & ~Copyable>(_ sink: consuming EventSink<Renderer>) throws {
        if complains { TCPStates.complain(replay.header.summary) }
        sink.begin()
        var failure: KernelError?
        do throws(KernelError) {
            while sink.isOpen {
                let events = try replay.next()
                if events.isEmpty || !sink.write(events) { break }
            }
        } catch {
            failure = error
        }
        try sink.close()
        if let failure { throw failure }
        let start = replay.header.start.monotonicNanoseconds
        let end = max(replay.time.monotonicNanoseconds, start)
        var text = TextBuffer()
        sink.tally.append(to: &text, after: .nanoseconds(Int64(clamping: end - start)), sockets: replay.socketCount)
        sink.tally.appendRetransmissions(to: &text, wereAskedFor: false)
        TCPStates.writeToStandardError(text)
    }
}

extension JournalHeader {
    /// A line that says where it was written and from which source.
    fileprivate var summary: String {
        let source = isTracing ? "by the kernel's tracepoints" : "by dumps"
        let reason = refusal.isEmpty ? "" : ", without tracing: \(refusal)"
        let sockets = filter.isEmpty ? "" : ", \(filter) only"
        return "watched on Linux \(kernel) \(source)\(sockets)\(reason)"
    }
}
