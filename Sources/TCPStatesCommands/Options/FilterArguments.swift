internal import ArgumentParser
internal import SockDiag

/// The filter at the end of a command line, one word or many.
struct FilterArguments: ParsableArguments {
    @Argument(help: ArgumentHelp("A filter as ss has it, and more: sport = :443 and rtt > 50ms", valueName: "filter"))
    var words: [String] = []

    /// The filter; nil where there is none. A wrong one is wrong usage, told after what the command line itself has wrong.
    var filter: SocketFilter? {
        get throws {
            guard !words.isEmpty else { return nil }
            do throws(SocketFilterError) {
                return try SocketFilter(words.joined(separator: " "))
            } catch {
                throw ValidationError(error.description)
            }
        }
    }
}
