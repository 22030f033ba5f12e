internal import ArgumentParser
internal import SockDiag
internal import TCPRecords

/// The filter at the end of a command line, one word or many.
struct FilterArguments: ParsableArguments {
    @Argument(help: ArgumentHelp("A filter as ss has it, and more: sport = :443 and rtt > 50ms", valueName: "filter"))
    var words: [String] = []

    /// The filter; nil where there is none. A wrong one is wrong usage, reported after other wrong words of the command
    /// line.
    var filter: SocketFilter? {
        get throws {
            guard !words.isEmpty else { return nil }
            do throws(SocketFilterError) {
                return try SocketFilter(arguments: words)
            } catch {
                throw ValidationError("\(fault(error)); filters are in tcpstates list --help")
            }
        }
    }

    /// What is wrong. One word may have been meant for a command.
    private func fault(_ error: SocketFilterError) -> String {
        guard words.count == 1, words[0].allSatisfy({ $0.isLetter || $0 == "-" }) else { return error.description }
        var names: [String] = []
        for command in TCPStates.configuration.subcommands where command.configuration.shouldDisplay {
            names.append(command._commandName)
        }
        return "'\(words[0])' is neither a command nor a filter; commands are \(names.joined(separator: ", "))"
    }
}
