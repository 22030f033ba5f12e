internal import ArgumentParser

/// After how many transitions a command ends.
struct TransitionLimit: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Stop after so many transitions.", valueName: "n"),
        transform: CountArgument.count(of:)
    )
    var count: Int?
}
