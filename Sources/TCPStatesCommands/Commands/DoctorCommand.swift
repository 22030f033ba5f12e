internal import ArgumentParser
internal import LinuxLibC
internal import SockDiag
internal import TCPDiagnosis
internal import TCPRecords
internal import TCPWatch

/// `tcpstates doctor`
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "What is wrong with TCP here, whose it is, and what helps.",
        usage: "tcpstates doctor [<options>]",
        discussion: """
            First what can be seen from here, and what not, with the remedy (-H leaves that out). Then it takes two \
            snapshots of all sockets, a second apart, and says what is wrong: SYN floods, programs that do not accept, \
            close or read, ports that run out, destinations that do not answer, peers that are gone, retransmissions, \
            limits of the kernel that are reached. Each finding names the listener or destination, the process, what to type, and what that \
            costs. It changes no setting.

            The exit status is 0 where nothing was found, and 2 where something was.

            THRESHOLDS (--threshold NAME=VALUE)
              half-open=80            half-open requests, % of a listener's queue
              half-open-count=256     half-open requests that stay, of one listener
              cookies=50              SYN cookies a second that never come back
              accept-queue=80         connections not accepted, % of the queue
              drops=1                 SYNs and ACKs a second that a listener drops
              close-wait=10           connections in CLOSE_WAIT, of one process,
              close-wait-age=60s      and silent for so long
              ports=80                ports to one destination, or of one source
                                      address, % of those there are
              fin-wait-2=1000         connections in FIN_WAIT_2
              orphans=50              orphans, % of tcp_max_orphans
              unanswered=3            SYNs sent again, to one destination
              retransmissions=5       segments sent again, % of all,
              retransmission-rate=50  and so many a second
              zero-window=3           closed windows, of one process or peer
              unacknowledged=3        connections to one peer that acknowledges nothing,
              unacknowledged-age=5s   for so long
              idle=10                 connections of one process without keepalive,
              idle-age=               and silent for so long: 6h; off by default
              memory=90               TCP memory, % of where pressure begins
              conntrack=80            connections the firewall follows, % of its table

            EXAMPLES
              tcpstates doctor                             one examination
              tcpstates doctor --watch                     again and again, until Ctrl-C
              tcpstates doctor --all-netns                 containers too
              tcpstates doctor --threshold close-wait=1    also what is small
              tcpstates doctor -H --json | jq -r .title    an object a line, for programs
            """
    )

    @OptionGroup(title: "How to examine") var examination: ExaminationOptions
    @OptionGroup(title: "Network namespaces") var namespaces: NamespaceOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        let output = try self.output.open()
        let showsHeader = !self.output.noHeader
        let details: SocketDetails = namespaces.isGiven ? .namespace : []
        let found =
            switch self.output.chosenFormat {
            case .table:
                try examine(ProseReporter(output, self.output), showsHeader)
            case .jsonl:
                try examine(RecordReporter(JSONLinesEncoder(details: details), output), showsHeader)
            case .csv:
                // Records of two kinds have no common columns.
                try examine(
                    RecordReporter(CSVEncoder(.findings, details: details, writesHeader: showsHeader), output),
                    false
                )
            }
        if found { throw ExitCode(2) }
    }

    /// Examines once, or until a signal stops it; whether anything was found.
    private func examine(_ reporter: consuming some DoctorReporter & ~Copyable, _ showsAccess: Bool) throws -> Bool {
        let bell = try Bell()
        if examination.watch { StopSignal.ring(bell) }
        if showsAccess { reporter.report(Access.all()) }
        var rounds = try DoctorRounds(namespaces, examination.thresholds)
        var (hasExamined, found) = (false, false)
        var round = 1
        while wait(for: round == 1 ? examination.window.duration : examination.interval.duration, bell) {
            let report = try rounds.examine()
            hasExamined = true
            if !report.entries.isEmpty { found = true }
            try reporter.report(report)
            guard examination.watch, round < examination.count ?? .max else { break }
            round += 1
        }
        try reporter.finish()
        guard hasExamined else { throw CommandFailure("stopped before the first examination was done") }
        return found
    }

    /// Waits; false where a signal has come.
    private func wait(for duration: Duration, _ bell: Bell) -> Bool {
        var waited = pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0)
        let end = EventTime.now().monotonicNanoseconds.later(by: duration)
        while !StopSignal.hasCome {
            let now = EventTime.now().monotonicNanoseconds
            guard now < end else { return true }
            _ = poll(&waited, 1, Int32(pollingFor: end - now))
        }
        return false
    }
}
