internal import ArgumentParser

/// The formats that a command has; all have these.
protocol OutputFormats: RawRepresentable<String>, Equatable, ExpressibleByArgument {
    static var table: Self { get }
    static var jsonl: Self { get }
}

/// How records are written.
enum OutputFormat: String, CaseIterable, OutputFormats {
    case table, jsonl, csv
}

/// How a summary is written.
enum SummaryFormat: String, CaseIterable, OutputFormats {
    case table, jsonl, csv, prometheus
}

/// When the table is coloured.
enum ColorChoice: String, CaseIterable, ExpressibleByArgument {
    case auto, always, never
}

/// The options of every command that writes records.
typealias OutputOptions = FormatOptions<OutputFormat>

/// How and where a command writes, in one of its formats.
struct FormatOptions<Format: OutputFormats>: ParsableArguments {
    @Option(help: ArgumentHelp("How records are written.", valueName: "format"))
    var format: Format?

    @Flag(help: "An object a line; the same as --format jsonl.")
    var json = false

    @Flag(name: [.customShort("H"), .long], help: "Leave out the header, and a summary's total.")
    var noHeader = false

    @Option(help: ArgumentHelp("Whether states are coloured; auto heeds NO_COLOR.", valueName: "when"))
    var color = ColorChoice.auto

    @Option(help: ArgumentHelp("Write to a file, made or emptied.", valueName: "file"), completion: .file())
    var output: String?

    @Flag(name: .shortAndLong, help: "Names of hosts and services; waits for the resolver.")
    var resolve = false

    /// The format that is asked for in either way.
    var chosenFormat: Format { format ?? (json ? .jsonl : .table) }

    mutating func validate() throws {
        guard !json || format == nil || format == .jsonl else {
            throw ValidationError("--json contradicts --format \(chosenFormat.rawValue); leave one of them out")
        }
    }

    /// Opens what is written to.
    func open() throws(CommandFailure) -> Output {
        guard let output else { return try Output() }
        return try Output(path: output)
    }
}
