internal import ArgumentParser
internal import SockDiag
internal import TCPRecords

/// `tcpstates list`
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "The sockets that exist now: TCP, UDP, MPTCP, UNIX.",
        usage: "tcpstates [list] [<options>] [<filter>…]",
        discussion: """
            A line for each socket, in the kernel's order: listeners, bound sockets, then connections. RECV-Q and \
            SEND-Q are bytes; for a listener, the length and the limit of its accept queue. No privilege is needed.

            STATES
              LISTEN SYN_SENT SYN_RCVD ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 CLOSE_WAIT
              CLOSING LAST_ACK TIME_WAIT CLOSED BOUND
              in any case, with - or _, and as ss and netstat spell them; and the groups
              all connected synchronized bucket big fin-wait closing-states
              UDP has ESTABLISHED and UNCONN, UNIX has LISTEN, ESTABLISHED and UNCONN

            FILTERS
              state S, exclude S, src and dst HOST[/LEN][:PORT], autobound, and compared by = != < > <= >=:
              sport, dport, dev, fwmark, cgroup, pid, process, uid, inode, cookie, netns, recvq, sendq, rtt, retrans;
              joined by and, or, not, && || ! ( )

            EXAMPLES
              tcpstates                                 every socket
              tcpstates -4 --state listen               IPv4 servers
              tcpstates --state close-wait -e           what a program forgot to close
              tcpstates --state estab -io               round trips, windows, timers
              tcpstates -p dport = :5432                who talks to the database
              tcpstates "rtt > 50ms and retrans > 0"    connections on a bad path
              tcpstates -tulpn                          servers of TCP and UDP, and whose
              tcpstates -xp                             UNIX sockets, their peers, whose
              tcpstates --all-netns --state listen      servers in containers too
              tcpstates --json -i | jq .tcp_info.rtt    an object a line, for programs
              tcpstates --format csv --output now.csv   for spreadsheets
            """
    )

    @OptionGroup(title: "Which sockets") var families: FamilyOptions
    @OptionGroup(title: "Which sockets") var selection: SelectionOptions
    @OptionGroup(title: "Network namespaces") var namespaces: NamespaceOptions
    @OptionGroup(title: "What of them") var details: DetailOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup var filter: FilterArguments
    @OptionGroup var habits: HabitualOptions

    func run() throws {
        var details = self.details.details.union(families.details)
        if namespaces.isGiven { details.insert(.namespace) }
        let source = try SocketSource(selection, namespaces, filter, families, details: details)
        var names = SocketNames(resolvesHosts: output.resolve)
        names.owners = source.owners
        let output = try self.output.open()
        switch self.output.chosenFormat {
        case .table:
            let renderer = SocketTable(
                details: details,
                states: selection.selectedStates(families),
                names: names,
                terminal: Terminal(descriptor: output.descriptor, color: self.output.color),
                showsHeader: !self.output.noHeader,
                isOneLine: self.details.isOneLine
            )
            try source.write(with: renderer, to: output)
        case .jsonl:
            let renderer = SocketRecordRenderer(names: names) { names, _ in
                JSONLinesEncoder(details: details, names: names)
            }
            try source.write(with: renderer, to: output)
        case .csv:
            let showsHeader = !self.output.noHeader
            let renderer = SocketRecordRenderer(names: names) { names, isFirst in
                CSVEncoder(.sockets, details: details, names: names, writesHeader: showsHeader && isFirst)
            }
            try source.write(with: renderer, to: output)
        }
    }
}
