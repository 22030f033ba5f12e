public import ArgumentParser

/// The `tcpstates` command line.
public struct TCPStates: ParsableCommand {
    /// The version of the command line and of the library behind it.
    public static let version = "0.1.0"

    /// The name, the abstract and the subcommands.
    public static let configuration = CommandConfiguration(
        commandName: "tcpstates",
        abstract: "What every TCP connection on this Linux machine is doing.",
        usage: "tcpstates [<subcommand>] [<options>]",
        discussion: """
            Without a subcommand, it lists: "tcpstates -4" is "tcpstates list -4".

            EXAMPLES
              tcpstates                                 every socket
              tcpstates --state close-wait -e           what a program forgot to close
              tcpstates --state estab -io               round trips, windows, timers
              tcpstates summary                         how many are in each state
              tcpstates summary --by state,local-port   which service is in trouble
              tcpstates watch                           every transition, as it happens
              tcpstates replay --journal FILE           what watch --journal FILE printed
              tcpstates run -- make test                what a command's sockets do
              tcpstates explain close-wait              what a state means, and who is stuck
              tcpstates doctor                          what is wrong, whose it is, and what helps
              tcpstates serve                           metrics for Prometheus, and a page
              tcpstates --json | jq .state              an object a line, for programs

            The exit status is 0, or 64 after wrong usage, or 1 after any other failure; then a line on standard error \
            says what is wrong. Of doctor it is 2 where it found something.
            """,
        version: version,
        subcommands: [
            ListCommand.self, SummaryCommand.self, WatchCommand.self, ReplayCommand.self, RunCommand.self,
            ExplainCommand.self, DoctorCommand.self, ServeCommand.self, SwiftTestCommand.self,
        ],
        defaultSubcommand: ListCommand.self
    )

    /// For the argument parser.
    public init() {}
}
