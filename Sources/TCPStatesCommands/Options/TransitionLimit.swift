internal import ArgumentParser

/// The number of transitions after which a command ends.
struct TransitionLimit: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Stop after so many transitions.", valueName: "n"),
        transform: CountArgument.count(of:)
    )
    var count: Int?
}
