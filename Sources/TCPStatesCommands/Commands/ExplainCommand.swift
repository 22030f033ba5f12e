internal import ArgumentParser
internal import SockDiag
internal import TCPDiagnosis
internal import TCPRecords
internal import TCPWatch

/// `tcpstates explain`
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "What a state means, who is stuck in it, and what to do.",
        usage: "tcpstates explain [<options>] [<state> [<to>] | handshake | close]",
        discussion: """
            Of a state: who is in it and whom it waits for, what leads in and out, how long it lasts with this \
            machine's settings, and what many of them mean. Of two states: what leads from one to the other. Without an \
            argument: the state diagram of RFC 9293, with how many sockets are in each state now.

            "explain handshake" and "explain close" walk through the opening and the closing, segment by segment; with \
            --live they do it, with a client and a server on loopback, and show the transitions as they are watched.

            EXAMPLES
              tcpstates explain                          the whole diagram
              tcpstates explain close-wait               who forgot to close
              tcpstates explain syn-sent established     the step between them
              tcpstates explain handshake --live         for real, on loopback
              tcpstates explain --format svg > tcp.svg   a picture; needs Graphviz
            """
    )

    /// How the explanation is written.
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case text, dot, mermaid, svg
    }

    @Option(help: ArgumentHelp("How it is written.", valueName: "format"))
    var format = Format.text

    @Flag(help: "Do it for real on loopback (handshake, close).")
    var live = false

    @Option(
        name: .customLong("netns"),
        help: ArgumentHelp("Counts and settings of this network namespace.", valueName: "name|pid|path"),
        completion: .directory
    )
    var netns: String?

    @Option(help: ArgumentHelp("Whether states are coloured; auto heeds NO_COLOR.", valueName: "when"))
    var color = ColorChoice.auto

    @Option(help: ArgumentHelp("Write to a file, made or emptied.", valueName: "file"), completion: .file())
    var output: String?

    @Argument(
        help: ArgumentHelp("A state, or two; handshake; close.", valueName: "what"),
        completion: .list(TCPState.allCases.map { $0.description.lowercased() } + Topic.Walks.allCases.map(\.rawValue))
    )
    var words: [String] = []

    func run() throws {
        let topic = try Topic(words)
        if live, topic.walk == nil { throw ValidationError("--live goes with explain handshake and explain close") }
        if live, format != .text { throw ValidationError("--live contradicts --format \(format.rawValue)") }
        if live, netns != nil { throw ValidationError("--live is on this namespace's loopback; leave out --netns") }
        if topic.walk != nil, format == .dot || format == .svg {
            throw ValidationError("a walk is no graph: use --format mermaid instead of \(format.rawValue)")
        }
        let namespace = try netns.map { try NetworkNamespace($0) } ?? .current
        var output = try self.output.map { try Output(path: $0) } ?? Output()
        let terminal = Terminal(descriptor: output.descriptor, color: color)
        if live {
            try runLive(closes: topic.walk == .close, terminal, to: &output)
        } else if format == .text {
            var prose = Prose(terminal)
            try topic.explain(in: namespace, hasColor: terminal.hasColor, to: &prose)
            output.flush(&prose.text)
        } else {
            try draw(topic, in: namespace, to: &output)
        }
        try output.close()
    }

    private func draw(_ topic: Topic, in namespace: NetworkNamespace, to output: inout Output) throws {
        var text = TextBuffer()
        if let walk = topic.walk {
            walk.text(KernelSettings.none).appendMermaid(to: &text)
        } else if format == .mermaid {
            DiagramSource.appendMermaid(topic.counts(in: namespace), marking: topic.states, to: &text)
        } else {
            DiagramSource.appendDOT(topic.counts(in: namespace), marking: topic.states, to: &text)
            if format == .svg { text = try Graphviz.drawSVG(text) }
        }
        output.flush(&text)
    }

    private func runLive(closes: Bool, _ terminal: Terminal, to output: inout Output) throws {
        var table = EventTable(names: SocketNames(resolvesHosts: false), terminal: terminal, showsHeader: true)
        let connection = try LiveConnection()
        table.begin()
        table.flush(to: &output)
        try connection.open(&table, to: &output)
        if closes { try connection.close(&table, to: &output) }
        guard closes else { return }
        var end = TextBuffer()
        end.append("  the client's TIME_WAIT ends in 60 s: tcpstates --state time-wait\n")
        output.flush(&end)
    }
}
