internal import ArgumentParser
internal import SockDiag

/// The filter at the end of a command line, one word or many.
struct FilterArguments: ParsableArguments {
    @Argument(help: ArgumentHelp("A filter as ss has it, and more: sport = :443 and rtt > 50ms", valueName: "filter"))
    var words: [String] = []

    mutating func validate() throws {
        do throws(SocketFilterError) { _ = try filter } catch { throw ValidationError(error.description) }
    }

    /// The filter; nil where there is none.
    var filter: SocketFilter? {
        get throws(SocketFilterError) { words.isEmpty ? nil : try SocketFilter(words.joined(separator: " ")) }
    }
}
