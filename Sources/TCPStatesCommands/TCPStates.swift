public import ArgumentParser

/// The `tcpstates` command line.
public struct TCPStates: ParsableCommand {
    /// The name, the abstract and the subcommands.
    public static let configuration = CommandConfiguration(
        commandName: "tcpstates",
        abstract: "What every TCP connection on this Linux machine is doing."
    )

    /// For the argument parser.
    public init() {}
}
