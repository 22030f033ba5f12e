internal import ArgumentParser

/// What sockets can be counted by.
enum GroupKey: String, CaseIterable, ExpressibleByArgument {
    case state
    case localPort = "local-port"
    case peer
    case process
    case uid
    case netns
}

/// What a summary counts by.
struct GroupingOptions: ParsableArguments {
    @Option(
        name: .customLong("by"),
        help: ArgumentHelp(
            "Count by \(GroupKey.allValueStrings.joined(separator: ", ")), or several: state,uid (repeatable).",
            valueName: "keys"
        ),
        completion: .list(GroupKey.allValueStrings),
        transform: GroupKeyList.init
    )
    var by: [GroupKeyList] = []

    /// The keys in their order; the state where none is named.
    var keys: [GroupKey] { by.isEmpty ? [.state] : by.flatMap(\.keys) }
}

/// Keys separated by commas.
struct GroupKeyList {
    let keys: [GroupKey]

    /// Reads the list of a command line.
    init(_ argument: String) throws {
        keys = try argument.split(separator: ",", omittingEmptySubsequences: false).map { name in
            guard let key = GroupKey(rawValue: String(name)) else {
                throw ValidationError("no key '\(name)'; there are \(GroupKey.allValueStrings.joined(separator: ", "))")
            }
            return key
        }
    }
}
