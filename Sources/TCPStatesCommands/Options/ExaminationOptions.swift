internal import ArgumentParser
internal import TCPDiagnosis

/// How the doctor examines.
struct ExaminationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Between the two snapshots: 1s, 500ms (default: 1s).", valueName: "time"),
        transform: DurationArgument.init(word:)
    )
    var window = DurationArgument(.seconds(1))

    @Option(
        name: .customLong("threshold"),
        help: ArgumentHelp("From where on something is wrong: close-wait=50 (repeatable).", valueName: "name=value"),
        completion: .list(ThresholdArgument.Name.allCases.map { "\($0.rawValue)=" }),
        transform: ThresholdArgument.init(word:)
    )
    var changes: [ThresholdArgument] = []

    @Flag(help: "Examine again and again, until Ctrl-C.")
    var watch = false

    @Option(
        help: ArgumentHelp("With --watch, the time between two examinations (default: 10s).", valueName: "time"),
        transform: DurationArgument.init(word:)
    )
    var interval = DurationArgument(.seconds(10))

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("With --watch, stop after so many examinations.", valueName: "n"),
        transform: CountArgument.count(of:)
    )
    var count: Int?

    /// The thresholds from which on something is wrong.
    var thresholds: Thresholds { changes.reduce(into: Thresholds()) { $1.apply(to: &$0) } }

    func validate() throws {
        if count != nil, !watch { throw ValidationError("--count goes with --watch") }
    }
}
